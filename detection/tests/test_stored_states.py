"""Of what is known of a source, only what moved is written every minute."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import F

from detection.models import Baseline
from detection.scoring.state import State
from detection.selectors import baselines
from detection.services.late import state_before
from detection.services.stored_states import state_of
from detection.services.storing import drop_learned
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import Watch, watch
from detection.services.watched import Watched
from detection.tests.makers import at, make_counts, make_source, mark_late, set_count
from ingest.models import Source

pytestmark = pytest.mark.django_db
# A minute at the end of a quarter hour, in which a bin of the season is learned.
QUARTER = 104


@pytest.fixture
def source() -> Source:
    """A source that was learned up to a minute in the middle of a quarter hour."""
    source = make_source()
    make_counts(source, range(200))
    sweep(QUARTER - 4)
    return source


def sweep(minute: int) -> Baseline:
    """Everything is judged up to a minute."""
    sweep_closed_minutes(now=at(minute + 1.5))
    row = Baseline.objects.get()
    assert row.through == at(minute)
    return row


def known_to(memory: Watch, source: Source) -> Watched:
    return memory.get([source.pk], fresh=0)[source.pk]


def is_same(one: State, other: State) -> bool:
    return one.pack() == other.pack()


def test_a_minute_writes_what_moved_and_nothing_else(source: Source) -> None:
    before = sweep(QUARTER - 3)
    after = sweep(QUARTER - 2)
    assert bytes(after.state) == bytes(before.state)
    assert after.state_version == before.state_version
    assert len(after.recent or b"") < len(after.state)
    assert is_same(state_of(after), known_to(watch, source).state)
    assert int(state_of(after).through[0]) == int(state_of(before).through[0]) + 1


def test_the_end_of_a_quarter_hour_writes_all_of_it(source: Source) -> None:
    row = sweep(QUARTER + 1)
    assert (row.recent, row.state_version, row.recent_version) == (None, row.version, row.version)
    assert is_same(State.unpack([bytes(row.state)]), known_to(watch, source).state)


def test_whoever_knows_a_source_reads_what_moved(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Watch()
    known_to(memory, source)
    sweep(QUARTER - 3)
    known_to(memory, source)
    sweep(QUARTER - 2)

    def refuse(_: Sequence[int]) -> Any:
        raise AssertionError("all of it was read")

    with monkeypatch.context() as patch:
        patch.setattr(baselines, "baselines", refuse)
        with pytest.raises(AssertionError, match="all of it"):
            known_to(Watch(), source)
        moved = known_to(memory, source)
    fresh = known_to(Watch(), source)
    assert is_same(moved.state, fresh.state)
    assert (moved.version, moved.through) == (fresh.version, fresh.through)
    assert (moved.state_version, moved.lasting) == (fresh.state_version, fresh.lasting)


def test_whoever_knows_it_from_before_the_quarter_hour_reads_all_of_it(source: Source) -> None:
    memory = Watch()
    known_to(memory, source)
    sweep(QUARTER + 1)
    sweep(QUARTER + 2)
    assert is_same(known_to(memory, source).state, known_to(Watch(), source).state)


def test_what_the_release_before_writes_is_all_there_is(source: Source) -> None:
    memory = Watch()
    known_to(memory, source)
    old = State.unpack([bytes(sweep(QUARTER - 3).state)])
    old.history[0, 0, 0] = 77
    # It knows of one column for the state, and of the version.
    Baseline.objects.update(state=old.pack()[0], version=F("version") + 1)
    assert is_same(known_to(memory, source).state, old)
    watch.forget()
    row = sweep(QUARTER - 2)
    assert row.state_version == row.version - 1
    for one in (state_of(row), known_to(memory, source).state):
        assert one.history[0, 0, 0] == 77


def test_without_what_moved_the_rest_is_still_known(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    row = sweep(QUARTER - 3)
    Baseline.objects.update(recent=bytes(row.recent or b"")[:40])
    watch.forget()
    assert is_same(known_to(watch, source).state, State.unpack([bytes(row.state)]))
    assert "The last minutes of source" in caplog.text
    row = sweep(QUARTER - 2)
    assert is_same(state_of(row), known_to(watch, source).state)


def test_what_moved_dies_with_what_was_learned(source: Source) -> None:
    sweep(QUARTER - 3)
    drop_learned(source_ids=[source.pk], now=at(QUARTER))
    assert known_to(watch, source).seen == 0
    assert Baseline.objects.get().recent is None


def test_a_state_of_another_hour_is_written_whole(source: Source) -> None:
    sweep(190)
    before = state_before(known_to(watch, source), 150)
    assert before is not None
    assert before.lasting != before.state.lasting()[0]
    set_count(source, 150, "approved", "00", 500)
    mark_late(source, 150)
    row = sweep(191)
    assert is_same(state_of(row), known_to(Watch(), source).state)
