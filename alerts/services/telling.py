"""Writes the outbox: who is told of a change, and why not.

All of it happens in the caller's transaction, so a change and its messages exist together or not
at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import conf, lifecycle
from alerts.channels import adapter_of
from alerts.messages.timeline import AGAIN, TAKEN_BACK
from alerts.models import Channel, Incident, IncidentEvent, Notification
from alerts.policy import worse
from alerts.selectors.channels import channels_for
from alerts.suppression import quiet_until

Kind, State = Notification.Kind, Notification.State
# Kinds that a channel hears from its minimum level on. ASSIGNED is heard whatever the level.
BY_LEVEL = (Kind.OPENED, Kind.ESCALATED, Kind.REOPENED)
# Kinds after which a channel takes the incident for ongoing; RESOLVED ends that.
ALIVE = (*BY_LEVEL, Kind.ASSIGNED)
STATEFUL = (*ALIVE, Kind.RESOLVED)
# Kinds held back by a silence that begins while they wait, unless they were sent by hand.
HOLDABLE = (*BY_LEVEL, Kind.REMINDER)
HELD = "held:"


@dataclass(frozen=True)
class Knowledge:
    """What one channel has been told of one incident, how grave, and what waits to be told."""

    told: str | None
    level: str | None
    waiting: list[Notification]

    @property
    def waits_alive(self) -> bool:
        return any(row.kind in ALIVE for row in self.waiting)

    @property
    def waits_over(self) -> bool:
        return any(row.kind == Kind.RESOLVED for row in self.waiting)

    @property
    def may_be_over(self) -> bool:
        """It was told that it is over, or a try to tell so may have arrived without our knowing."""
        tried = any(row.kind == Kind.RESOLVED and row.attempts for row in self.waiting)
        return tried or self.told == Kind.RESOLVED


def knowledge(incident: Incident, channel: Channel) -> Knowledge:
    """Return what the channel knows; a message on its way counts as told.

    The rows stay locked: nobody begins to send what waits before the caller's transaction ends.
    """
    rows = list(
        Notification.objects.select_for_update()
        .filter(
            incident=incident,
            channel=channel,
            kind__in=(*STATEFUL, Kind.REMINDER),
            state__in=(State.PENDING, State.SENDING, State.SENT),
        )
        .order_by("id")
    )
    told = [row for row in rows if row.state != State.PENDING and row.kind in STATEFUL]
    waiting = [row for row in rows if row.state == State.PENDING]
    if not told:
        return Knowledge(None, None, waiting)
    return Knowledge(told[-1].kind, told[-1].level, waiting)


def tell_alive(
    *,
    incident: Incident,
    kind: str,
    reason: str,
    now: datetime,
    channels: Iterable[Channel] | None = None,
    occasion: str = "",
) -> list[int]:
    """Every channel that should know of the incident knows it or has a message waiting."""
    occasion = occasion or f"{kind}:{incident.reopened}"
    written = []
    for channel in channels_for(incident) if channels is None else channels:
        known = knowledge(incident, channel)
        _drop(known.waiting, (Kind.RESOLVED,), "it came back before this was sent")
        if known.waits_alive:
            _hasten(known.waiting, incident, reason, now)
            continue
        # The channels of somebody who is called or given the incident hear just that.
        said = _said(kind, known, incident) if channels is None else kind
        if said is None:
            continue
        written += _write(incident, channel, said, occasion, reason, now)
    return written


def _said(kind: str, known: Knowledge, incident: Incident) -> str | None:
    """Return which kind of message tells a channel of a change; None if it has nothing to hear."""
    graver = known.level is None or worse(incident.level, than=known.level)
    if known.may_be_over:
        return kind if kind == Kind.ESCALATED and graver else Kind.REOPENED
    if known.level is None or kind == Kind.OPENED:
        return Kind.OPENED if kind == Kind.REOPENED else kind
    # A rise may have been held back or never sent; if there was none, the channel knows all.
    return Kind.ESCALATED if graver else None


def tell_resolved(*, incident: Incident, reason: str, now: datetime) -> list[int]:
    """Every channel that knows of the incident knows, or will, that it is over.

    So does a channel that knows only of an incident that was merged into it.
    """
    knowing = list(_knowing(incident))
    written = _tell_over(incident, knowing, reason, now)
    for merged in incident.children.filter(state=lifecycle.State.MERGED).order_by("id"):
        others = [channel for channel in _knowing(merged) if channel not in knowing]
        written += _tell_over(merged, others, reason, now)
    return written


def _knowing(incident: Incident) -> Iterable[Channel]:
    told = Channel.objects.filter(notifications__incident=incident, notifications__kind__in=ALIVE)
    return told.distinct()


def _tell_over(
    incident: Incident, channels: Iterable[Channel], reason: str, now: datetime
) -> list[int]:
    written = []
    for channel in channels:
        known = knowledge(incident, channel)
        everything = (*STATEFUL, Kind.REMINDER)
        _drop(known.waiting, everything, "over before it was sent: told in one message")
        never_told = known.told is None and known.waits_alive
        if reason == TAKEN_BACK.english and not any(row.attempts for row in known.waiting):
            # There was no failure, and this channel has heard of none.
            never_told = False
        if never_told or known.told in ALIVE:
            ends = incident.notifications.filter(channel=channel, kind=Kind.RESOLVED)
            # What was split off goes on without being reopened, and may end a second time.
            occasion = f"over:{ends.count()}"
            written += _write(incident, channel, Kind.RESOLVED, occasion, reason, now)
    return written


def tell_update(*, incident: Incident, reason: str, now: datetime) -> list[int]:
    """Channels that can edit their message show the incident as it is now; others stay quiet."""
    written = []
    channels = Channel.objects.filter(notifications__incident=incident).distinct()
    for channel in channels:
        if not adapter_of(channel).edits:
            continue
        rows = Notification.objects.filter(incident=incident, channel=channel)
        # Messages that were held back, or below its level, never reached the channel.
        shown = rows.filter(kind__in=STATEFUL).exclude(state=State.SUPPRESSED)
        if rows.filter(state=State.PENDING).exists() or not shown.exists():
            # What waits is written from the incident as it is when it is sent.
            continue
        occasion = f"{Kind.UPDATED}:{rows.filter(kind=Kind.UPDATED).count()}"
        written += _write(incident, channel, Kind.UPDATED, occasion, reason, now)
    return written


def forget_joined(*, incident: Incident, root: Incident, reason: str) -> None:
    """Drop what waits to be told of a new part, where its root is told and as grave."""
    if worse(incident.level, than=root.level):
        return
    for channel in _knowing(incident):
        whole = knowledge(root, channel)
        if whole.told in ALIVE or whole.waits_alive:
            waiting = knowledge(incident, channel).waiting
            _drop(waiting, (*ALIVE, Kind.REMINDER), reason)


def tell_reminder(*, incident: Incident, reason: str, now: datetime) -> list[int]:
    """Every channel that was told of the incident is reminded of it."""
    written = []
    occasion = f"remind:{incident.events.filter(kind=IncidentEvent.Kind.REMINDED).count()}"
    for channel in Channel.objects.filter(notifications__incident=incident).distinct():
        if knowledge(incident, channel).told in ALIVE:
            written += _write(incident, channel, Kind.REMINDER, occasion, reason, now)
    return written


def tell_assigned(
    *, incident: Incident, channels: Iterable[Channel], reason: str, now: datetime
) -> list[int]:
    """The person who was given the incident is told, whatever holds the incident back."""
    occasion = f"assign:{incident.events.filter(kind=IncidentEvent.Kind.ASSIGNED).count()}"
    return tell_alive(
        incident=incident,
        kind=Kind.ASSIGNED,
        reason=reason,
        now=now,
        channels=channels,
        occasion=occasion,
    )


def forget_assigned(*, incident: Incident, reason: str) -> None:
    """Messages that tell somebody of their assignment, and still wait, are dropped."""
    waiting = Notification.objects.select_for_update().filter(
        incident=incident, kind=Kind.ASSIGNED, state=State.PENDING
    )
    _drop(list(waiting), (Kind.ASSIGNED,), reason)


def tell_held(*, incident: Incident, reason: str, now: datetime) -> None:
    """The outbox shows that nobody is told and why, once for each reason and channel."""
    for channel in channels_for(incident):
        rows = Notification.objects.filter(incident=incident, channel=channel)
        if rows.filter(state=State.SUPPRESSED, reason=reason).exists():
            continue
        Notification.objects.create(
            incident=incident,
            channel=channel,
            kind=Kind.OPENED,
            occasion=_held_occasion(incident, channel),
            level=incident.level,
            state=State.SUPPRESSED,
            reason=reason[:300],
            created=now,
            due=now,
        )


def holds(row: Notification) -> bool:
    """Say whether a silence that begins while the message waits holds it back."""
    by_hand = AGAIN.facts(row.reason) is not None
    return row.incident_id is not None and row.kind in HOLDABLE and not by_hand


def hold_waiting(*, incident: Incident, reason: str) -> list[str]:
    """What waits to be told is held back and leaves room for later; its kinds are returned."""
    rows = incident.notifications.select_for_update().filter(state=State.PENDING)
    waiting = [row for row in rows.order_by("id") if holds(row)]
    for row in waiting:
        row.occasion = _held_occasion(incident, row.channel)
        row.state, row.reason = State.SUPPRESSED, reason[:300]
        row.save(update_fields=["occasion", "state", "reason"])
    return [row.kind for row in waiting]


def _held_occasion(incident: Incident, channel: Channel) -> str:
    # Counting also those that were sent by hand since, so that no number is given twice.
    held = incident.notifications.filter(channel=channel, occasion__startswith=HELD)
    return f"{HELD}{held.count()}"


def _hasten(rows: list[Notification], incident: Incident, reason: str, now: datetime) -> None:
    """A waiting message needs no second one, but once the incident is critical it waits no more."""
    if incident.level != "CRITICAL":
        return
    for row in rows:
        if row.kind in ALIVE and row.level != "CRITICAL":
            row.level, row.due, row.reason = incident.level, min(row.due, now), reason[:300]
            # Lateness counts from now on, not from when it was held.
            row.held_until = row.held_until and min(row.held_until, now)
            row.save(update_fields=["level", "due", "held_until", "reason"])


def _drop(rows: list[Notification], kinds: tuple[str, ...], reason: str) -> None:
    for row in rows:
        if row.kind in kinds:
            row.state, row.reason = State.SUPPRESSED, reason
            row.save(update_fields=["state", "reason"])


def _write(
    incident: Incident, channel: Channel, kind: str, occasion: str, reason: str, now: datetime
) -> list[int]:
    state, due = State.PENDING, now
    if kind in BY_LEVEL and worse(channel.minimum_level, incident.level):
        state, reason = State.SUPPRESSED, f"below the channel's minimum, {channel.minimum_level}"
        occasion = f"{occasion}:{incident.level}"
    elif incident.level != "CRITICAL" and kind != Kind.UPDATED:
        due, reason = _patient(channel, kind, reason, now)
    row, created = Notification.objects.get_or_create(
        incident=incident,
        channel=channel,
        occasion=occasion[:40],
        defaults={
            "kind": kind,
            "level": incident.level,
            "state": state,
            "reason": reason[:300],
            "created": now,
            "due": due,
            "held_until": due if due > now else None,
        },
    )
    return [row.pk] if created and state == State.PENDING else []


def _patient(channel: Channel, kind: str, reason: str, now: datetime) -> tuple[datetime, str]:
    """Return when a warning is told: not in quiet hours, not before it may have become worse."""
    if until := _quiet_end(channel, now):
        return until, f"{reason}; quiet hours until {until:%H:%M} UTC"
    settling = timedelta(minutes=conf.rules().settle_minutes)
    return (now + settling if kind == Kind.OPENED else now), reason


def _quiet_end(channel: Channel, now: datetime) -> datetime | None:
    return quiet_until(
        now, zone=channel.time_zone, begin=channel.quiet_from, end=channel.quiet_until
    )
