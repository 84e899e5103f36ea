from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from alerts.lifecycle import State, permitted
from alerts.models import Incident, IncidentEvent, Notification, Silence
from alerts.models.incident import FAMILIES
from detection.models import Level
from ingest.parsing.exact_bodies import ExactSerializer
from ingest.parsing.moment_field import MomentField


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    source = serializers.CharField(source="source.name", read_only=True)  # type: ignore[assignment]
    ended = serializers.DateTimeField(read_only=True, allow_null=True)
    permitted = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Incident
        exclude = ("step", "step_due", "reminder_due", "reminders", "key")

    def get_permitted(self, incident: Incident) -> list[str]:
        return permitted(incident.state)


class EventSerializer(serializers.ModelSerializer[IncidentEvent]):
    class Meta:
        model = IncidentEvent
        exclude = ("id", "incident")


class MessageSerializer(serializers.ModelSerializer[Notification]):
    channel = serializers.CharField(source="channel.name", read_only=True)

    class Meta:
        model = Notification
        fields = (
            "id",
            "channel",
            "kind",
            "state",
            "reason",
            "created",
            "due",
            "sent",
            "attempts",
            "last_error",
        )


class IncidentDetailSerializer(IncidentSerializer):
    timeline = EventSerializer(source="events", many=True, read_only=True)
    notifications = MessageSerializer(many=True, read_only=True)
    children = serializers.PrimaryKeyRelatedField[Incident](many=True, read_only=True)


class IncidentListSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    incidents = IncidentSerializer(many=True)


class IncidentFilterSerializer(serializers.Serializer[Any]):
    """What a list of incidents may be asked for."""

    state = serializers.ChoiceField(State.choices, required=False)
    ongoing = serializers.BooleanField(required=False, allow_null=True, default=None)
    level = serializers.ChoiceField(Level.choices, required=False)
    family = serializers.ChoiceField(FAMILIES, required=False)
    source = serializers.CharField(required=False, max_length=64)  # type: ignore[assignment]
    label = serializers.ChoiceField(Incident.Label.choices, required=False)  # type: ignore[assignment]
    historical = serializers.BooleanField(required=False, allow_null=True, default=None)
    since = MomentField(required=False)
    until = MomentField(required=False)


class ActSerializer(ExactSerializer[Any]):
    """What may be said with an act."""

    why = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")
    label = serializers.ChoiceField(Incident.Label.choices, required=False)  # type: ignore[assignment]
    text = serializers.CharField(required=False, max_length=500)
    into = serializers.IntegerField(required=False, min_value=1)
    minutes = serializers.IntegerField(required=False, min_value=1, max_value=60 * 24 * 90)
    to = serializers.CharField(required=False, allow_blank=True, max_length=150)
    was = serializers.CharField(required=False, allow_blank=True, max_length=150)


class SilenceSerializer(ExactSerializer[Silence], serializers.ModelSerializer[Silence]):
    source = serializers.CharField(source="source.name", required=False, allow_null=True)  # type: ignore[assignment]
    starts = MomentField(required=False)
    ends = MomentField()

    class Meta:
        model = Silence
        fields = (
            "id",
            "source",
            "family",
            "level",
            "reason",
            "starts",
            "ends",
            "created_by",
            "created",
        )
        read_only_fields = ("created_by", "created")


class MeansSerializer(serializers.Serializer[Any]):
    """Mean times [s]; null where there was nothing to measure."""

    incidents = serializers.IntegerField()
    false_positives = serializers.IntegerField()
    mttd = serializers.FloatField(allow_null=True)
    mtta = serializers.FloatField(allow_null=True)
    mttr = serializers.FloatField(allow_null=True)
    mtbf = serializers.FloatField(allow_null=True)
    downtime = serializers.FloatField()


class StatisticsSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    total = MeansSerializer()
    by_family = serializers.DictField(child=MeansSerializer())
    by_source = serializers.DictField(child=MeansSerializer())


class OnCallSerializer(serializers.Serializer[Any]):
    schedule = serializers.CharField()
    user = serializers.CharField(allow_null=True)
    by = serializers.CharField()


class HandoverSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    text = serializers.CharField()
    statistics = StatisticsSerializer()
    still_open = IncidentSerializer(many=True)
    worst = IncidentSerializer(many=True)
    silences = SilenceSerializer(many=True)
    on_call = OnCallSerializer(many=True)
    dead_letters = serializers.IntegerField()


@extend_schema_serializer(component_name="Reason")
class RefusalSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
