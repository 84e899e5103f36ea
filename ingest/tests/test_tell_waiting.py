"""How many entries wait is told while the database is away, and not told while the stream is."""

import math
from typing import Any

import pytest
from django.db import OperationalError, connection

from ingest import metrics
from ingest.streaming import consuming
from ingest.streaming.consuming import Consumer, consume
from ingest.streaming.entries import Stream
from ingest.tests.makers import judge
from ingest.tests.streams import RedisDoor

pytestmark = pytest.mark.django_db
REPORT = b'{"status": "denied", "count": 3}'


@pytest.fixture(autouse=True)
def nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.stream_waiting.set(0)
    monkeypatch.setattr(connection, "close", lambda: None)


def try_once(stream: Stream) -> None:
    asked = iter([False])
    consume(
        consumer=Consumer(stream, judge),
        stopping=lambda: next(asked, True),
        seconds=0.1,
        pause=lambda _seconds: None,
    )
    stream.close()


def told() -> float:
    [family] = metrics.stream_waiting.collect()
    return float(family.samples[0].value)


def test_what_piles_up_without_a_database_is_told(
    valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_given: Any) -> Any:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(consuming, "record_and_judge", gone)
    door = RedisDoor(valkey_url)
    door.send(REPORT, REPORT, REPORT)
    try_once(door.open())
    assert told() == 3


def test_what_waits_in_a_stream_that_is_away_is_unknown() -> None:
    try_once(RedisDoor("redis://127.0.0.1:1/0").open())
    assert math.isnan(told())
