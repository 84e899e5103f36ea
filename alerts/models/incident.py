"""The incident and its timeline."""

from datetime import datetime, timedelta

from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from alerts.lifecycle import ONGOING, Action, State
from detection.models import Family, Level
from ingest.models import Source

EXTERNAL = "external"
FAMILIES = [*Family.choices, (EXTERNAL, "External alert"), ("watch", "Guardian itself")]


class Incident(models.Model):
    """One failure of one source, in one family, from onset to resolution."""

    class Direction(models.TextChoices):
        HIGH = "high", "Above normal"
        LOW = "low", "Below normal"
        SHIFT = "shift", "Other than normal"

    class Label(models.TextChoices):
        REAL = "real", "Real failure"
        FALSE_POSITIVE = "false_positive", "False positive"
        NEW_LEVEL = "new_level", "New normal level"
        PLANNED = "planned", "Planned work"
        DUPLICATE = "duplicate", "Duplicate"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="incidents")
    family = models.CharField(max_length=20, choices=FAMILIES)
    direction = models.CharField(max_length=5, choices=Direction.choices)
    # Tells alerts of other systems apart; empty for what detection found.
    key = models.CharField(max_length=64, blank=True, default="")
    title = models.CharField(
        max_length=200, blank=True, help_text="What another system called it; empty for ours."
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    level = models.CharField(max_length=8, choices=Level.choices)
    label = models.CharField(max_length=16, choices=Label.choices, blank=True)
    historical = models.BooleanField(
        default=False, help_text="Found in past minutes: kept and grouped, nobody was called."
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children"
    )

    onset = models.DateTimeField(help_text="When the failure began.")
    detected = models.DateTimeField(help_text="When detection saw it.")
    opened = models.DateTimeField(default=timezone.now)
    announced = models.DateTimeField(null=True, blank=True, help_text="When people were told.")
    acknowledged = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)
    assigned_to = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="Empty: nobody."
    )
    mitigated = models.DateTimeField(null=True, blank=True)
    resolved = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=120, blank=True, help_text="Empty: by itself.")
    closed = models.DateTimeField(null=True, blank=True)
    first_anomaly = models.DateTimeField()
    last_anomaly = models.DateTimeField()
    anomaly_count = models.PositiveIntegerField(default=1)
    reopened = models.PositiveIntegerField(default=0)
    reopened_by_hand = models.DateTimeField(
        null=True, blank=True, help_text="Quiet minutes count from here."
    )

    peak_score = models.FloatField(default=0.0)
    status = models.CharField(max_length=16, blank=True)
    auth_code = models.CharField(max_length=16, blank=True)
    seen = models.BigIntegerField(default=0)
    expected = models.FloatField(null=True, blank=True)
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    excess = models.FloatField(null=True, blank=True)
    excess_low = models.FloatField(null=True, blank=True)
    excess_high = models.FloatField(null=True, blank=True)
    violations = models.JSONField(default=list, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    contributions = models.JSONField(default=list, blank=True)
    owner = models.CharField(max_length=40, blank=True, help_text="Who can mend it.")
    recommendation = models.CharField(max_length=300, blank=True)

    # Escalation: due times are columns, so that they outlive every process.
    step = models.PositiveIntegerField(default=0, help_text="Escalation steps already taken.")
    step_due = models.DateTimeField(null=True, blank=True)
    reminder_due = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-opened", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "family", "direction", "key"),
                condition=models.Q(state__in=sorted(ONGOING)),
                name="alerts_one_open_incident",
            ),
        )
        indexes = (
            models.Index(fields=("source", "family", "-last_anomaly"), name="alerts_incident_run"),
            models.Index(fields=("state", "-opened"), name="alerts_incident_state"),
            # The list, newest first, and whose incidents are: see `held_by`.
            models.Index(fields=("-onset", "-id"), name="alerts_incident_onset"),
            models.Index(fields=("assigned_to", "acknowledged_by"), name="alerts_incident_holder"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_family_display()} at {self.source}"

    def get_absolute_url(self) -> str:
        try:
            return reverse("incident", args=(self.pk,))
        except NoReverseMatch:
            return f"/incidents/{self.pk}"

    @property
    def ongoing(self) -> bool:
        return self.state in ONGOING

    @property
    def holder(self) -> str:
        """Who has it: whom it is assigned to, else who acknowledged it; empty for nobody.

        Who acknowledged what became graver, or came back, has not answered to that.
        """
        return self.assigned_to or ("" if self.state == State.OPEN else self.acknowledged_by)

    @property
    def ended(self) -> datetime | None:
        """When the failure was over: its last bad minute, or the hand that ended it if sooner.

        Another system tells of its alert hours apart; there the end is when it was ended.
        """
        if self.resolved is None or self.key:
            return self.resolved
        quiet_from = self.last_anomaly + timedelta(minutes=1)
        return quiet_from if self.historical else min(self.resolved, quiet_from)


class IncidentEvent(models.Model):
    """One line of an incident's timeline: what changed, who did it, why, from where."""

    class Kind(models.TextChoices):
        OPENED = "opened"
        RECORDED = "recorded", "Recorded from the past"
        RAISED = "raised"
        ACKNOWLEDGED = "acknowledged"
        MITIGATED = "mitigated"
        RESOLVED = "resolved"
        CLOSED = "closed"
        MERGED = "merged"
        SPLIT = "split", "Split off"
        REOPENED = "reopened"
        LINKED = "linked"
        COMMENTED = "commented"
        ASSIGNED = "assigned"
        SUPPRESSED = "suppressed"
        ESCALATED = "escalated"
        REMINDED = "reminded"
        SENT = "sent", "Told"
        FAILED = "failed", "Not told"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    who = models.CharField(max_length=120, blank=True, help_text="Empty: Guardian itself.")
    via = models.CharField(max_length=20, default="system", help_text="web, api, slack, …")
    why = models.CharField(max_length=500, blank=True)
    state_from = models.CharField(max_length=12, blank=True)
    state_to = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"


__all__ = ["EXTERNAL", "FAMILIES", "Action", "Incident", "IncidentEvent", "State"]
