"""The lines of a timeline as a page shows them: what is alike is one line; none is stored."""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import timedelta
from itertools import groupby

from alerts.messages.timeline import PART_LINKED, PART_OVER, PARTS_LINKED, PARTS_OVER, SENT
from alerts.models import IncidentEvent

# What is sent to several channels leaves within this.
TOGETHER = timedelta(minutes=1)
# So many parts have a line each; of more that are alike one line tells.
FEW_PARTS = 3
OVER = "is over"


def told_together(events: Iterable[IncidentEvent]) -> list[IncidentEvent]:
    """Return the timeline with one line for what is alike.

    That is what several channels were told at the same time, and what became of many parts.
    """
    return list(_parts_together(_channels_together(events)))


def _channels_together(events: Iterable[IncidentEvent]) -> list[IncidentEvent]:
    lines: list[IncidentEvent] = []
    for event in events:
        before = lines[-1] if lines else None
        joined = _joined(before, event) if before else None
        if before and joined:
            lines[-1] = _saying(before, joined)
        else:
            lines.append(event)
    return lines


def _joined(before: IncidentEvent, event: IncidentEvent) -> str | None:
    """Return what two lines say of which the channel alone differs; None if more does."""
    if {before.kind, event.kind} != {IncidentEvent.Kind.SENT} or event.at - before.at > TOGETHER:
        return None
    mine, others = SENT.facts(before.why), SENT.facts(event.why)
    if mine is None or others is None or {**mine, "channel": others["channel"]} != others:
        return None
    return SENT.say(**{**mine, "channel": f"{mine['channel']}, {others['channel']}"})


def _parts_together(lines: Iterable[IncidentEvent]) -> Iterator[IncidentEvent]:
    for said, alike in groupby(lines, key=_said_of_part):
        run = list(alike)
        if said is None or len(run) <= FEW_PARTS:
            yield from run
            continue
        numbers = [_part_of(event) for event in run]
        many = PARTS_OVER if said == OVER else PARTS_LINKED
        why = many.say(amount=len(run), first=min(numbers), last=max(numbers), relation=said)
        yield _saying(run[0], why)


def _said_of_part(event: IncidentEvent) -> str | None:
    """Return why the line's part belongs to the incident, or that it is over; None of others."""
    if event.kind != IncidentEvent.Kind.LINKED:
        return None
    if linked := PART_LINKED.facts(event.why):
        return linked["relation"]
    return OVER if PART_OVER.facts(event.why) else None


def _part_of(event: IncidentEvent) -> int:
    facts = PART_LINKED.facts(event.why) or PART_OVER.facts(event.why) or {}
    return int(facts["part"])


def _saying(event: IncidentEvent, why: str) -> IncidentEvent:
    line = copy(event)
    line.why = why
    return line
