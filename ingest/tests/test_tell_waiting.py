"""How many entries wait is told while the database is away, and not told while the stream is."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection

from ingest import metrics
from ingest.streaming import consuming, kafka_topic
from ingest.streaming.consuming import Consumer, consume
from ingest.streaming.entries import Stream
from ingest.streaming.kafka_topic import KafkaTopic
from ingest.tests.makers import judge
from ingest.tests.streams import KafkaDoor, RedisDoor

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


def test_what_waits_is_unknown_where_no_broker_ever_answered(
    kafka_door: KafkaDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_topic, "ANSWER_SECONDS", 0.2)
    try_once(KafkaTopic("127.0.0.1:1", kafka_door.name, "guardian", log_level=0))
    assert math.isnan(told())


class NoSuchTopic:
    """A consumer whose topic nobody has made; the broker of the tests makes each by itself."""

    def __init__(self, consumer: Any, error: Any) -> None:
        self._consumer, self._topic = consumer, SimpleNamespace(error=error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def list_topics(self, name: str, timeout: float) -> Any:
        return SimpleNamespace(topics={name: self._topic})


def test_a_topic_that_is_not_there_is_told_once(
    kafka_door: KafkaDoor, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "TOLD_EVERY", 0.0)
    stream: Any = kafka_door.open()
    kinds = kafka_door.kafka.KafkaError
    stream._consumer = NoSuchTopic(stream._consumer, kinds(kinds.UNKNOWN_TOPIC_OR_PART))
    consumer = Consumer(stream, judge)
    for _ in range(2):
        consumer.tell_waiting()
    assert math.isnan(told())
    assert caplog.text.count(f"topic {kafka_door.name}: Broker: Unknown topic") == 1
    stream.close()


@pytest.mark.parametrize(
    ("acknowledged", "waits"), [(4, 6), (1, 7), (25, 7)], ids=["as usual", "thrown away", "anew"]
)
def test_what_waits_is_what_will_be_read(
    kafka_door: KafkaDoor, acknowledged: int, waits: int
) -> None:
    stream: Any = kafka_door.open()
    known = SimpleNamespace(offset=acknowledged)
    stream._consumer = SimpleNamespace(
        assignment=lambda: [known],
        committed=lambda asked, timeout: asked,
        get_watermark_offsets=lambda one, timeout: (3, 10),
    )
    assert stream.waiting() == waits


def test_a_name_that_kafka_never_takes_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match=r"guardian:reports cannot be .* Set GUARDIAN_STREAM_NAME"):
        KafkaTopic("127.0.0.1:1", "guardian:reports", "guardian")
