"""Who reported, what they reported, and the counts per minute that detection reads."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ingest.recording.holding import hold_recordings
from ingest.zones import is_zone

RATE = re.compile(r"[1-9]\d{0,8}/[smhd]")


class Status(models.TextChoices):
    APPROVED = "approved"
    DENIED = "denied"
    FAILED = "failed"
    REVERSED = "reversed"
    BACKEND_REVERSED = "backend_reversed"
    REFUNDED = "refunded"


def _known_zone(name: str) -> None:
    if not is_zone(name):
        raise ValidationError(
            _("“%(name)s” is not an IANA time zone such as America/Sao_Paulo."),
            params={"name": name},
        )


def _default_zone() -> str:
    return str(settings.TIME_ZONE)


def first_count(source_ids: Sequence[int]) -> "MinuteCount | None":
    """Return the first count of the first of these sources that has one."""
    # In this order it is one step in the index, whatever plan PostgreSQL would choose for one row.
    counted = MinuteCount.objects.filter(source__in=source_ids)
    return counted.order_by("source_id", "minute").first()


@contextmanager
def _nothing_recorded(source_ids: Sequence[int]) -> Iterator[None]:
    """Hold all recordings, so that PROTECT sees every report there is and none comes after it."""
    with transaction.atomic():
        # PROTECT would read all rows that it finds, while every recording waits.
        first = first_count(source_ids)
        if first is not None:
            raise models.ProtectedError("Transactions were counted for this source.", {first})
        hold_recordings()
        yield


class SourceQuerySet(models.QuerySet["Source"]):
    """Sources; deleting some of them holds all recordings."""

    def delete(self) -> tuple[int, dict[str, int]]:
        with _nothing_recorded(list(self.values_list("pk", flat=True))):
            return super().delete()

    # As QuerySet has it: templates do not call it, and the manager does not offer it.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class Source(models.Model):
    """Somebody who reports transactions: an acquirer, a channel, a merchant."""

    DEFAULT = "default"
    # Guardian's own: it reports nothing each minute, to see whether reports come through.
    CANARY = "guardian-canary"

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[\w.:-]+$", _("Letters, digits and _ . : - only."))],
        help_text="The name clients send in “source”.",
    )
    title = models.CharField(
        max_length=120, blank=True, help_text="Shown to people; the name if empty."
    )
    time_zone = models.CharField(
        max_length=64,
        default=_default_zone,
        validators=[_known_zone],
        help_text="Zone of timestamps that carry none, and of the daily pattern.",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        help_text="A source much like this one: a new source begins with the shape of its days, "
        "its codes and its shares. Incidents of one parent's sources are told as one.",
    )
    enabled = models.BooleanField(default=True, help_text="Off: still counted, no longer watched.")
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.title or self.name

    def clean(self) -> None:
        if self.name and not self.name.strip("."):
            raise ValidationError({"name": _("A name cannot consist of dots alone.")})
        if self.parent_id is not None and self.parent_id == self.pk:
            raise ValidationError({"parent": _("A source cannot be its own parent.")})

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with _nothing_recorded([self.pk]):
            return super().delete(*args, **options)


def _known_scopes(value: str) -> None:
    unknown = sorted(set(value.split()) - set(ApiKey.Scope.values))
    if unknown or not value.split():
        known = ", ".join(ApiKey.Scope.values)
        raise ValidationError(
            _("Known scopes are %(known)s; separate several by a space."), params={"known": known}
        )


def _known_rate(value: str) -> None:
    if not RATE.fullmatch(value):
        raise ValidationError(_("Write requests/period such as 6000/m (s, m, h or d)."))


class ApiKey(models.Model):
    """A secret that lets one source report. Only its prefix and a hash are kept."""

    class Scope(models.TextChoices):
        REPORT = "report", "Report transactions"
        READ = "read", "Read anomalies, incidents and figures"
        ADMIN = "admin", "Everything, for every source"

    name = models.CharField(max_length=80)
    scopes = models.CharField(
        max_length=40,
        default=Scope.REPORT,
        validators=[_known_scopes],
        help_text="report, read or admin; several separated by a space.",
    )
    source = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="api_keys",
        help_text="Empty: may report for any source.",
    )
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    signed_only = models.BooleanField(
        default=False, help_text="On: takes signed requests alone, never the secret itself."
    )
    rate_limit = models.CharField(
        max_length=16,
        blank=True,
        validators=[_known_rate],
        help_text="For example 6000/m; empty: unlimited.",
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    successor = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="predecessors",
    )

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def clean(self) -> None:
        # What an administrator may do is bounded by no source; the key must not seem to be.
        if self.source_id is not None and self.Scope.ADMIN in self.scopes.split():
            raise ValidationError(
                {"scopes": _("A key limited to one source cannot have the admin scope.")}
            )


class Report(models.Model):
    """One count a source sent; sent again under the same key it changes nothing or corrects it."""

    id = models.BigAutoField(primary_key=True)
    # The statement that writes these rows checks each source once; a constraint would check, and
    # lock, the source of every row. The same holds for the other tables of a recording.
    source = models.ForeignKey(
        Source,
        on_delete=models.PROTECT,
        related_name="reports",
        db_index=False,
        db_constraint=False,
    )
    timestamp = models.DateTimeField(db_index=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    auth_code = models.CharField(max_length=16, default="00", blank=True)
    count = models.BigIntegerField()
    # What the count was before the last correction, NULL if there was none: count less this is
    # what MinuteCount still has to be moved by, known in the statement that writes the row.
    previous_count = models.BigIntegerField(null=True, editable=False)
    timed = models.BooleanField(
        default=True,
        help_text="Off: the sender gave no time. Such reports add up if they arrive together.",
    )
    received = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-timestamp", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "timestamp", "status", "auth_code"), name="ingest_report_key"
            ),
            models.CheckConstraint(condition=models.Q(count__gte=0), name="ingest_report_count"),
        )

    def __str__(self) -> str:
        at = timezone.localtime(self.timestamp)
        return f"{at:%Y-%m-%d %H:%M:%S} {self.status}/{self.auth_code} × {self.count}"


class Transaction(models.Model):
    """An individual transaction, sent with an id: counted once, where it was last said to be."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    external_id = models.CharField("id", max_length=128)
    timestamp = models.DateTimeField(db_index=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    auth_code = models.CharField(max_length=16, default="00", blank=True)
    count = models.BigIntegerField(default=1)
    timed = models.BooleanField(default=True, help_text="Off: the sender gave no time.")
    # Where it was counted before the last sending, NULL if there was none: MinuteCount is moved
    # from there to here in the statement that writes the row.
    previous_timestamp = models.DateTimeField(null=True, editable=False)
    previous_status = models.CharField(max_length=16, default="", editable=False)
    previous_auth_code = models.CharField(max_length=16, default="", editable=False)
    previous_count = models.BigIntegerField(default=0, editable=False)
    received = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-timestamp", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id"), name="ingest_transaction_key"
            ),
            models.CheckConstraint(
                condition=models.Q(count__gte=0), name="ingest_transaction_count"
            ),
        )

    def __str__(self) -> str:
        return self.external_id


class MinuteCount(models.Model):
    """The sum of the reports of one source, minute, status and auth code: what detection reads."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    minute = models.DateTimeField(db_index=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    auth_code = models.CharField(max_length=16)
    count = models.BigIntegerField()

    class Meta:
        ordering = ("-minute",)
        constraints = (
            models.UniqueConstraint(
                fields=("source", "minute", "status", "auth_code"), name="ingest_minutecount_key"
            ),
        )

    def __str__(self) -> str:
        minute = timezone.localtime(self.minute)
        return f"{minute:%Y-%m-%d %H:%M} {self.status}/{self.auth_code} × {self.count}"


class LateMark(models.Model):
    """Counts of this hour changed late; each recording that changes some adds a mark of its own.

    Detection claims the marks and looks at the hours again. To add a mark costs less than to look
    for one that is there, and nobody waits for another writer.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    hour = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.source_id} {self.hour:%Y-%m-%d %H}h"


class LateHour(models.Model):
    """A mark as the release before this one wrote it: still claimed, dropped in the next."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    hour = models.DateTimeField()
    seen = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("hour",)
        constraints = (
            models.UniqueConstraint(fields=("source", "hour"), name="ingest_latehour_key"),
        )

    def __str__(self) -> str:
        return f"{self.source_id} {self.hour:%Y-%m-%d %H}h"


class FileImport(models.Model):
    """A CSV file on its way into a source: how many of its lines are in, so that it can go on."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file.")
    file_name = models.CharField(max_length=255)
    lines = models.BigIntegerField(default=0, help_text="Lines of the file that are in.")
    started = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started",)
        constraints = (
            models.UniqueConstraint(fields=("source", "digest"), name="ingest_fileimport_key"),
        )

    def __str__(self) -> str:
        return self.file_name
