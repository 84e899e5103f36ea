from django.conf import settings
from django.db import models
from django.utils import timezone

from detection.models.forest import ForestVersion


class Backtest(models.Model):
    """One run of a policy and a forest over stored history, with its report."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    since = models.DateTimeField()
    until = models.DateTimeField()
    sources = models.JSONField(default=list, help_text="Names; empty: all.")
    changes = models.JSONField(default=dict, help_text="Policy fields tried instead of the live.")
    forest = models.ForeignKey(ForestVersion, null=True, blank=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    progress = models.FloatField(default=0.0, help_text="0 to 1.")
    report = models.JSONField(
        default=dict,
        help_text="Pages became critical, warnings did not. A labelled incident is caught by a "
        "page, or by a warning that lasts until people are told of it.",
    )
    chart = models.TextField(blank=True, help_text="SVG.")
    requested = models.DateTimeField(default=timezone.now)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    started = models.DateTimeField(
        null=True, blank=True, help_text="When the worker that runs it, or ran it last, took it."
    )
    heartbeat = models.DateTimeField(
        null=True, blank=True, help_text="Last sign of life of that worker."
    )
    attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Workers that took it since somebody asked for it."
    )
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-requested",)

    def __str__(self) -> str:
        return f"backtest {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"
