from django.db import models
from django.utils import timezone

from ingest.models import Source


class Baseline(models.Model):
    """What is normal for one source, learned up to and including the minute `through`."""

    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="baseline")
    state = models.BinaryField(
        help_text="detection.scoring.State, packed, as it was at `state_version`; never a pickle."
    )
    # Most of a state lasts for a quarter hour at least and is not written again every minute.
    recent = models.BinaryField(
        null=True, help_text="What moved since then, packed, as it was at `recent_version`."
    )
    inherited = models.BinaryField(
        null=True, help_text="The state it began with, where a parent gave it one."
    )
    through = models.DateTimeField(null=True, blank=True)
    reported = models.DateTimeField(
        null=True, blank=True, help_text="Last minute up to `through` in which it reported."
    )
    live = models.BooleanField(
        default=False, help_text="It reports as time passes, so that its silence means something."
    )
    # Read and compared under a lock by every writer, so that of two sweeps one wins.
    version = models.PositiveIntegerField(default=0)
    # Whoever does not know of `recent` moves on the version alone, and `state` is all there is.
    state_version = models.PositiveIntegerField(null=True)
    recent_version = models.PositiveIntegerField(null=True)
    updated = models.DateTimeField(default=timezone.now)
    replayed = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a client that sends old minutes in order last moved it; the sweep stays "
        "away meanwhile.",
    )

    def __str__(self) -> str:
        return f"baseline of {self.source_id}"


class Checkpoint(models.Model):
    """A Baseline as it was at the end of an hour, to go back to when late data arrive."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    through = models.DateTimeField()
    reported = models.DateTimeField(null=True)
    state = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "through"), name="detection_checkpoint_key"),
        )

    def __str__(self) -> str:
        return f"{self.source_id} at {self.through:%Y-%m-%d %H:%M}"


class Recheck(models.Model):
    """An hour whose counts changed late, taken over from ingest until it has been looked at."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    claimed = models.DateTimeField(default=timezone.now)
    forced = models.BooleanField(
        default=False, help_text="Judged again though no count changed: a label did."
    )

    def __str__(self) -> str:
        return f"{self.source_id} {self.hour:%Y-%m-%d %H}h"
