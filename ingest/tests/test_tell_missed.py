"""What a stream threw away before it was read is told, once, and how much it was."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from ingest import metrics
from ingest.streaming.consuming import Consumer
from ingest.tests.makers import judge, total
from ingest.tests.streams import KafkaDoor, RedisDoor, take_all

pytestmark = pytest.mark.django_db
REPORT = b'{"status": "denied", "count": 3}'


def until(found: Callable[[], int]) -> None:
    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline


def missed() -> float:
    return float(metrics.stream_entries.labels("missed")._value.get())


@pytest.fixture
def before() -> float:
    return missed()


def test_what_was_trimmed_unread_is_told_once(valkey_url: str, before: float) -> None:
    door = RedisDoor(valkey_url)
    stream, other = door.open(), door.open("other")
    other.read(1, 0.01)
    door.send(*[REPORT] * 3)
    take_all(stream, expected=3)
    door.send(*[REPORT] * 10)
    door.redis.xtrim(door.name, maxlen=4, approximate=False)
    Consumer(stream, judge).consume_some(1, 0.1)
    for reader in (other, stream):
        Consumer(reader, judge).consume_some(100, 0.1)
    assert (missed() - before, total(), stream.waiting()) == (6, 21, 0)
    stream.close()
    other.close()


def test_nothing_is_missed_where_only_what_was_read_is_deleted(
    valkey_url: str, before: float
) -> None:
    door = RedisDoor(valkey_url)
    stream = door.open()
    for _ in range(3):
        door.send(*[REPORT] * 5)
        take_all(stream, expected=5)
        door.redis.xtrim(door.name, maxlen=0)
    assert (missed() - before, total()) == (0, 45)
    stream.close()


def test_what_was_deleted_before_it_came_again_holds_up_nothing(
    valkey_url: str, before: float
) -> None:
    door = RedisDoor(valkey_url)
    door.send(*[REPORT] * 5)
    door.open().read(5, 0.1)
    door.redis.xtrim(door.name, maxlen=1, approximate=False)
    again = door.open()
    assert Consumer(again, judge).consume_some(2, 0.1) == 1
    assert (missed() - before, total(), again.waiting()) == (4, 3, 0)
    again.close()


class Shortened:
    """The consumer of a topic whose first messages were thrown away for their age."""

    def __init__(self, consumer: Any, low: int) -> None:
        self._consumer, self._low = consumer, low

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def get_watermark_offsets(self, place: Any, **more: Any) -> tuple[int, int]:
        _low, high = self._consumer.get_watermark_offsets(place, **more)
        return self._low, high

    def consume(self, count: int, timeout: float) -> list[Any]:
        found = self._consumer.consume(count, timeout=timeout)
        return [one for one in found if one.offset() >= self._low]


def test_what_a_topic_threw_away_unread_is_told_once(kafka_door: KafkaDoor, before: float) -> None:
    kafka_door.send(*[REPORT] * 10)
    first = kafka_door.open()
    until(lambda: Consumer(first, judge).consume_some(2, 0.2))
    first.close()
    stream: Any = kafka_door.open()
    stream._consumer = Shortened(stream._consumer, 7)
    until(lambda: len(stream.read(3, 0.2)))
    stream.rewind()
    take_all(stream, expected=3)
    assert (missed() - before, total()) == (5, 15)
    stream.close()
