"""The main job, driven through the real processes: from POST to the message Slack received."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.tests.standin import StandIn, stand_in
from guardian_site.tests.processes import running, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

MINUTE = timedelta(minutes=1)
HISTORY = timedelta(hours=8)
USUAL = {"approved": 100, "denied": 6}
SURGE, SURGE_MINUTES = 60, 6
# Several rounds of absorbing and sending: a second message would have come by then.
QUIET_SECONDS = 10


def traffic(end: datetime) -> list[dict[str, object]]:
    """Return hours of traffic whose counts vary a little; its last minutes deny too much."""
    minutes = int(HISTORY / MINUTE)
    return [
        {"timestamp": (end - number * MINUTE).isoformat(), "status": status, "count": count}
        for number in range(minutes, 0, -1)
        for status, count in _counts(number)
    ]


def _counts(minutes_ago: int) -> Iterator[tuple[str, int]]:
    surge = SURGE if minutes_ago <= SURGE_MINUTES else 0
    for status, usual in USUAL.items():
        yield status, usual + minutes_ago % 5 + (surge if status == "denied" else 0)


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with stand_in() as vendor:
        yield vendor


def test_one_incident_is_told_once(tmp_path: Path, slack: StandIn) -> None:
    with running(tmp_path, SLACK_WEBHOOK_URL=f"{slack.url}/hook") as product:
        until(lambda: product.get("/health")["components"]["tasks"] == "ok")
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        product.post("/transactions/batch", {"transactions": traffic(minute)})
        until(lambda: slack.asked)
        time.sleep(QUIET_SECONDS)
        assert len(slack.asked) == 1
        assert "Denials" in str(slack.asked[0].json)
        assert product.stop() == 0


def test_a_dead_worker_is_seen_and_comes_back(tmp_path: Path) -> None:
    with running(tmp_path) as product:
        until(lambda: product.get("/health")["components"]["worker"] == "ok")
        first = product.children()["worker"]
        os.kill(first, signal.SIGKILL)
        until(lambda: product.children().get("worker") not in (None, first))
        assert product.get("/health/ready") == {"status": "ready"}
        assert product.stop() == 0
    assert "worker ended with -9" in (tmp_path / "log").read_text()
