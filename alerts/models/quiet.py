"""What may be wrong without waking anybody."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts.models.incident import FAMILIES
from detection.models import Level
from ingest.models import Source
from ingest.zones import is_zone

LONGEST_SILENCE = timedelta(days=90)


def known_zone(name: str) -> None:
    if not is_zone(name):
        raise ValidationError(
            _("“%(name)s” is not an IANA time zone such as America/Sao_Paulo."),
            params={"name": name},
        )


def ends_after(
    starts: datetime | None, ends: datetime | None, *, longest: timedelta | None = None
) -> None:
    # A field that did not validate is None here, and already has an error of its own.
    if starts is None or ends is None:
        return
    if ends <= starts:
        raise ValidationError({"ends": _("It must end after it starts.")})
    if longest is not None and ends - starts > longest:
        words = ValidationError(_("At most %(days)s days."), params={"days": longest.days})
        raise ValidationError({"ends": words})


def not_over(ends: datetime | None) -> None:
    if ends is not None and ends <= timezone.now():
        raise ValidationError({"ends": _("A silence must end in the future.")})


def weekday_numbers(days: object) -> None:
    if not isinstance(days, list) or any(day not in range(7) for day in days):
        raise ValidationError({"weekdays": _("A list of numbers, 0 (Monday) to 6 (Sunday).")})


class Matcher(models.Model):
    """Which incidents are meant: an empty field means any."""

    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    family = models.CharField(max_length=20, choices=FAMILIES, blank=True)
    level = models.CharField(
        max_length=8, choices=Level.choices, blank=True, help_text="Up to this level; empty: all."
    )
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=120, blank=True)
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class Silence(Matcher):
    """Somebody's wish to hear nothing of the incidents it matches for a while."""

    starts = models.DateTimeField(default=timezone.now)
    ends = models.DateTimeField()

    class Meta:
        ordering = ("-ends",)

    def __str__(self) -> str:
        return f"silence #{self.pk} until {timezone.localtime(self.ends):%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        ends_after(self.starts, self.ends, longest=LONGEST_SILENCE)
        if not (self.source_id or self.family or self.level or self.reason):
            raise ValidationError({"reason": _("A silence for everything needs a reason.")})
        # An existing silence is ended by setting its end to the past.
        if self._state.adding:
            not_over(self.ends)


class MaintenanceWindow(Matcher):
    """Planned work, once or again and again, by the clock of its own time zone."""

    class Every(models.TextChoices):
        ONCE = "once", "Once"
        DAY = "day", "Every day"
        WEEK = "week", "On chosen weekdays"
        MONTH = "month", "Every month"

    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_zone])
    first_day = models.DateField()
    last_day = models.DateField(null=True, blank=True)
    start_time = models.TimeField(help_text="Local time.")
    minutes = models.PositiveIntegerField(help_text="How long it takes.")
    every = models.CharField(max_length=5, choices=Every.choices, default=Every.ONCE)
    weekdays = models.JSONField(
        default=list, blank=True, help_text="0 Monday … 6 Sunday, for “on chosen weekdays”."
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        weekday_numbers(self.weekdays)
        if self.every == self.Every.WEEK and not self.weekdays:
            raise ValidationError({"weekdays": _("Choose at least one weekday.")})
        if not self.minutes:
            raise ValidationError({"minutes": _("At least one minute.")})
