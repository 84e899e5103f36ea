"""What becomes of judged minutes: stored by whoever watches, gathered by whoever rehearses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from detection import conf
from detection.clock import minute_of, moment_of
from detection.models import Checkpoint
from detection.services.judgements import anomalies_of, bands_of
from detection.services.lockstep import Judged, Lockstep
from detection.services.storing import Findings, store_advance
from detection.services.watched import NEVER, Watched

Listener = Callable[[Judged], None]


class Keeper(Protocol):
    """Takes every judged minute, then the sources at the end of each slice."""

    def take(self, judged: Judged, lockstep: Lockstep, upto: Sequence[int]) -> None:
        """One minute of the sources of a lockstep was judged and learned."""

    def store(
        self, before: Sequence[Watched], after: Sequence[Watched], last: int
    ) -> list[Watched]:
        """A slice ends; the sources that go on are returned."""


@dataclass
class Stored:
    """Keeps what the sweep and the requests find: bands, anomalies, checkpoints, baselines."""

    now: datetime
    replayed: bool = False
    listener: Listener | None = None
    found: Findings = field(default_factory=Findings)

    def take(self, judged: Judged, lockstep: Lockstep, upto: Sequence[int]) -> None:
        past_before = minute_of(self.now - conf.past_limit())
        self.found.bands += bands_of(judged)
        self.found.anomalies += anomalies_of(judged, now=self.now, past_before=past_before)
        if (judged.minutes[0] + 1) % conf.CHECKPOINT_MINUTES == 0:
            self.found.checkpoints += checkpoints(lockstep, judged.minutes[0], upto)
        if self.listener is not None:
            self.listener(judged)

    def store(
        self, before: Sequence[Watched], after: Sequence[Watched], last: int
    ) -> list[Watched]:
        found, self.found = self.found, Findings()
        found.spans = {one.source_id: (one.through + 1, last) for one in before}
        return store_advance(
            before=before, after=after, found=found, now=self.now, replayed=self.replayed
        )


@dataclass
class Rehearsed:
    """Keeps nothing: the listener hears every minute, together with the state before it."""

    listener: Callable[[Judged, Lockstep], None]

    def take(self, judged: Judged, lockstep: Lockstep, upto: Sequence[int]) -> None:
        self.listener(judged, lockstep)

    def store(
        self, before: Sequence[Watched], after: Sequence[Watched], last: int
    ) -> list[Watched]:
        return list(after)


def checkpoints(lockstep: Lockstep, minute: int, upto: Sequence[int]) -> list[Checkpoint]:
    """Checkpoints at the end of an hour that is recent enough to go back to."""
    oldest = int(conf.CHECKPOINTS_KEPT.total_seconds() // 60)
    rows = [row for row, last in enumerate(upto) if minute >= last - oldest]
    if not rows:
        return []
    blobs = lockstep.state.take(rows).pack()
    return [
        Checkpoint(
            source_id=lockstep.source_ids[row],
            through=moment_of(minute),
            state=blob,
            reported=(
                None if lockstep.reported[row] == NEVER else moment_of(lockstep.reported[row])
            ),
        )
        for row, blob in zip(rows, blobs, strict=True)
    ]
