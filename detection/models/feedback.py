from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detection.models.judgement import Family
from ingest.models import Source


class Label(models.Model):
    """What an analyst says a deviation of one source was. Never deleted: taken back."""

    class Kind(models.TextChoices):
        INCIDENT = "incident", "Incident: it was right to call"
        EXPECTED = "expected", "Expected: real, but planned"
        NEW_LEVEL = "new_level", "New level: this is normal from now on"
        NOISE = "noise", "Noise: nothing was wrong"
        DATA_PROBLEM = "data_problem", "Data problem: the counts were wrong"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="labels")
    family = models.CharField(max_length=20, choices=Family.choices, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    incident = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Number of the incident that was closed so; empty: said without one.",
    )
    created = models.DateTimeField(default=timezone.now)
    revoked = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-created",)
        indexes = (
            models.Index(fields=("source", "starts"), name="detection_label_window"),
            models.Index(fields=("incident",), name="detection_label_incident"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends__gte=models.F("starts")),
                name="detection_label_order",
                violation_error_message=_("It must not end before it starts."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {timezone.localtime(self.starts):%Y-%m-%d %H:%M}"


class Proposal(models.Model):
    """A change of policy that a label suggests, with the backtest that allows or refuses it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for its backtest"
        OFFERED = "offered", "Offered"
        REFUSED = "refused", "Refused: it would lose a confirmed incident"
        APPLIED = "applied", "Applied"
        REVERTED = "reverted", "Reverted"
        DISMISSED = "dismissed", "Dismissed"

    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="proposals")
    changes = models.JSONField(help_text="Policy field -> new value.")
    before = models.JSONField(default=dict, help_text="What the fields were when it was applied.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    report = models.JSONField(default=dict, help_text="Backtest without and with the change.")
    created = models.DateTimeField(default=timezone.now)
    decided = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.state}: {self.changes}"
