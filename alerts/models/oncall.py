"""Who is on call, and who is called when nobody answers."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.models.incident import FAMILIES
from alerts.models.outbox import Channel
from alerts.models.quiet import ends_after, known_zone, weekday_numbers
from detection.models import Level
from ingest.models import Source


class Schedule(models.Model):
    """A post that somebody always holds, by the clock of its time zone."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_zone])

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Rotation(models.Model):
    """People who take turns on a schedule; of several on duty the lowest rank holds it."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="rotations")
    name = models.CharField(max_length=80)
    rank = models.PositiveSmallIntegerField(default=0)
    first_day = models.DateField(help_text="The first member's first day.")
    handover = models.TimeField(help_text="Local time at which the next member takes over.")
    days = models.PositiveSmallIntegerField(default=7, help_text="Days in a row for each member.")
    weekdays = models.JSONField(
        default=list, blank=True, help_text="Only on these days, 0 Monday … 6 Sunday; empty: all."
    )
    from_time = models.TimeField(null=True, blank=True, help_text="Only from …")
    until_time = models.TimeField(null=True, blank=True, help_text="… until, local time.")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="RotationMember", related_name="rotations"
    )

    class Meta:
        ordering = ("schedule", "rank", "id")

    def __str__(self) -> str:
        return f"{self.schedule}: {self.name}"

    def clean(self) -> None:
        weekday_numbers(self.weekdays)
        if not self.days:
            raise ValidationError({"days": _("At least one day.")})
        if (self.from_time is None) != (self.until_time is None):
            raise ValidationError({"until_time": _("Give both times, or neither.")})


class RotationMember(models.Model):
    """A person's place in a rotation."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="places")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=("rotation", "position"),
                name="alerts_rotation_place",
                violation_error_message=_("Somebody has this place already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.position}: {self.user_id}"


class Override(models.Model):
    """Somebody who holds a schedule for a while, whatever the rotations say."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-starts", "-id")

    def __str__(self) -> str:
        return f"{self.user_id} until {timezone.localtime(self.ends):%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        ends_after(self.starts, self.ends)


class EscalationPolicy(models.Model):
    """What to do while nobody acknowledges the incidents it matches; the lowest rank applies."""

    name = models.CharField(max_length=80, unique=True)
    rank = models.PositiveSmallIntegerField(default=0)
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    family = models.CharField(max_length=20, choices=FAMILIES, blank=True)
    minimum_level = models.CharField(max_length=8, choices=Level.choices, default=Level.CRITICAL)
    rounds = models.PositiveSmallIntegerField(default=1, help_text="How often all steps are taken.")
    remind_after_minutes = models.PositiveIntegerField(
        default=60, help_text="Remind who acknowledged and has not resolved; 0: never."
    )

    class Meta:
        ordering = ("rank", "id")
        verbose_name_plural = "escalation policies"

    def __str__(self) -> str:
        return self.name


class EscalationStep(models.Model):
    """Whom to call, so many minutes after the step before it."""

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    after_minutes = models.PositiveIntegerField(default=5)
    channel = models.ForeignKey(
        Channel, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    schedule = models.ForeignKey(
        Schedule, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(
                fields=("policy", "position"),
                name="alerts_step_place",
                violation_error_message=_("Another step has this place already."),
            ),
            models.CheckConstraint(
                condition=models.Q(channel__isnull=False) ^ models.Q(schedule__isnull=False),
                name="alerts_step_target",
                violation_error_message=_("Name a channel or a schedule, not both."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.position}: after {self.after_minutes} min"
