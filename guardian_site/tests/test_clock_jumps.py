"""The wall clock of the host jumps under the real processes: nobody is told of it, all goes on."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.tests.standin import StandIn, stand_in
from conftest import missing
from deploy.bench.host_clock import HostClock
from guardian_site.tests.processes import Product, running, until
from guardian_site.tests.test_post_to_slack import MINUTE, USUAL

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

HOUR = 3600
HISTORY_MINUTES = 480
# Beat sends each of its tasks, and every stage looks around, at least once meanwhile.
ROUND_SECONDS = 14


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with stand_in() as vendor:
        yield vendor


@pytest.fixture
def clock(tmp_path: Path) -> HostClock:
    if not HostClock.can_be_made():
        missing("cc", "apt-get install gcc libc6-dev")
    return HostClock(tmp_path)


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def traffic(first: int, last: int = 0) -> dict[str, object]:
    """Return what was counted from so many minutes ago on; it varies a little."""
    rows = [
        {"timestamp": at.isoformat(), "status": status, "count": usual + at.minute % 5}
        for at in (this_minute() - number * MINUTE for number in range(first, last - 1, -1))
        for status, usual in USUAL.items()
    ]
    return {"transactions": rows}


def live(product: Product) -> None:
    """Report as time truly passes, for a while."""
    for _ in range(ROUND_SECONDS // 2):
        product.post("/transactions/batch", traffic(1))
        time.sleep(2)


def test_an_hour_ahead_and_an_hour_back_change_nothing(
    tmp_path: Path, slack: StandIn, clock: HostClock
) -> None:
    told = {"SLACK_WEBHOOK_URL": f"{slack.url}/hook", "GUARDIAN_RATE_LIMIT": "off"}
    with running(tmp_path, **told, **clock.environment) as product:
        until(lambda: product.get("/health")["components"]["tasks"] == "ok")
        product.post("/transactions/batch", traffic(HISTORY_MINUTES))
        until(lambda: product.get("/health")["components"]["detection"] == "ok")
        for ahead in (HOUR, 0, -HOUR, 0):
            clock.set(ahead)
            live(product)
            parts = product.get("/health")["parts"]
            states = {name: parts[name]["state"] for name in ("tasks", "detection", "way")}
            assert set(states.values()) <= {"ok", "idle"}, states
            assert 0 <= parts["tasks"]["age_seconds"] < ROUND_SECONDS
            assert parts["detection"]["age_seconds"] > 0
        assert slack.asked == []
        assert product.stop() == 0
    assert "was set ahead by 3600 s" in (tmp_path / "log").read_text()
