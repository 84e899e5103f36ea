"""What is no report is put aside whatever its size, and nothing goes on where it cannot be."""

import pytest

from conftest import missing
from ingest.streaming.consuming import BURIED_BYTES, StreamAway
from ingest.streaming.entries import Entry, moment_of
from ingest.streaming.kafka_topic import KafkaTopic
from ingest.tests.makers import total
from ingest.tests.streams import KafkaDoor, RedisDoor, take_all

pytestmark = pytest.mark.django_db
HUGE = b"not json " * 400_000
REPORT = b'{"status": "denied", "count": 3}'


@pytest.fixture
def kafka_door() -> KafkaDoor:
    try:
        return KafkaDoor()
    except ImportError:
        missing("confluent-kafka", "pip install -r requirements-dev.txt")
        raise


def test_a_huge_message_is_put_aside_in_part_and_holds_nobody_up(kafka_door: KafkaDoor) -> None:
    sender = kafka_door.kafka.Producer(
        {"bootstrap.servers": kafka_door.servers, "message.max.bytes": 2 * len(HUGE)}
    )
    sender.produce(kafka_door.name, HUGE, partition=0)
    assert sender.flush(10) == 0
    kafka_door.send(REPORT)
    stream = kafka_door.open()
    taken = take_all(stream, expected=2)
    assert (taken.consumer.recorded, taken.consumer.buried, total()) == (1, 1, 3)
    [(kept, reason)] = kafka_door.dead()
    assert kept == HUGE[:BURIED_BYTES]
    assert "of 3,600,000 bytes the first 100,000" in reason
    stream.close()


def test_a_huge_entry_of_redis_is_put_aside_in_part(valkey_url: str) -> None:
    door = RedisDoor(valkey_url)
    door.send(HUGE)
    stream = door.open()
    take_all(stream)
    [(kept, _reason)] = door.dead()
    assert kept == HUGE[:BURIED_BYTES]
    stream.close()


def test_a_message_that_no_broker_took_is_not_put_aside(kafka_door: KafkaDoor) -> None:
    quiet = {"log_level": 0, "message.timeout.ms": 300}
    topic = KafkaTopic("127.0.0.1:1", kafka_door.name, "guardian", **quiet)
    entry = Entry("0-7", b"odd", moment_of(0), kafka_door.name)
    with pytest.raises(StreamAway, match=rf"0-7 could not be put aside in {kafka_door.name}.dead"):
        topic.bury(entry, "it is odd")
    topic.close()
