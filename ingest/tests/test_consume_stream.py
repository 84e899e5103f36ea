"""Reports from a stream count once, whatever dies and whatever comes again. Redis and Kafka."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from pytest_django import Settings

from ingest.models import MinuteCount, Report, Source
from ingest.services.answering import record_and_judge
from ingest.streaming import consuming, redis_stream
from ingest.streaming.consuming import Consumer, StreamAway, consume
from ingest.streaming.entries import Entry, Stream, moment_of
from ingest.streaming.kafka_topic import KafkaTopic
from ingest.tests.makers import NOON, judge, total
from ingest.tests.streams import Door, Handed, KafkaDoor, RedisDoor, take_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis_door(valkey_url: str) -> RedisDoor:
    return RedisDoor(valkey_url)


@pytest.fixture(params=["redis", "kafka"])
def door(request: pytest.FixtureRequest) -> Door:
    found: Door = request.getfixturevalue(f"{request.param}_door")
    return found


@pytest.fixture
def stream(door: Door) -> Iterator[Stream]:
    opened = door.open()
    yield opened
    opened.close()


def body(seconds: int = 0, count: int = 5, **more: Any) -> dict[str, Any]:
    moment = NOON.replace(second=seconds % 60, minute=seconds // 60)
    return {"timestamp": moment.isoformat(), "status": "approved", "count": count, **more}


def test_every_entry_is_recorded_and_acknowledged(door: Door, stream: Stream) -> None:
    door.send(*(body(seconds) for seconds in range(250)))
    taken = take_all(stream, expected=250)
    assert (taken.entries, taken.consumer.recorded, taken.consumer.buried) == (250, 250, 0)
    assert total() == 1250
    assert stream.waiting() == 0


def test_the_same_report_again_counts_once_and_another_count_corrects(
    door: Door, stream: Stream
) -> None:
    door.send(body(), body(), body(count=7))
    take_all(stream, expected=3)
    assert total() == 7


def test_entries_without_a_time_are_counted_each_and_once(door: Door, stream: Stream) -> None:
    door.send(*({"status": "approved", "count": 3} for _ in range(40)))
    taken = take_all(stream, expected=40)
    assert (taken.consumer.recorded, total()) == (40, 120)


def test_messages_of_one_moment_in_several_partitions_are_counted_each() -> None:
    body = b'{"status": "denied", "count": 3}'
    entries = [Entry(f"{place}-41", body, moment_of(1_772_625_600_000), "t") for place in range(3)]
    for _ in range(2):
        Consumer(Handed(entries), judge).consume_some(10, 0)
    assert total() == 9


@pytest.mark.parametrize("named", [{}, {"id": "t1"}], ids=["counts", "a transaction"])
@pytest.mark.parametrize("ahead", [None, timedelta(minutes=1)], ids=["past", "clock ahead"])
def test_an_entry_that_comes_again_undoes_no_later_correction(
    named: dict[str, Any], ahead: timedelta | None
) -> None:
    began = NOON if ahead is None else datetime.now(UTC) + ahead
    first, correction = (
        Entry(f"{count}-0", json.dumps(body(count=count, **named)).encode(), at, "t")
        for at, count in ((began, 10), (began + timedelta(seconds=5), 20))
    )
    for entry in (first, correction, first):
        Consumer(Handed([entry]), judge).consume_some(10, 0)
    assert total() == 20


def test_an_hour_that_comes_twice_is_that_in_which_the_entry_was_written() -> None:
    Source.objects.create(name="shop", time_zone="America/New_York")
    body = b'{"timestamp": "2025-11-02T01:30", "status": "denied", "count": 3, "source": "shop"}'
    written = [datetime(2025, 11, 2, hour, 30, 5, tzinfo=UTC) for hour in (5, 6)]
    entries = [Entry(f"{moment:%H}", body, moment, "t") for moment in written]
    Consumer(Handed(entries), judge).consume_some(10, 0)
    found = MinuteCount.objects.order_by("minute").values_list("minute", flat=True)
    assert list(found) == [moment.replace(second=0) for moment in written]


def test_what_is_no_report_is_put_aside_with_the_reason(door: Door, stream: Stream) -> None:
    door.send(b"not json", body(), {"status": "lost", "count": -1}, body(seconds=1))
    taken = take_all(stream, expected=4)
    assert (taken.consumer.recorded, taken.consumer.buried) == (2, 2)
    assert stream.waiting() == 0
    first, second = door.dead()
    assert first[0] == b"not json"
    assert "is not JSON" in first[1]
    assert "status must be one of" in second[1]
    assert "count must be" in second[1]


def test_a_card_number_is_kept_nowhere(door: Door, stream: Stream) -> None:
    door.send(body(id="4111111111111111"))
    take_all(stream)
    [(kept, reason)] = door.dead()
    assert kept == b"(withheld)"
    assert "4111111111111111" not in reason


def test_a_source_nobody_knows_is_put_aside_where_keys_are_required(
    door: Door, stream: Stream, settings: Settings
) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    Source.objects.create(name="known")
    door.send(body(source="known"), body(source="stranger"))
    taken = take_all(stream, expected=2)
    assert (taken.consumer.recorded, taken.consumer.buried) == (1, 1)
    assert "is not known" in door.dead()[0][1]


def test_what_was_not_committed_is_read_again(
    door: Door, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.send(*(body(seconds) for seconds in range(30)))
    real, calls = record_and_judge, list[int]()

    def fails_twice(**given: Any) -> Any:
        calls.append(len(given["reports"]))
        if len(calls) <= 2:
            raise OperationalError("the server closed the connection")
        return real(**given)

    monkeypatch.setattr(consuming, "record_and_judge", fails_twice)
    monkeypatch.setattr(connection, "close", lambda: None)
    consumer = Consumer(stream, judge)
    consume(
        consumer=consumer,
        stopping=lambda: consumer.recorded >= 30 or len(calls) > 40,
        count=7,
        seconds=0.2,
        pause=lambda _seconds: None,
    )
    assert total() == 150
    assert Report.objects.count() == 30
    assert stream.waiting() == 0


def test_a_report_without_a_time_counts_once_though_it_comes_twice(door: Door) -> None:
    door.send(*({"status": "denied", "count": 2} for _ in range(20)))
    for _ in range(2):
        again = door.open()
        consumer = Consumer(again, judge)
        monkey = consumer.stream.acknowledge
        # The first dies after the commit, before it could acknowledge.
        consumer.stream.acknowledge = lambda entries: None  # type: ignore[method-assign]
        taken = 0
        for _attempt in range(60):
            taken += consumer.consume_some(100, 0.2)
            if taken >= 20:
                break
        consumer.stream.acknowledge = monkey  # type: ignore[method-assign]
        again.close()
        assert taken == 20
    assert total() == 40


def test_one_that_the_database_refuses_does_not_hold_up_the_others(
    door: Door, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.send(body(0), body(1, source="odd"), body(2))
    real = record_and_judge

    def refuses_odd(**given: Any) -> Any:
        if any(report.source.name == "odd" for report in given["reports"]):
            raise DataError("out of range")
        return real(**given)

    monkeypatch.setattr(consuming, "record_and_judge", refuses_odd)
    taken = take_all(stream, expected=3)
    assert (taken.consumer.recorded, taken.consumer.buried) == (2, 1)
    assert "DataError" in door.dead()[0][1]


def test_fields_of_an_entry_may_be_a_report(redis_door: RedisDoor) -> None:
    redis_door.send_fields(status="denied", auth_code="51", count="3", source="shop")
    stream = redis_door.open()
    take_all(stream)
    found = MinuteCount.objects.values_list("source__name", "status", "auth_code", "count").get()
    assert found == ("shop", "denied", "51", 3)
    stream.close()


@pytest.mark.parametrize("unit", [1_000, 1_000_000], ids=["microseconds", "nanoseconds"])
def test_an_entry_numbered_in_other_units_stops_nobody(redis_door: RedisDoor, unit: int) -> None:
    number = 1_772_625_600_000 * unit
    for place, sent in enumerate((body(), {"status": "denied"})):
        fields: Any = {"report": json.dumps(sent)}
        redis_door.redis.xadd(redis_door.name, fields, id=f"{number}-{place}")
    stream = redis_door.open()
    taken = take_all(stream, expected=2)
    assert (taken.consumer.recorded, taken.consumer.buried) == (1, 1)
    assert "is in the future" in redis_door.dead()[0][1]
    assert stream.waiting() == 0
    stream.close()


def test_a_count_without_end_in_a_field_stops_nobody(redis_door: RedisDoor) -> None:
    redis_door.send_fields(status="denied", count="9" * 5_000)
    stream = redis_door.open()
    take_all(stream)
    assert "count must be" in redis_door.dead()[0][1]
    stream.close()


def test_what_every_group_has_acknowledged_is_deleted(
    redis_door: RedisDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_stream, "TRIM_SECONDS", 0.0)
    redis_door.redis.xgroup_create(redis_door.name, "slow", id="0", mkstream=True)
    redis_door.send(*(body(seconds) for seconds in range(30)))
    read: Any = redis_door.redis.xreadgroup("slow", "one", {redis_door.name: ">"}, count=10)
    [[_name, kept]] = read.items() if isinstance(read, dict) else read
    kept = kept[0] if len(kept) == 1 else kept
    mine = redis_door.open()
    take_all(mine, expected=30)
    assert redis_door.redis.xlen(redis_door.name) == 30
    redis_door.redis.xack(redis_door.name, "slow", *(number for number, _fields in kept))
    redis_door.send(body(30))
    take_all(mine, expected=1)
    # Ten were acknowledged by both; the last of them stands for where the slow group is.
    assert redis_door.redis.xlen(redis_door.name) == 22
    assert mine.waiting() == 0
    mine.close()


def test_a_member_that_acknowledges_meanwhile_is_in_nobodys_way(
    redis_door: RedisDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_stream, "TRIM_SECONDS", 0.0)
    redis_door.send(*(body(seconds) for seconds in range(10)))
    mine: Any = redis_door.open("mine")
    other: Any = redis_door.open("other")
    held, hers = mine.read(5, 0.1), other.read(5, 0.1)
    ask = mine._redis.xpending

    def after_the_other(name: str, group: str) -> Any:
        other._redis.xack(name, group, *(entry.id for entry in hers))
        return ask(name, group)

    monkeypatch.setattr(mine._redis, "xpending", after_the_other)
    mine.acknowledge(held)
    assert mine.waiting() == 0
    mine.close()
    other.close()


def test_entries_of_a_member_that_died_are_taken_over(redis_door: RedisDoor) -> None:
    redis_door.send(*(body(seconds) for seconds in range(10)))
    dead = redis_door.open("dead")
    assert len(dead.read(4, 0.1)) == 4
    heir = redis_door.open("heir", stale=0)
    assert take_all(heir, expected=10).entries >= 10
    assert total() == 50
    assert heir.waiting() == 0


def test_a_member_that_comes_back_goes_on_where_it_was(redis_door: RedisDoor) -> None:
    redis_door.send(*(body(seconds) for seconds in range(10)))
    first = redis_door.open()
    assert len(first.read(4, 0.1)) == 4
    again = redis_door.open()
    assert take_all(again, expected=10).entries == 10
    assert again.waiting() == 0


def test_a_redis_that_is_away_is_said_to_be_away() -> None:
    with pytest.raises(StreamAway):
        RedisDoor("redis://127.0.0.1:1/0").open().read(1, 0.1)


def test_brokers_that_are_away_are_not_asked_all_the_time(
    kafka_door: KafkaDoor, capfd: pytest.CaptureFixture[str]
) -> None:
    topic = KafkaTopic("127.0.0.1:1", kafka_door.name, "guardian")
    assert topic.read(1, 3.0) == []
    # A reader and one who puts aside, twice or three times each.
    assert 1 <= capfd.readouterr().err.count("Connection refused") <= 8
    topic.close()


def test_a_redis_that_came_back_empty_is_joined_again(redis_door: RedisDoor) -> None:
    stream = redis_door.open()
    redis_door.send(body())
    take_all(stream)
    redis_door.redis.delete(redis_door.name)
    with pytest.raises(StreamAway):
        stream.read(1, 0.1)
    redis_door.send(json.dumps(body(seconds=1)).encode())
    stream.rewind()
    assert take_all(stream).entries == 1
    assert total() == 10


def test_a_group_that_was_destroyed_is_made_again(redis_door: RedisDoor) -> None:
    stream = redis_door.open()
    redis_door.send(body(), body(seconds=1))
    take_all(stream, expected=2)
    redis_door.redis.xgroup_destroy(redis_door.name, "guardian")
    with pytest.raises(StreamAway):
        stream.read(1, 0.1)
    redis_door.send(body(seconds=2))
    take_all(stream, expected=2)
    assert total() == 15
    stream.close()
