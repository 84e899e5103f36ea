"""The watcher's watcher: what proves that a page would arrive."""

from django.db import models
from django.utils import timezone


class Turn(models.Model):
    """A piece of work that only one worker may do at a time; its row is the lock."""

    work = models.CharField(max_length=20, primary_key=True)
    # For work that calls the network: no transaction stays open meanwhile.
    leased_until = models.DateTimeField(null=True, blank=True)
    position = models.BigIntegerField(default=0, help_text="How far the work has come.")

    def __str__(self) -> str:
        return self.work


class Canary(models.Model):
    """One made-up report and how far it came on the way that a real page takes."""

    minute = models.DateTimeField(unique=True)
    reported = models.DateTimeField(default=timezone.now)
    judged = models.DateTimeField(null=True, blank=True)
    queued = models.DateTimeField(null=True, blank=True)
    delivered = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-minute",)
        verbose_name_plural = "canaries"

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M}"


class StageAlarm(models.Model):
    """A stage of the way that stopped, from when, and whom we told."""

    class Stage(models.TextChoices):
        INGEST = "ingest", "Ingest"
        DETECTION = "detection", "Detection"
        ABSORB = "absorb", "Incidents"
        OUTBOX = "outbox", "Outbox"

    stage = models.CharField(max_length=10, choices=Stage.choices, primary_key=True)
    since = models.DateTimeField()
    told = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.stage} stopped"
