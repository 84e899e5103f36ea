"""Streams for the tests: a Valkey's, and a topic of the broker that Kafka's own client brings."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import redis

from ingest.assessment import Assess
from ingest.streaming.consuming import Consumer
from ingest.streaming.entries import Entry, Stream
from ingest.streaming.kafka_topic import KafkaTopic
from ingest.streaming.redis_stream import RedisStream
from ingest.tests.makers import judge


class Door(Protocol):
    """One stream that a test writes to, and whose consumers it opens."""

    def send(self, *bodies: object) -> None: ...

    def open(self, member: str = "one") -> Stream: ...

    def dead(self) -> list[tuple[bytes, str]]: ...


def encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


class RedisDoor:
    def __init__(self, url: str) -> None:
        self.url, self.name = url, f"reports-{uuid4()}"
        self.redis = redis.Redis.from_url(url)

    def send(self, *bodies: object) -> None:
        for body in bodies:
            self.redis.xadd(self.name, {"report": encoded(body)})

    def send_fields(self, **fields: str) -> None:
        self.redis.xadd(self.name, fields)  # type: ignore[arg-type]

    def open(self, member: str = "one", stale: int = 60_000) -> Stream:
        return RedisStream(self.url, self.name, "guardian", member, stale)

    def dead(self) -> list[tuple[bytes, str]]:
        rows: Any = self.redis.xrange(f"{self.name}:dead")
        return [(fields[b"report"], fields[b"reason"].decode()) for _id, fields in rows]


class KafkaDoor:
    def __init__(self) -> None:
        import confluent_kafka

        self.kafka, self.name = confluent_kafka, f"reports-{uuid4()}"
        mock = {"bootstrap.servers": "none:1", "test.mock.num.brokers": 1, "log_level": 0}
        self.producer = confluent_kafka.Producer(mock)
        [broker] = self.producer.list_topics(self.name, timeout=10).brokers.values()
        self.servers = f"{broker.host}:{broker.port}"

    def send(self, *bodies: object) -> None:
        for body in bodies:
            self.producer.produce(self.name, encoded(body), partition=0)
        assert self.producer.flush(10) == 0

    def open(self, member: str = "one") -> Stream:
        more = {"log_level": 0, "session.timeout.ms": 6000}
        return KafkaTopic(self.servers, self.name, "guardian", **more)

    def dead(self) -> list[tuple[bytes, str]]:
        reader = self.kafka.Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": str(uuid4()),
                "auto.offset.reset": "earliest",
            }
        )
        partitions = self.producer.list_topics(f"{self.name}.dead", timeout=10)
        reader.assign(
            [
                self.kafka.TopicPartition(f"{self.name}.dead", number, 0)
                for number in partitions.topics[f"{self.name}.dead"].partitions
            ]
        )
        try:
            found: list[Any] = reader.consume(10, timeout=3)
            return [(one.value(), dict(one.headers())["reason"].decode()) for one in found]
        finally:
            reader.close()


class Handed:
    """A stream that hands out what it was given."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = list(entries)

    def read(self, count: int, seconds: float) -> Sequence[Entry]:
        given, self.entries = self.entries, []
        return given

    def acknowledge(self, entries: Sequence[Entry]) -> None: ...

    def rewind(self) -> None: ...

    def bury(self, entry: Entry, reason: str) -> None: ...

    def waiting(self) -> int | None:
        return None

    def missed(self) -> int:
        return 0

    def close(self) -> None: ...


@dataclass
class Taken:
    """What a consumer took until nothing came any more."""

    entries: int
    consumer: Consumer


def take_all(stream: Stream, assess: Assess = judge, expected: int = 1) -> Taken:
    """Consume until `expected` entries came: the first read of a group may take some seconds."""
    consumer, entries = Consumer(stream, assess), 0
    deadline = time.monotonic() + 20
    while entries < expected and time.monotonic() < deadline:
        entries += consumer.consume_some(100, 0.2)
    return Taken(entries, consumer)
