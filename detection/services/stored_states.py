"""How a state lies in its Baseline: all of it now and then, and every minute what moved since."""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from detection.clock import minute_of, moment_of
from detection.models import Baseline
from detection.scoring.state import Joined, State
from detection.services.watched import NEVER, Watched, unread

logger = logging.getLogger(__name__)


def read(rows: Iterable[Baseline]) -> dict[int, Watched]:
    """The sources of Baselines; one that cannot be read knows nothing."""
    found: dict[int, Watched] = {}
    readable: list[tuple[Baseline, State]] = []
    for row in rows:
        try:
            readable.append((row, state_of(row)))
        except ValueError as error:
            # A state of another release: what is normal is learned again from the stored counts.
            logger.warning("The baseline of source %s starts again: %s", row.source_id, error)
            found[row.source_id] = replace(unread(row.source_id), version=row.version)
    digests = Joined([state for _, state in readable]).lasting()
    for (row, state), whole in zip(readable, digests, strict=True):
        whole_version = row.state_version if _is_in_parts(row) else row.version
        found[row.source_id] = _watched(row, state, whole_version, whole)
    return found


def state_of(row: Baseline) -> State:
    """All that a Baseline remembers; raises ValueError where it cannot be read."""
    blob = bytes(row.state)
    if not _is_in_parts(row) or not row.recent:
        return State.unpack([blob])
    try:
        return State.unpack_moved(blob, bytes(row.recent))
    except ValueError as error:
        state = State.unpack([blob])
        # What lasts is at most a quarter hour old; so much of the evidence is lost.
        logger.warning("The last minutes of source %s are lost: %s", row.source_id, error)
        return state


def read_on(row: Baseline, known: Watched) -> Watched | None:
    """A source that is known, moved on without reading `state`; None where that has to be read."""
    if not _is_in_parts(row) or row.state_version != known.whole_version or not row.recent:
        return None
    try:
        state = known.state.moved(bytes(row.recent))
    except ValueError:
        return None
    return _watched(row, state, row.state_version, known.whole)


def _is_in_parts(row: Baseline) -> bool:
    return row.recent_version == row.version and row.state_version is not None


def _watched(row: Baseline, state: State, whole_version: int | None, whole: bytes) -> Watched:
    return Watched(
        source_id=row.source_id,
        state=state,
        version=row.version,
        through=NEVER if row.through is None else minute_of(row.through),
        reported=NEVER if row.reported is None else minute_of(row.reported),
        live=row.live,
        whole_version=NEVER if whole_version is None else whole_version,
        whole=whole,
    )


class Packed(NamedTuple):
    """What is to be written of a source: all of its state, or what moved since that was written."""

    all_of_it: bytes | None
    moving: bytes | None
    whole: bytes


def packed(sources: Sequence[Watched]) -> dict[int, Packed]:
    """Pack what moved where the rest is what is stored already, and all of it elsewhere."""
    digests = _joined(sources).lasting()
    whole = {one.source_id: digest for one, digest in zip(sources, digests, strict=True)}
    moved = [one for one in sources if whole[one.source_id] == one.whole]
    changed = [one for one in sources if whole[one.source_id] != one.whole]
    states = zip(changed, _joined(changed).pack(), strict=True)
    found = {one.source_id: Packed(blob, None, whole[one.source_id]) for one, blob in states}
    recents = zip(moved, _joined(moved).pack_moving(), strict=True)
    return found | {one.source_id: Packed(None, blob, one.whole) for one, blob in recents}


def _joined(sources: Sequence[Watched]) -> Joined:
    return Joined([one.state for one in sources])


def at_version(one: Watched, version: int, written: Packed) -> Watched:
    """The source as it is once that is stored."""
    if written.all_of_it is None:
        return replace(one, version=version)
    return replace(one, version=version, whole_version=version, whole=written.whole)


def row_of(one: Watched, written: Packed) -> Baseline:
    """The Baseline to write; one without `state` for whoever leaves that column as it is."""
    return Baseline(
        source_id=one.source_id,
        state=written.all_of_it or b"",
        recent=written.moving,
        state_version=one.whole_version,
        recent_version=one.version,
        through=moment_of(one.through),
        reported=None if one.reported == NEVER else moment_of(one.reported),
        version=one.version,
        live=one.live,
    )
