"""Statements are planned seldom, and not for ever for tables as small as they were."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from ingest.postgresql import plans
from ingest.tests.makers import make_report, record

pytestmark = [
    pytest.mark.usefixtures("database", "own_connection"),
    pytest.mark.parametrize(
        "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
    ),
]
BATCH = 500


@pytest.fixture
def own_connection(database: str) -> Iterator[None]:
    """Let this thread have one connection, of which nothing is known."""
    connection.close()
    connection.ensure_connection()
    yield
    connection.close()


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def rows_read_in_vain() -> int:
    """Return how many rows were read so far by reading the counts of minutes from end to end."""
    ask("SELECT pg_stat_force_next_flush()::text")
    name = "ingest_minutecount"
    return int(ask(f"SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '{name}'"))


def record_batch(first: int) -> None:
    record(*(make_report(seconds=60 * minute) for minute in range(first, first + BATCH)))


def test_a_table_that_grew_is_not_read_whole_by_a_plan_of_its_first_page() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE ingest_minutecount")
    for minute in range(5):
        record(make_report(seconds=60 * minute))
    for batch in range(1, 4):
        record_batch(batch * BATCH)
    before = rows_read_in_vain()
    record_batch(4 * BATCH)
    assert rows_read_in_vain() - before < 4 * BATCH


def test_it_is_planned_again_when_twice_as_much_was_written() -> None:
    anew = list[str]()

    class Spy:
        def __init__(self) -> None:
            self.connection = self

        def execute(self, sql: str) -> None:
            anew.append(sql)

    spy = Spy()
    for _ in range(100):
        plans.plan_seldom(spy, 1)
    assert anew.count("SET plan_cache_mode = force_generic_plan") == 1
    assert 3 <= anew.count("DISCARD PLANS") <= 8
