"""Beat sends its tasks whatever the wall clock does, and whatever it did before a restart."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import celery.app.base
import pytest
from celery import Celery

from guardian_site.celery import app
from guardian_site.schedule import BEAT_SCHEDULE
from guardian_site.steady_beat import SteadyScheduler, beat_time

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "beat-schedule")


def scheduler(file: str) -> SteadyScheduler:
    return SteadyScheduler(app=app, schedule_filename=file)


def waits(found: SteadyScheduler) -> dict[str, float]:
    """Return the seconds until each task is due; 0 if it is."""
    asked = {name: found.schedule[name].is_due() for name in BEAT_SCHEDULE}
    return {name: 0 if is_due else seconds for name, (is_due, seconds) in asked.items()}


def ran(found: SteadyScheduler, at: datetime) -> None:
    """Every task ran last at that time."""
    for entry in found.schedule.values():
        entry.last_run_at = at


def test_the_site_uses_it() -> None:
    assert app.conf.beat_scheduler == "guardian_site.steady_beat:SteadyScheduler"


def test_a_task_is_due_when_its_interval_is_over(file: str) -> None:
    found = scheduler(file)
    ran(found, beat_time() - 5 * SECOND)
    due = {name for name, seconds in waits(found).items() if seconds == 0}
    assert due == {name for name, entry in BEAT_SCHEDULE.items() if entry["schedule"] <= 5}
    found.close()


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_wall_clock_that_is_set_changes_nothing(
    file: str, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = scheduler(file)
    before = waits(found)
    wall = SimpleNamespace(now=lambda zone: datetime.now(zone) + jump)
    monkeypatch.setattr(celery.app.base, "datetime", wall)
    assert abs(app.now() - datetime.now(UTC)) > HOUR / 2
    assert waits(found) == pytest.approx(before, abs=1)
    found.close()


def test_what_ran_before_the_clock_was_set_back_is_not_waited_for(file: str) -> None:
    before = scheduler(file)
    ran(before, beat_time() + HOUR)
    before.close()
    after = scheduler(file)
    for name, seconds in waits(after).items():
        assert seconds <= BEAT_SCHEDULE[name]["schedule"]
    after.close()


def test_what_was_due_while_beat_was_down_is_due_at_once(file: str) -> None:
    before = scheduler(file)
    ran(before, beat_time() - HOUR)
    before.close()
    after = scheduler(file)
    assert set(waits(after).values()) == {0}
    after.close()


def test_beat_begins_where_its_file_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "no folder").touch()
    found = scheduler(str(tmp_path / "no folder" / "beat-schedule"))
    assert set(waits(found)) == set(BEAT_SCHEDULE)
    found.sync()
    found.close()


def test_beat_goes_on_while_the_disk_is_full(file: str) -> None:
    found = scheduler(file)
    ran(found, beat_time() - HOUR)
    with no_room():
        found.sync()
    assert set(waits(found).values()) == {0}
    ran(found, beat_time())
    found.sync()
    found.close()
    after = scheduler(file)
    assert 0 not in waits(after).values()
    after.close()


@contextmanager
def no_room() -> Iterator[None]:
    """Refuse every byte that this process writes into a file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_broker_that_is_away_is_told_in_a_line(
    file: str, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    nobody.conf.update(beat_schedule=BEAT_SCHEDULE, task_publish_retry=False)
    found = SteadyScheduler(app=nobody, schedule_filename=file)
    found.apply_entry(found.schedule["absorb-anomalies"])
    [told] = [one for one in caplog.records if one.name == "guardian_site.steady_beat"]
    assert "absorb-anomalies" in told.message
    assert told.exc_info is None
    assert len(told.message) < 300
    found.close()
