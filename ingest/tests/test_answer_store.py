"""Answers are kept in a real Valkey, which may be lost and come back."""

import threading
from collections.abc import Iterator

import pytest
import redis
from pytest_django.fixtures import Settings

from ingest.repeats import store
from ingest.repeats.stats import counts
from ingest.repeats.store import Lines


@pytest.fixture
def lines(valkey_url: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Lines]:
    client = redis.Redis.from_url(valkey_url, socket_timeout=2)
    client.flushdb()
    lines = Lines(client.connection_pool)
    settings.REDIS_URL = valkey_url
    monkeypatch.setattr(store, "_lines", lambda: lines)
    yield lines
    client.flushdb()
    client.close()


def test_what_is_written_is_read_until_its_time_is_over(lines: Lines) -> None:
    store.write({"a": b"one", "b": b"two\xff"}, 60)
    assert store.read(["a", "missing", "b"]) == {"a": b"one", "b": b"two\xff"}
    assert 0 < lines.ask("TTL", "guardian:answers:a") <= 60


def test_a_line_is_used_again_and_as_many_are_open_as_were_needed_at_once(lines: Lines) -> None:
    for _ in range(5):
        store.read(["a"])
    assert len(lines._open) == 1
    barrier = threading.Barrier(4)

    def ask() -> None:
        barrier.wait()
        lines.ask("BLPOP", "nothing", 0.2)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines._open) == 4


def test_a_refused_command_leaves_the_line_in_order(lines: Lines) -> None:
    with pytest.raises(redis.ResponseError):
        lines.ask("NOSUCHCOMMAND")
    assert lines.ask("PING") == b"PONG"
    assert len(lines._open) == 1


def test_lines_that_were_cut_while_idle_are_replaced_unnoticed(
    lines: Lines, valkey_url: str
) -> None:
    store.write({"a": b"one"}, 60)
    with redis.Redis.from_url(valkey_url) as other:
        other.client_kill_filter(_type="normal", skipme=True)
    assert store.read(["a"]) == {"a": b"one"}


@pytest.mark.parametrize("entries", [{"a": b"one"}, {"a": b"one", "b": b"two"}])
def test_what_was_handed_over_is_read_by_whoever_comes_next(
    lines: Lines, entries: dict[str, bytes]
) -> None:
    for _ in range(3):
        store.hand_over(entries, 60)
    assert store.read(["a", "b"]) == entries
    assert 0 < lines.ask("TTL", "guardian:answers:a") <= 60
    assert len(lines._open) == 1


def test_a_refusal_that_nobody_waited_for_is_counted_and_leaves_the_line_in_order(
    lines: Lines,
) -> None:
    before = counts.totals()["errors"]
    lines.tell("NOSUCHCOMMAND")
    assert lines.ask("PING") == b"PONG"
    assert len(lines._open) == 1
    assert counts.totals()["errors"] == before + 1


def test_a_line_that_was_cut_loses_no_more_than_what_it_was_told_last(
    lines: Lines, valkey_url: str
) -> None:
    store.hand_over({"a": b"one"}, 60)
    with redis.Redis.from_url(valkey_url) as other:
        other.client_kill_filter(_type="normal", skipme=True)
    store.hand_over({"b": b"two"}, 60)
    store.hand_over({"c": b"three"}, 60)
    found = store.read(["a", "b", "c"])
    found.pop("b", None)
    assert found == {"a": b"one", "c": b"three"}


def test_an_answer_that_comes_too_late_is_given_up_with_its_line(lines: Lines) -> None:
    lines._pool.connection_kwargs["socket_timeout"] = 0.05
    with pytest.raises(redis.TimeoutError):
        lines.ask("BLPOP", "nothing", 1)
    # A reply to the earlier question must not be taken for the answer to this one.
    assert lines.ask("PING") == b"PONG"
    assert len(lines._open) == 1


def test_nobody_there_is_an_error_of_redis() -> None:
    client = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=0.2)
    with pytest.raises(redis.ConnectionError):
        Lines(client.connection_pool).ask("PING")
