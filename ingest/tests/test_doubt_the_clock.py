"""A wall clock that jumps is believed once it has stood for a while; meanwhile time goes on."""

import logging
from datetime import UTC, datetime

import pytest

from ingest import metrics, steady_clock
from ingest.steady_clock import SteadyClock

HOUR = 3600.0
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()


class Host:
    """A host whose wall clock can be set; what it has been up for cannot."""

    def __init__(self) -> None:
        self.up, self.ahead = 5_000.0, 0.0
        self.clock = SteadyClock(lambda: NOON + self.up - 5_000.0 + self.ahead, lambda: self.up)

    def read(self, after: float = 0.0) -> float:
        """Let time pass and return what it is, in seconds since noon."""
        self.up += after
        return self.clock.now().timestamp() - NOON


@pytest.fixture
def host() -> Host:
    return Host()


def jumps(direction: str) -> float:
    found: float = metrics.clock_jumps.labels(direction)._value.get()
    return found


def test_it_is_the_wall_clock(host: Host) -> None:
    assert host.read() == 0
    assert host.read(after=90) == 90
    assert host.clock.now().tzinfo is UTC


@pytest.mark.parametrize("seconds", [-20.0, 20.0])
def test_a_small_correction_is_followed_at_once(host: Host, seconds: float) -> None:
    host.ahead = seconds
    assert host.read(after=10) == 10 + seconds


def test_many_small_corrections_add_up(host: Host) -> None:
    for _ in range(10):
        host.ahead += 20
        host.read(after=1)
    assert host.read() == 210


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_jump_is_not_followed(host: Host, seconds: float) -> None:
    host.ahead = seconds
    assert [host.read(after=100) for _ in range(5)] == [100, 200, 300, 400, 500]


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_jump_that_is_taken_back_never_happened(host: Host, seconds: float) -> None:
    host.ahead = seconds
    host.read(after=500)
    host.ahead = 0
    assert host.read(after=500) == 1000
    host.ahead = seconds
    assert host.read(after=500) == 1500


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_jump_that_stands_is_believed(host: Host, seconds: float) -> None:
    host.ahead = seconds
    host.read(after=1)
    assert host.read(after=599) == 600
    assert host.read(after=1) == 601 + seconds
    assert host.read(after=60) == 661 + seconds


def test_a_jump_after_a_jump_has_to_stand_for_itself(host: Host) -> None:
    host.ahead = HOUR
    host.read(after=1)
    host.ahead = 2 * HOUR
    assert host.read(after=599) == 600
    assert host.read(after=599) == 1199
    assert host.read(after=1) == 1200 + 2 * HOUR


@pytest.mark.parametrize(("seconds", "latest"), [(-HOUR, 5.0), (HOUR, 5.0 + HOUR)])
def test_after_a_jump_it_may_be_as_late_as_either_clock_says(
    host: Host, seconds: float, latest: float
) -> None:
    host.ahead = seconds
    host.read(after=5)
    assert host.clock.latest().timestamp() - NOON == latest


def test_a_jump_is_told_and_counted_once(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    before = jumps("ahead")
    host.ahead = HOUR
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            host.read(after=1)
    assert jumps("ahead") == before + 1
    assert [record.getMessage() for record in caplog.records] == [
        "The clock of this host was set ahead by 3600 s: believed once it has stood for 600 s."
    ]


def test_the_clock_of_this_process_is_right() -> None:
    before, now, after = datetime.now(UTC), steady_clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert before <= steady_clock.latest() <= datetime.now(UTC)
