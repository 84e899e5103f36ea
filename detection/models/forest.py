from django.db import models
from django.utils import timezone


class ForestVersion(models.Model):
    """One trained Isolation Forest, with what it was trained on and how it did."""

    class State(models.TextChoices):
        SHADOW = "shadow", "Shadow: scored, not used"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    trained = models.DateTimeField(default=timezone.now)
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SHADOW)
    promoted = models.DateTimeField(null=True, blank=True)
    rolled_back = models.DateTimeField(
        null=True, blank=True, help_text="When another was put back in its place."
    )
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    model = models.BinaryField(help_text="detection.scoring.Forest, packed; never a pickle.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-trained",)
        constraints = (
            models.UniqueConstraint(
                fields=("state",),
                condition=models.Q(state="live"),
                name="detection_one_live_forest",
            ),
        )

    def __str__(self) -> str:
        return f"forest {self.pk} ({self.state})"
