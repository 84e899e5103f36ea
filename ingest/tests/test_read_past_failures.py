"""A failure that a broker hands out among messages costs none of them."""

from collections.abc import Sequence
from typing import Any

import pytest

from conftest import missing
from ingest.streaming.consuming import StreamAway
from ingest.tests.makers import total
from ingest.tests.streams import KafkaDoor, take_all

pytestmark = pytest.mark.django_db


REPORT = b'{"status": "denied", "count": 2}'


class Failure:
    """What stands in a message's place where it cannot be read: packed in an unknown way, say."""

    def __init__(self, error: Any) -> None:
        self.error = lambda: error


class Failing:
    """The consumer of a topic, which fails once behind what it read."""

    def __init__(self, consumer: Any, failure: Failure) -> None:
        self._consumer, self._failures = consumer, [failure]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def consume(self, count: int, timeout: float) -> Sequence[Any]:
        found: list[Any] = self._consumer.consume(count, timeout=timeout)
        return [*found, self._failures.pop()] if found and self._failures else found


class Unsaid(Failing):
    """A consumer whose brokers do not say where its group is."""

    def __init__(self, consumer: Any, kafka: Any) -> None:
        super().__init__(consumer, Failure(None))
        self._failures, self._kafka = [], kafka

    def committed(self, places: Sequence[Any], timeout: float) -> Any:
        raise self._kafka.KafkaException(self._kafka.KafkaError(self._kafka.KafkaError._TIMED_OUT))


def test_what_came_before_a_failure_is_read_again() -> None:
    try:
        door = KafkaDoor()
    except ImportError:
        missing("confluent-kafka", "pip install -r requirements-dev.txt")
    door.send(*(b'{"status": "denied", "count": 2}' for _ in range(3)))
    stream: Any = door.open()
    error = door.kafka.KafkaError(door.kafka.KafkaError._BAD_COMPRESSION)
    stream._consumer = Failing(stream._consumer, Failure(error))
    with pytest.raises(StreamAway):
        take_all(stream)
    stream.rewind()
    door.send(b'{"status": "denied", "count": 2}')
    assert take_all(stream, expected=4).consumer.recorded == 4
    assert total() == 8
    stream.close()


def test_what_cannot_be_asked_about_is_read_again(kafka_door: KafkaDoor) -> None:
    for place in range(3):
        kafka_door.producer.produce(kafka_door.name, REPORT, partition=place)
    assert kafka_door.producer.flush(10) == 0
    stream: Any = kafka_door.open()
    consumer = stream._consumer
    stream._consumer = Unsaid(consumer, kafka_door.kafka)
    with pytest.raises(StreamAway):
        take_all(stream)
    stream._consumer = consumer
    stream.rewind()
    assert take_all(stream, expected=3).consumer.recorded == 3
    assert total() == 6
    stream.close()
