"""How a trace crosses the rows that one stage leaves to the next.

A mark of an abnormal minute holds the span of its verdict; a mark of a message in the outbox holds
the span in which it was written. Another process, seconds or hours later, continues from there.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models.signals import post_save
from opentelemetry.trace import Link, Span, SpanKind, get_current_span

from alerts.models import Incident, Notification
from alerts.onlookers import look_on_sending
from guardian_site.models import TraceMark
from guardian_site.tracing.provider import read, tracer, written

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
# A message is written within minutes of the last anomaly, so earlier marks are not looked at.
MINUTES_LOOKED_AT = 60
UID = "guardian.tracing"


def connect() -> None:
    """Messages are followed from the row to the send from now on."""
    post_save.connect(_message_written, sender=Notification, dispatch_uid=UID)
    look_on_sending(_sending)


def disconnect() -> None:
    """Nobody follows messages any more."""
    post_save.disconnect(sender=Notification, dispatch_uid=UID)
    look_on_sending(None)


def note_minutes(span: Span, minutes: Collection[tuple[int, int]]) -> None:
    """The traces of these abnormal minutes continue from `span`."""
    parent = written(span)
    if parent:
        _keep([TraceMark(about=_minute(*one), parent=parent) for one in sorted(minutes)])


def _keep(marks: list[TraceMark]) -> None:
    if not marks:
        return
    try:
        # A savepoint: a mark that cannot be kept must not undo the work that it is about.
        with transaction.atomic():
            TraceMark.objects.bulk_create(marks, ignore_conflicts=True)
    except DatabaseError:
        logger.warning("A trace could not be kept.", exc_info=True)


def _minute(source: int, seconds: int) -> str:
    return f"minute:{source}:{seconds}"


def _message(number: int) -> str:
    return f"message:{number}"


def _parent(about: Collection[str]) -> str:
    """Return the newest of the marks; empty if there is none."""
    found = TraceMark.objects.filter(about__in=about).order_by("-noted", "-about")
    try:
        with transaction.atomic():
            return found.values_list("parent", flat=True).first() or ""
    except DatabaseError:
        logger.warning("A trace could not be found again.", exc_info=True)
        return ""


def _origin(incident: Incident | None) -> str:
    if incident is None:
        return ""
    newest: datetime = incident.last_anomaly
    minutes = int((newest - incident.first_anomaly) / MINUTE)
    seconds = [
        int((newest - number * MINUTE).timestamp())
        for number in range(min(minutes, MINUTES_LOOKED_AT) + 1)
    ]
    return _parent([_minute(incident.source_id, one) for one in seconds])


def _message_written(sender: Any, instance: Notification, created: bool, **_: Any) -> None:
    if not created:
        return
    with _going_on(
        "write message", _origin(instance.incident), SpanKind.PRODUCER, _told(instance)
    ) as span:
        parent = written(span)
    if parent:
        _keep([TraceMark(about=_message(instance.pk), parent=parent)])


@contextmanager
def _sending(row: Notification) -> Iterator[None]:
    parent = _parent([_message(row.pk)])
    told = {**_told(row), "guardian.attempt": row.attempts}
    with _going_on("send message", parent, SpanKind.CLIENT, told):
        yield


@contextmanager
def _going_on(
    name: str, parent: str, kind: SpanKind, attributes: dict[str, str | int]
) -> Iterator[Span]:
    """Continue the trace of `parent`, with a link to the present task; without it, the task's."""
    task = get_current_span().get_span_context()
    links = [Link(task)] if parent and task.is_valid else []
    context = read(parent) if parent else None
    with tracer().start_as_current_span(
        name, context=context, kind=kind, attributes=attributes, links=links
    ) as span:
        yield span


def _told(row: Notification) -> dict[str, str | int]:
    told: dict[str, str | int] = {
        "guardian.message": row.pk,
        "guardian.kind": row.kind,
        "guardian.level": row.level,
        "guardian.channel": row.channel.kind,
    }
    if row.incident_id is not None:
        told["guardian.incident"] = row.incident_id
    return told
