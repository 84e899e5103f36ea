"""What the API of detection answers with: the shapes, as /docs shows them."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from detection.models import Anomaly, Backtest, Family, ForestVersion, Level
from detection.selectors.trials import is_lost
from detection.services.policies import read_settings
from ingest import steady_clock
from ingest.models import Source, Status
from ingest.parsing.exact_bodies import ExactSerializer
from ingest.parsing.moment_field import MomentField


class AnomalyTransactionSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    status = serializers.ChoiceField(Status.choices, allow_blank=True)
    count = serializers.IntegerField()
    auth_code = serializers.CharField()


class AnomalySerializer(serializers.Serializer[Anomaly]):
    id = serializers.IntegerField()
    timestamp = serializers.DateTimeField(source="minute")
    source = serializers.CharField(source="source.name")  # type: ignore[assignment]
    alert_level = serializers.ChoiceField(Level.choices, source="level")
    family = serializers.ChoiceField(Family.choices)
    score = serializers.FloatField()
    z_score = serializers.FloatField(allow_null=True)
    ml_score = serializers.FloatField(allow_null=True)
    violations = serializers.ListField(child=serializers.CharField())
    reasons = serializers.ListField(child=serializers.CharField())
    transaction = AnomalyTransactionSerializer()
    expected = serializers.FloatField(allow_null=True)
    lower = serializers.FloatField(allow_null=True)
    upper = serializers.FloatField(allow_null=True)
    onset = serializers.DateTimeField(allow_null=True)
    excess = serializers.FloatField(allow_null=True)
    excess_low = serializers.FloatField(allow_null=True)
    excess_high = serializers.FloatField(allow_null=True)
    contributions = serializers.ListField(child=serializers.DictField())
    owner = serializers.CharField()
    recommendation = serializers.CharField()
    past = serializers.BooleanField()
    provisional = serializers.BooleanField()


class AnomaliesSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="All that match, over all pages.")
    anomalies = AnomalySerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="Send it as `cursor` to get the next page."
    )


class SpreadSerializer(serializers.Serializer[Any]):
    min = serializers.IntegerField(allow_null=True)
    max = serializers.IntegerField(allow_null=True)
    avg = serializers.FloatField(allow_null=True)


class StatsSerializer(serializers.Serializer[Any]):
    total_processed = serializers.IntegerField(help_text="Transactions, not calls.")
    total_anomalies = serializers.IntegerField()
    anomaly_rate = serializers.FloatField(help_text="Anomalies per judged source minute, 0 to 1.")
    transaction_stats = SpreadSerializer(help_text="Transactions of one source in one minute.")
    status_distribution = serializers.DictField(child=serializers.IntegerField())
    minutes_judged = serializers.IntegerField()
    cache = serializers.DictField()
    uptime_seconds = serializers.FloatField()


class ForecastPointSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    expected = serializers.FloatField()
    lower = serializers.FloatField()
    upper = serializers.FloatField()


class ForecastSerializer(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    generated_at = serializers.DateTimeField()
    hours = serializers.IntegerField()
    step_minutes = serializers.IntegerField()
    unit = serializers.CharField()
    interval = serializers.FloatField(help_text="Probability that a minute lies inside.")
    days_learned = serializers.IntegerField()
    learning = serializers.BooleanField()
    points = ForecastPointSerializer(many=True)


class CloseSerializer(ExactSerializer[Any]):
    timestamp = serializers.CharField(help_text="Any time inside the minute.")
    source = serializers.CharField(required=False)  # type: ignore[assignment]


class ClosedMinuteSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    is_anomaly = serializers.BooleanField()
    alert_level = serializers.ChoiceField(Level.choices)
    anomaly_score = serializers.FloatField()
    rule_violations = serializers.ListField(child=serializers.CharField())
    recommendation = serializers.CharField()
    reasons = serializers.ListField(child=serializers.CharField())
    family = serializers.ChoiceField(Family.choices, allow_null=True)
    learning = serializers.BooleanField()
    judged = serializers.BooleanField()
    total = serializers.IntegerField(allow_null=True)
    expected_total = serializers.FloatField(allow_null=True)


def anomaly_body(anomaly: Anomaly) -> dict[str, Any]:
    """One anomaly as GET /anomalies answers it."""
    return {
        "id": anomaly.pk,
        "timestamp": anomaly.minute,
        "source": anomaly.source.name,
        "alert_level": anomaly.level,
        "family": anomaly.family,
        "score": anomaly.score,
        "z_score": anomaly.z_score,
        "ml_score": anomaly.ml_score,
        "violations": anomaly.violations,
        "reasons": anomaly.reasons,
        "transaction": {
            "timestamp": anomaly.minute,
            "status": anomaly.status,
            "count": anomaly.count,
            "auth_code": anomaly.auth_code,
        },
        "expected": anomaly.expected,
        "lower": anomaly.lower,
        "upper": anomaly.upper,
        "onset": anomaly.onset,
        "excess": anomaly.excess,
        "excess_low": anomaly.excess_low,
        "excess_high": anomaly.excess_high,
        "contributions": anomaly.contributions,
        "owner": anomaly.owner,
        "recommendation": anomaly.recommendation,
        "past": anomaly.past,
        "provisional": anomaly.provisional,
    }


class BacktestRequestSerializer(ExactSerializer[Any]):
    since = MomentField()
    until = MomentField()
    sources = serializers.ListField(
        child=serializers.SlugRelatedField("name", queryset=Source.objects.all()),
        required=False,
        help_text="Source names; all watched sources if left out.",
    )
    changes = serializers.DictField(
        required=False,
        help_text="Policy fields to try, for example minimum_excess; null tries the default.",
    )
    forest = serializers.PrimaryKeyRelatedField(
        queryset=ForestVersion.objects.all(), required=False, allow_null=True
    )

    def validate_sources(self, value: list[Source]) -> list[str]:
        return [source.name for source in value]

    def validate_forest(self, value: ForestVersion | None) -> int | None:
        return value.pk if value else None

    def validate_changes(self, value: dict[str, Any]) -> dict[str, Any]:
        try:
            return read_settings(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["since"] >= attrs["until"]:
            raise serializers.ValidationError({"until": "must lie after since"})
        return attrs


class BacktestSerializer(serializers.ModelSerializer[Backtest]):
    lost = serializers.SerializerMethodField(
        help_text="It is running, but its worker shows no sign of life: another takes it over "
        "within minutes, or it fails."
    )

    class Meta:
        model = Backtest
        fields = (
            "id",
            "since",
            "until",
            "sources",
            "changes",
            "forest",
            "state",
            "lost",
            "progress",
            "report",
            "requested",
            "started",
            "heartbeat",
            "attempts",
            "finished",
        )

    def get_lost(self, backtest: Backtest) -> bool:
        return is_lost(backtest, steady_clock.now())


class BacktestRefusedSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
