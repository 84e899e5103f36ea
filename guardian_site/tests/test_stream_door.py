"""The consumer as a real process, killed in the middle again and again: nothing lost or double."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from guardian_site.tests.processes import ROOT, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
ENTRIES, KILLS = 3000, 3
STREAM = "reports-killed"


@pytest.fixture
def environment(tmp_path: Path, valkey_url: str) -> dict[str, str]:
    found = {
        **os.environ,
        "GUARDIAN_DATA_DIR": str(tmp_path),
        "GUARDIAN_STREAM_URL": valkey_url,
        "GUARDIAN_STREAM_NAME": STREAM,
        "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
    }
    migrate = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(migrate, cwd=ROOT, env=found, check=True)
    return found


@pytest.fixture
def broker(valkey_url: str) -> Iterator[Any]:
    server = redis.Redis.from_url(valkey_url)
    server.delete(STREAM, f"{STREAM}:dead")
    yield server
    server.close()


def consumer(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "consume_stream", "--count", "20", "--member", "one"]
    with (Path(environment["GUARDIAN_DATA_DIR"]) / "log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )


def rows(environment: dict[str, str]) -> tuple[int, int]:
    """Return the number of reports and the sum of the counts."""
    path = Path(environment["GUARDIAN_DATA_DIR"]) / "guardian.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as database:
        [found] = database.execute(
            "SELECT (SELECT count(*) FROM ingest_report)"
            " + (SELECT count(*) FROM ingest_transaction),"
            " (SELECT coalesce(sum(count), 0) FROM ingest_minutecount)"
        )
        return found[0], found[1]


def reached(environment: dict[str, str], reports: int) -> Callable[[], bool]:
    return lambda: rows(environment)[0] >= reports


def send(broker: Any, first: int, number: int) -> None:
    with broker.pipeline(transaction=False) as pipe:
        for each in range(first, first + number):
            # Every third tells no time: its entry does.
            known = {
                "timestamp": f"2026-03-04T{each // 3600:02}:{each // 60 % 60:02}:{each % 60:02}Z"
            }
            report = {"status": "approved", "count": 2, **(known if each % 3 else {})}
            pipe.xadd(STREAM, {"report": json.dumps(report)})
        pipe.execute()


def test_a_consumer_that_is_killed_loses_nothing_and_counts_nothing_twice(
    environment: dict[str, str], broker: Any
) -> None:
    send(broker, 0, ENTRIES)
    for turn in range(1, KILLS + 1):
        process = consumer(environment)
        until(reached(environment, ENTRIES * turn // (KILLS + 2)))
        process.kill()
        process.wait()
    assert rows(environment)[0] < ENTRIES
    last = consumer(environment)
    until(reached(environment, ENTRIES))
    last.send_signal(signal.SIGTERM)
    assert last.wait(30) == 0
    told = (Path(environment["GUARDIAN_DATA_DIR"]) / "log").read_text()
    assert "reports recorded, 0 put aside" in told
    assert rows(environment) == (ENTRIES, ENTRIES * 2)
    [group] = broker.xinfo_groups(STREAM)
    assert (group["pending"], group["lag"]) == (0, 0)
