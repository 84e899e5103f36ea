"""Real parts are killed around real requests: answers stay true, and all recovers without hands."""

import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis

from conftest import missing
from deploy.bench.faults import HOUR, WORKERS, Running, run, running
from guardian_site.settings_database import RECONNECT_SECONDS
from guardian_site.tests.processes import until

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = Path("/tmp") / f"guardian-faults-{uuid4()}"
    folder.mkdir()
    with running(folder) as found:
        yield found


def ask(parts: Running, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
    """Return status, body and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers
    finally:
        connection.close()


def report(parts: Running, second: int) -> tuple[int, Any, Any]:
    at = f"2026-03-04T12:00:{second:02}Z"
    return ask(parts, "POST", "/transaction", {"timestamp": at, "status": "denied", "count": 2})


def connected(parts: Running) -> bool:
    return bool(ask(parts, "GET", "/cache/stats")[1]["connected"])


def test_without_redis_reports_are_answered_and_with_it_again_repeats_are(parts: Running) -> None:
    assert report(parts, 1)[1]["cached"] is False
    assert report(parts, 1)[1]["cached"] is True
    parts.cache.kill()
    status, answer, _headers = report(parts, 1)
    assert (status, answer["cached"], answer["metrics"]["current_count"]) == (200, False, 2)
    assert report(parts, 2)[0] == 200
    assert connected(parts) is False
    parts.cache.start()
    until(lambda: connected(parts))
    until(lambda: report(parts, 1)[1]["cached"] is True)


def test_without_a_database_nothing_is_promised_and_with_it_again_all_is_taken(
    parts: Running,
) -> None:
    assert report(parts, 3)[0] == 200
    parts.database.kill()
    status, answer, headers = report(parts, 4)
    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert "send this again" in answer["detail"]
    parts.database.start()
    # The worker that missed it looks again after the pauses of its pool; the others have not yet.
    time.sleep(RECONNECT_SECONDS)
    # Each web worker finds its dead connections at its first failure, all of them at once.
    later = [report(parts, second)[0] for second in range(4, 44)]
    assert later.count(503) < WORKERS
    assert later.count(200) + later.count(503) == 40


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/anomalies"])
def test_once_each_web_worker_missed_the_database_nobody_waits_for_it(
    parts: Running, path: str
) -> None:
    def seconds() -> float:
        began = time.monotonic()
        assert ask(parts, "GET", path)[0] >= 500
        return time.monotonic() - began

    parts.database.kill()
    try:
        longest_first = sorted((seconds() for _ in range(30)), reverse=True)
    finally:
        parts.database.start()
    assert longest_first[WORKERS] < 1
    until(lambda: all(report(parts, 50)[0] == 200 for _ in range(30)))


def test_every_part_lives_by_the_clock_of_the_host(parts: Running) -> None:
    if parts.clock is None:
        missing("cc", "apt-get install gcc libc6-dev")
    soon = {"timestamp": (datetime.now(UTC) + timedelta(minutes=30)).isoformat()}
    sent = {**soon, "status": "approved", "source": "early"}
    assert ask(parts, "POST", "/transaction", sent)[0] == 400
    parts.set_clock(HOUR)
    try:
        with psycopg.connect(parts.database.url) as database:
            [shown] = database.execute("SELECT extract(epoch FROM now())").fetchone() or [0]
        with redis.Redis.from_url(parts.cache.url) as cache:
            seconds, _ = cache.time()
        assert float(shown) == pytest.approx(time.time() + HOUR, abs=60)
        assert seconds == pytest.approx(time.time() + HOUR, abs=60)
        # It may be the right one: what would be early without it is not refused.
        assert ask(parts, "POST", "/transaction", sent)[0] == 200
    finally:
        parts.set_clock(0)
    assert ask(parts, "POST", "/transaction", {**sent, "status": "denied"})[0] == 400


def test_what_was_answered_is_there_whatever_was_killed() -> None:
    ledger, problems = run(seconds=8, clients=4, slow=300, away=0)
    assert problems == []
    assert len(ledger.answered) > 300
