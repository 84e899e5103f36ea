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
    for (row, state), lasting in zip(readable, digests, strict=True):
        found[row.source_id] = _watched(row, state, lasting)
    return found


def state_of(row: Baseline) -> State:
    """All that a Baseline remembers; raises ValueError where it cannot be read."""
    blob = bytes(row.state)
    if _state_version(row) == row.version:
        return State.unpack([blob])
    try:
        return State.unpack_moved(blob, bytes(row.recent or b""))
    except ValueError as error:
        state = State.unpack([blob])
        # What lasts is at most a quarter hour old; so much of the evidence is lost.
        logger.warning("The last minutes of source %s are lost: %s", row.source_id, error)
        return state


def read_on(row: Baseline, known: Watched) -> Watched | None:
    """A source that is known, moved on without reading `state`; None where that has to be read."""
    if _state_version(row) != known.state_version:
        return None
    try:
        return _watched(row, known.state.moved(bytes(row.recent or b"")), known.lasting)
    except ValueError:
        return None


def _state_version(row: Baseline) -> int:
    """The version at which `state` was stored; what moved since then is in `recent`.

    A release that does not know of the two stores all of it each time, and leaves `recent` behind.
    """
    if row.state_version is None or row.recent_version != row.version:
        return row.version
    return row.state_version


def _watched(row: Baseline, state: State, lasting: bytes) -> Watched:
    return Watched(
        source_id=row.source_id,
        state=state,
        version=row.version,
        through=NEVER if row.through is None else minute_of(row.through),
        reported=NEVER if row.reported is None else minute_of(row.reported),
        live=row.live,
        state_version=_state_version(row),
        lasting=lasting,
    )


class Parts(NamedTuple):
    """What is to be written of a source: all of its state, or what moved since that was written."""

    state: bytes | None
    recent: bytes | None
    lasting: bytes


def packed(sources: Sequence[Watched]) -> dict[int, Parts]:
    """Pack what moved where the rest is what is stored already, and all of it elsewhere."""
    digests = _joined(sources).lasting()
    lasting = {one.source_id: digest for one, digest in zip(sources, digests, strict=True)}
    moved = [one for one in sources if lasting[one.source_id] == one.lasting]
    changed = [one for one in sources if lasting[one.source_id] != one.lasting]
    states = zip(changed, _joined(changed).pack(), strict=True)
    found = {one.source_id: Parts(blob, None, lasting[one.source_id]) for one, blob in states}
    recents = zip(moved, _joined(moved).pack_moving(), strict=True)
    return found | {one.source_id: Parts(None, blob, one.lasting) for one, blob in recents}


def _joined(sources: Sequence[Watched]) -> Joined:
    return Joined([one.state for one in sources])


def at_version(one: Watched, version: int, parts: Parts) -> Watched:
    """The source as it is once its parts are stored."""
    state_version = one.state_version if parts.state is None else version
    return replace(one, version=version, state_version=state_version, lasting=parts.lasting)


def row_of(one: Watched, parts: Parts) -> Baseline:
    """The Baseline to write; one without `state` for whoever leaves that column as it is."""
    return Baseline(
        source_id=one.source_id,
        state=parts.state or b"",
        recent=parts.recent,
        state_version=one.state_version,
        recent_version=one.version,
        through=moment_of(one.through),
        reported=None if one.reported == NEVER else moment_of(one.reported),
        version=one.version,
        live=one.live,
    )
