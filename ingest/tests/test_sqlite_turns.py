"""On SQLite those who write wait for their turn in the process, not for a lock that is asked."""

import threading

import pytest
from django.db import connection, transaction

from ingest.recording import sqlite
from ingest.tests.makers import make_report, record, total

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_who_writes_waits_for_the_turn(database: str) -> None:
    report, waiting, done = make_report(count=3), threading.Event(), threading.Event()

    def write() -> None:
        waiting.set()
        record(report)
        done.set()
        connection.close()

    with sqlite._turn:
        writer = threading.Thread(target=write)
        writer.start()
        assert waiting.wait(10)
        assert not done.wait(0.2)
        assert total() == 0
    writer.join(10)
    assert total() == 3


def test_who_has_the_lock_of_the_database_already_waits_for_nobody(database: str) -> None:
    """The other could not write before this transaction ends: both would wait for ever."""
    report = make_report(count=3)
    with sqlite._turn, transaction.atomic():
        record(report)
    assert total() == 3
