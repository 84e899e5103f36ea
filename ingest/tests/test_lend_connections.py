"""A statement borrows a connection; whatever becomes of it, the pool has it again."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg_pool
import pytest
from django.db import DataError, InternalError, OperationalError, connection, transaction
from pytest_django import DjangoDbBlocker

from ingest.postgresql import pool as pool_module
from ingest.postgresql.pool import lent_connection
from ingest.tests.conftest import default_database

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def pooled(postgresql_config: dict[str, Any], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), default_database(postgresql_config):
        pool = getattr(connection, "pool", None)
        assert pool is not None
        pool.open(wait=True)
        yield


def lent() -> int:
    pool = getattr(connection, "pool", None)
    assert pool is not None
    stats = pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])


def test_it_is_lent_and_given_back() -> None:
    with lent_connection() as raw:
        assert raw.execute("SELECT 1").fetchone() == (1,)
        assert connection.connection is None
        assert lent() == 1
    assert lent() == 0


def test_an_error_of_the_statement_is_one_of_django_and_gives_it_back_in_order() -> None:
    with pytest.raises(DataError), lent_connection() as raw:
        raw.execute("SELECT 1 / 0")
    assert lent() == 0
    assert raw.execute("SELECT 1").fetchone() == (1,)


def test_one_that_broke_is_not_lent_again() -> None:
    def broken() -> None:
        with lent_connection() as raw:
            raw.close()
            raw.execute("SELECT 1")

    with pytest.raises(OperationalError):
        broken()
    for _ in range(3):
        with lent_connection() as again:
            assert again.execute("SELECT 1").fetchone() == (1,)


def test_within_a_transaction_it_is_the_one_of_the_transaction() -> None:
    with transaction.atomic(), lent_connection() as raw:
        assert raw is connection.connection
    connection.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """Have the database away; give how long each was ready to wait for it, None for the most."""
    found: list[float | None] = []

    def none_left(timeout: float | None = None) -> object:
        found.append(timeout)
        raise psycopg_pool.PoolTimeout("no connection in time")

    monkeypatch.setattr(getattr(connection, "pool", None), "getconn", none_left)
    monkeypatch.setattr(pool_module, "_ask_again", None)
    monkeypatch.setattr(pool_module, "_lent", float("-inf"))
    return found


def lend() -> None:
    with lent_connection():
        pass


def take() -> None:
    with connection.cursor():
        pass


@pytest.mark.parametrize("borrow", [lend, take])
def test_who_asks_a_database_that_did_not_answer_is_refused_at_once(
    borrow: Callable[[], None], waits: list[float | None]
) -> None:
    with pytest.raises(OperationalError):
        lend()
    with pytest.raises(OperationalError, match="a moment ago"):
        borrow()
    assert waits == [None]


@pytest.mark.parametrize("borrow", [lend, take])
def test_while_it_is_away_nobody_waits_for_it(
    borrow: Callable[[], None], waits: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_ask_again", time.monotonic())
    for _ in range(2):
        with pytest.raises(OperationalError):
            borrow()
    assert waits == [pool_module.LOOK_SECONDS]


@pytest.mark.parametrize("borrow", [lend, take])
def test_a_pool_that_is_busy_is_no_database_that_is_away(
    borrow: Callable[[], None], waits: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = getattr(connection, "pool", None)
    assert pool is not None
    none_left = pool.getconn

    def lent_to_another(timeout: float | None = None) -> None:
        pool_module._lent = time.monotonic()
        none_left(timeout)

    monkeypatch.setattr(pool, "getconn", lent_to_another)
    for _ in range(2):
        with pytest.raises(OperationalError, match="in time"):
            borrow()
    assert waits == [None, None]


@pytest.mark.parametrize("borrow", [lend, take])
def test_one_that_is_back_is_asked_without_a_pause(
    borrow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_ask_again", time.monotonic())
    borrow()
    connection.close()
    assert pool_module._ask_again is None
    assert lent() == 0


READ_ONLY = "SET default_transaction_read_only = on"


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection was ended lately."""
    monkeypatch.setattr(pool_module, "_ended", float("-inf"))


def test_one_that_takes_no_writes_is_not_lent_again(long_ago: None) -> None:
    def refused() -> None:
        with lent_connection() as raw:
            raw.execute(READ_ONLY)
            raw.execute("DELETE FROM ingest_source")

    with pytest.raises(InternalError, match="read-only"):
        refused()
    with lent_connection() as again:
        assert again.execute("SHOW transaction_read_only").fetchone() == ("off",)


@pytest.mark.parametrize("give_back", ["close_if_unusable_or_obsolete", "close"])
def test_a_thread_gives_none_back_that_takes_no_writes(give_back: str, long_ago: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(READ_ONLY)
        with pytest.raises(InternalError, match="read-only"), transaction.atomic():
            cursor.execute("DELETE FROM ingest_source")
    getattr(connection, give_back)()
    with lent_connection() as again:
        assert again.execute("SHOW transaction_read_only").fetchone() == ("off",)


def test_a_database_that_stays_read_only_is_not_connected_to_without_a_pause(
    long_ago: None,
) -> None:
    with lent_connection() as raw:
        raw.execute(READ_ONLY)
        assert pool_module.ended_if_read_only(raw)
    with lent_connection() as raw:
        raw.execute(READ_ONLY)
        assert not pool_module.ended_if_read_only(raw)
        raw.execute("SET default_transaction_read_only = off")
