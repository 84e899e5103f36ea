"""Sends what the outbox holds: lease, try, record.

A message is marked before the risky call and again after it. What dies in between is seen by its
lease and tried again: sent twice at worst, never zero times.
"""

import logging
import random
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from alerts import conf
from alerts.channels import ChannelError, Outgoing, Receipt, adapter_of
from alerts.channels.base import ERROR_AT_MOST, why_lacking
from alerts.channels.hiding import without_secrets
from alerts.messages import brief_of
from alerts.messages.timeline import AGAIN, SENT
from alerts.models import Channel, Incident, IncidentEvent, Notification
from alerts.onlookers import sending
from alerts.retries import next_try
from alerts.selectors.charts import chart_address, chart_png
from alerts.selectors.naming import sources_named
from alerts.selectors.outbox import WAITING, due_channels, sendable
from alerts.selectors.suppression import suppression_of
from alerts.services.announcing import hold_back
from alerts.services.canary import note_delivery
from alerts.services.channels import disable_channel
from alerts.services.failover import hand_to_backup
from alerts.services.telling import ALIVE, holds
from alerts.services.timeline import note

logger = logging.getLogger(__name__)
Kind, State = Notification.Kind, Notification.State
MINUTE = timedelta(minutes=1)


def send_due_notifications(*, now: datetime, channel: int | None = None) -> list[int]:
    """Every message that was due is sent, or says why not and when it is tried again.

    Returns
    -------
    list of int
        The notifications that were sent.
    """
    begun = time.monotonic()
    sent: list[int] = []
    for number in [channel] if channel is not None else due_channels(now=now):
        for _ in range(conf.BATCH):
            if time.monotonic() - begun > conf.SEND_BUDGET_SECONDS:
                return sent
            row = lease_next(channel=number, now=now)
            if row is None:
                break
            tried = time.monotonic()
            if send_leased(row=row, now=now):
                sent.append(row.pk)
            elif time.monotonic() - tried > conf.HANGS_AFTER_SECONDS:
                _rest(number, now + timedelta(seconds=time.monotonic() - begun))
                break
    return sent


def _rest(channel: int, now: datetime) -> None:
    """A vendor that hangs is left alone for a moment, so that others come first."""
    free = Q(paused_until=None) | Q(paused_until__lt=now + conf.RESTS)
    Channel.objects.filter(free, pk=channel).update(paused_until=now + conf.RESTS)


def lease_next(*, channel: int, now: datetime) -> Notification | None:
    """The channel's next message is leased to the caller alone; None if nothing may go now."""
    with transaction.atomic():
        # The channel's row orders its senders: of two, one finds nothing left to lease.
        place = Channel.objects.select_for_update(skip_locked=True, no_key=True)
        held = place.filter(pk=channel).first()
        if held is None or _spent(held, now) or _is_sent_in(held, now):
            return None
        row = _first_in_line(channel, now)
        if row is None:
            return None
        claimed = sendable(now=now).filter(pk=row.pk)
        # Said of the row itself, it is looked at again where the row was dropped meanwhile.
        as_found = Notification.objects.filter(state=row.state, attempts=row.attempts)
        taken = as_found.filter(pk__in=claimed.values("pk")).update(
            state=State.SENDING, leased_until=now + conf.LEASE, attempts=row.attempts + 1
        )
        if not taken:
            return None
    row.refresh_from_db()
    return row


def _first_in_line(channel: int, now: datetime) -> Notification | None:
    earlier = Notification.objects.filter(
        # What waits for the morning is not in line: the critical news after it passes it.
        Q(due__lte=now) | Q(attempts__gt=0),
        incident=OuterRef("incident"),
        channel=OuterRef("channel"),
        id__lt=OuterRef("id"),
        state__in=WAITING,
    )
    return (
        sendable(now=now)
        .filter(channel=channel)
        .exclude(Exists(earlier))
        .order_by("level", "id")
        .first()
    )


def _spent(channel: Channel, now: datetime) -> bool:
    recent = channel.notifications.filter(state=State.SENT, sent__gt=now - MINUTE, sent__lte=now)
    return recent.count() >= channel.per_minute


def _is_sent_in(channel: Channel, now: datetime) -> bool:
    """Tell whether somebody has just begun to send: a vendor that hangs has one worker at most."""
    lately = now + conf.LEASE - conf.SENDS_ALONE
    return channel.notifications.filter(state=State.SENDING, leased_until__gt=lately).exists()


def send_leased(*, row: Notification, now: datetime) -> bool:
    """The leased message is sent, or waits for its next try, or is dead and says why."""
    row = Notification.objects.select_related("channel", "incident__source").get(pk=row.pk)
    if _superseded(row) or _held(row, now):
        return False
    try:
        with sending(row):
            receipt = _send(row, now)
    except ChannelError as error:
        _record_failure(row, error, now)
        return False
    except Exception as error:
        # A fault of ours in one message must not stop the others, nor be lost.
        logger.exception("notification %s: %s", row.pk, error)
        _record_failure(row, ChannelError(f"{type(error).__name__}: {error}"), now)
        return False
    _record_success(row, receipt, now)
    return True


def _superseded(row: Notification) -> bool:
    """Drop a message that waited so long that a later one says all of it."""
    if row.incident_id is None or row.kind not in ALIVE or row.stands_in_for_id:
        return False
    with transaction.atomic():
        later = Notification.objects.filter(
            incident=row.incident_id,
            channel=row.channel_id,
            id__gt=row.pk,
            kind=Kind.RESOLVED,
            state=State.PENDING,
        )
        if not later.exists():
            return False
        # Nothing was tried under this lease; the later message reads `attempts` to know that.
        why = "over before it was sent: told in one message"
        _finish(row, state=State.SUPPRESSED, reason=why, attempts=row.attempts - 1)
    return True


def _held(row: Notification, now: datetime) -> bool:
    """Hold the message back, and all others that wait, if a silence or window began meanwhile."""
    if row.incident is None or not holds(row) or suppression_of(row.incident, now=now) is None:
        return False
    with transaction.atomic():
        locked = Incident.objects.select_for_update(of=("self",)).select_related("source")
        incident = locked.get(pk=row.incident.pk)
        held = suppression_of(incident, now=now)
        if held is None:
            return False
        if _finish(row, state=State.PENDING, attempts=row.attempts - 1):
            hold_back(incident=incident, reason=held, now=now)
    return True


def _send(row: Notification, now: datetime) -> Receipt:
    adapter = adapter_of(row.channel)
    if lacking := adapter.lacking(row.channel):
        missing = why_lacking(row.channel, lacking)
        raise ChannelError(f"the channel lacks its settings: {missing}", permanent=True)
    try:
        return adapter.send(row.channel, outgoing(row=row, now=now))
    except ChannelError as error:
        raise ChannelError(
            without_secrets(str(error), row.channel),
            permanent=error.permanent,
            retry_after=error.retry_after,
        ) from None


def outgoing(*, row: Notification, now: datetime) -> Outgoing:
    """Return the message as it stands now, whatever it was when its row was written."""
    key = key_of(row.pk)
    if row.incident is None:
        content = row.content or {}
        return Outgoing(
            key=key,
            kind=row.kind,
            title=content.get("title", ""),
            text=content.get("text", ""),
            tried=row.attempts > 1,
        )
    return Outgoing(
        key=key,
        kind=row.kind,
        brief=brief_of(
            row.incident,
            kind=row.kind,
            language=row.channel.speaks,
            now=now,
            seen=sources_named(row.channel, row.incident),
        ),
        reference=reference_of(row),
        image=chart_address(row.incident),
        picture=chart_png(row.incident) if row.channel.kind == Channel.Kind.EMAIL else b"",
        tried=row.attempts > 1,
        replaced=tuple(key_of(number) for number in _replaced(row)),
    )


def key_of(number: int) -> str:
    """Return what tells the vendor that two tries are of one message."""
    return f"guardian-{number}"


def _replaced(row: Notification) -> list[int]:
    """Return what was tried, may have arrived, and was then left to this message to tell."""
    dropped = Notification.objects.filter(
        incident=row.incident_id,
        channel=row.channel_id,
        id__lt=row.pk,
        state=State.SUPPRESSED,
        attempts__gt=0,
        kind__in=ALIVE,
    )
    return list(dropped.order_by("-id").values_list("pk", flat=True))


def reference_of(row: Notification) -> str:
    """Return the vendor's name for what the channel already shows of the incident."""
    known = Notification.objects.filter(
        incident=row.incident_id, channel=row.channel_id, state=State.SENT
    ).exclude(reference="")
    return known.order_by("-id").values_list("reference", flat=True).first() or ""


def _finish(row: Notification, **values: object) -> bool:
    """Record an outcome, if the lease is still ours: whoever took it over records theirs."""
    ours = Notification.objects.filter(
        pk=row.pk, state=State.SENDING, leased_until=row.leased_until, attempts=row.attempts
    )
    return bool(ours.update(leased_until=None, **values))


def _record_success(row: Notification, receipt: Receipt, now: datetime) -> None:
    left_out = receipt.left_out[:ERROR_AT_MOST]
    with transaction.atomic():
        ours = _finish(
            row, state=State.SENT, sent=now, last_error=left_out, reference=receipt.reference[:200]
        )
        if ours and row.kind == Kind.CANARY:
            note_delivery(text=str((row.content or {}).get("text", "")), now=now)
        if ours and row.incident is not None:
            why = SENT.say(kind=row.kind, channel=row.channel, said=row.reason)
            note(incident=row.incident, kind=IncidentEvent.Kind.SENT, at=now, why=why)


def _record_failure(row: Notification, error: ChannelError, now: datetime) -> None:
    logger.warning("notification %s to %s: %s", row.pk, row.channel, error)
    with transaction.atomic():
        if error.permanent or now - row.waits_since > conf.GIVE_UP_AFTER:
            _bury(row, error, now)
            return
        due = next_try(row.attempts, now=now, retry_after=error.retry_after, chance=random.random())
        _finish(row, state=State.PENDING, due=due, last_error=str(error)[:500])
        if error.retry_after is not None:
            # The vendor's limit is for the whole channel, not for this message.
            Channel.objects.filter(pk=row.channel_id).update(paused_until=due)
        if row.level == "CRITICAL" and now - row.waits_since > conf.STUCK_AFTER:
            hand_to_backup(row=row, reason=f"stuck in {row.channel}: {error}", now=now)


def _bury(row: Notification, error: ChannelError, now: datetime) -> None:
    if not _finish(row, state=State.DEAD, last_error=str(error)[:500]):
        return
    if error.permanent:
        disable_channel(channel=row.channel, reason=str(error), now=now)
    if row.incident is not None:
        why = SENT.say(kind=row.kind, channel=row.channel, said=error)
        note(incident=row.incident, kind=IncidentEvent.Kind.FAILED, at=now, why=why)
    hand_to_backup(row=row, reason=f"{row.channel} failed: {error}", now=now)
    if error.permanent:
        stranded = Notification.objects.filter(channel=row.channel_id, state=State.PENDING)
        for other in stranded.select_related("channel__backup", "incident").order_by("id"):
            hand_to_backup(row=other, reason=f"{row.channel} failed: {error}", now=now)


def resend(*, notification_id: int, actor: str, now: datetime) -> Notification:
    """The message waits in the outbox again, as if it had never been tried."""
    row = Notification.objects.get(pk=notification_id)
    again = Notification.objects.filter(
        pk=row.pk, state__in=(State.DEAD, State.SUPPRESSED, State.SENT)
    )
    if not again.update(
        state=State.PENDING,
        due=now,
        created=now,
        held_until=None,
        attempts=0,
        leased_until=None,
        last_error="",
        reason=AGAIN.say(who=actor)[:300],
    ):
        raise ValueError(f"Notification {row.pk} already waits to be sent.")
    row.refresh_from_db()
    return row
