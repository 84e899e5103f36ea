from django.db import models
from django.utils import timezone

from ingest.models import Source


class Level(models.TextChoices):
    NORMAL = "NORMAL"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Family(models.TextChoices):
    DECLINE = "decline", "Denials"
    TECHNICAL_FAILURE = "technical_failure", "Technical failures"
    REVERSAL = "reversal", "Reversals"
    VOLUME_LOW = "volume_low", "Low volume"
    VOLUME_HIGH = "volume_high", "High volume"
    SILENCE = "silence", "Silence"
    CODE_MIX = "code_mix", "Auth-code mix"


class Band(models.Model):
    """What was expected of one source in one closed minute, and how it was judged."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    minute = models.DateTimeField()
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.NORMAL)
    score = models.FloatField(default=0.0)
    learning = models.BooleanField(default=False)
    total = models.BigIntegerField(null=True, help_text="Seen; empty: nothing was reported.")
    expected = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    by_status = models.JSONField(default=dict, help_text="status -> [expected, lower, upper]")
    digest = models.BigIntegerField(
        default=0, help_text="Of the counts it was judged on: tells whether late data changed any."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "minute"), name="detection_band_key"),
        )
        indexes = (models.Index(fields=("-minute",), name="detection_band_newest"),)

    def __str__(self) -> str:
        return f"{self.source_id} {timezone.localtime(self.minute):%Y-%m-%d %H:%M}"


class Anomaly(models.Model):
    """A stored verdict that is not NORMAL: one source, one minute, one family."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="anomalies", db_index=False
    )
    minute = models.DateTimeField()
    family = models.CharField(max_length=20, choices=Family.choices)
    level = models.CharField(max_length=8, choices=Level.choices)
    score = models.FloatField()
    z_score = models.FloatField(null=True)
    ml_score = models.FloatField(null=True)
    # The status, code and count that say most about it; status is empty for silence.
    status = models.CharField(max_length=16, blank=True)
    auth_code = models.CharField(max_length=16, blank=True)
    count = models.BigIntegerField(default=0)
    expected = models.FloatField(null=True)
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)
    onset = models.DateTimeField(null=True)
    excess = models.FloatField(
        null=True, help_text="Transactions above (or below) normal since the onset."
    )
    excess_low = models.FloatField(null=True)
    excess_high = models.FloatField(null=True)
    violations = models.JSONField(default=list, help_text="Rule names with their numbers.")
    reasons = models.JSONField(default=list, help_text="Sentences for people.")
    contributions = models.JSONField(default=list)
    owner = models.CharField(max_length=40, blank=True)
    recommendation = models.CharField(max_length=300, blank=True)
    # A past minute (late or backfilled data) is judged and kept, but nobody is called for it.
    past = models.BooleanField(default=False)
    provisional = models.BooleanField(
        default=False, help_text="The minute was still filling; the sweep confirms or removes it."
    )
    withdrawn = models.DateTimeField(
        null=True, blank=True, help_text="Late data showed that it was none; an incident holds it."
    )
    detected = models.DateTimeField(default=timezone.now)
    # Set by alerts when an incident has taken it in; NULL is its queue.
    absorbed = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-minute", "-id")
        verbose_name_plural = "anomalies"
        constraints = (
            models.UniqueConstraint(
                fields=("source", "minute", "family"), name="detection_anomaly_key"
            ),
        )
        indexes = (
            models.Index(fields=("-minute", "level"), name="detection_anomaly_newest"),
            models.Index(
                fields=("id",),
                condition=models.Q(absorbed=None, provisional=False),
                name="detection_anomaly_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.family} {timezone.localtime(self.minute):%Y-%m-%d %H:%M}"
