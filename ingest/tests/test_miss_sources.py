"""A report for a source that is gone stores nothing, and is told so; its neighbours are stored."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client

from ingest.models import LateMark, MinuteCount, Report, Source, Transaction
from ingest.recording import bulk, postgresql
from ingest.reports import NewReport, RecordedReport
from ingest.services import record_reports
from ingest.sharing.shared_commit import SharedCommit
from ingest.streaming.consuming import Consumer
from ingest.streaming.entries import Entry
from ingest.tests.crowds import Gate, come_together
from ingest.tests.makers import NOON, counts_of_rows, judge, make_report, minute_counts, record
from ingest.tests.streams import Handed

pytestmark = pytest.mark.usefixtures("database")
RECORDED = (Report, Transaction, MinuteCount, LateMark)


def make_gone(**fields: Any) -> NewReport:
    report = make_report(name="gone", **fields)
    Source.objects.filter(name="gone").delete()
    return report


def rows() -> int:
    return sum(model.objects.count() for model in RECORDED)


@pytest.mark.parametrize("external_id", ["", "t1"])
def test_alone_it_stores_nothing(external_id: str) -> None:
    gone = make_gone(external_id=external_id)
    with pytest.raises(IntegrityError):
        record(gone)
    assert rows() == 0


@pytest.mark.parametrize("external_id", ["", "t1"])
def test_of_many_sources_one_that_is_gone_keeps_all_from_being_stored(external_id: str) -> None:
    reports = [make_report(number, name=f"s{number}") for number in range(60)]
    reports += [make_report(name=f"s{number}", external_id=f"t{number}") for number in range(60)]
    gone = make_gone(external_id=external_id)
    for _ in range(6):  # the last of them by the plan for any reports
        with pytest.raises(IntegrityError):
            record(*reports[:70], gone, *reports[70:])
    assert rows() == 0
    record(*reports)
    assert minute_counts() == counts_of_rows()
    assert len(minute_counts()) == 60


def test_what_is_imported_for_it_stores_nothing() -> None:
    gone = make_gone()
    with pytest.raises(IntegrityError):
        bulk.write(gone.source.id, [(NOON, "denied", "51", 5)], NOON + timedelta(hours=1))
    assert rows() == 0


def test_those_who_shared_its_commit_are_stored() -> None:
    reports = [make_report(number + 1, seconds=number, name=f"s{number}") for number in range(4)]
    reports.insert(2, make_gone())
    gate = Gate()

    def write(asked: Sequence[NewReport]) -> list[RecordedReport]:
        gate()
        return record_reports(reports=asked)

    def counts(_asked: Sequence[NewReport], recorded: Sequence[RecordedReport]) -> list[int]:
        return [one.count for one in recorded]

    shared = SharedCommit(write, counts)

    def send(report: NewReport) -> int:
        try:
            return shared.answer(report)
        finally:
            connection.close()

    sent = come_together(send, reports, gate, lambda: shared.waiting)
    assert isinstance(sent.pop(2).exception(), IntegrityError)
    assert [one.result() for one in sent] == [1, 2, 3, 4]
    assert sum(minute_counts().values()) == 10


@pytest.mark.urls("ingest.tests.doors")
def test_at_the_door_it_is_sent_again_and_makes_its_source(client: Client) -> None:
    def post() -> Any:
        body = {"timestamp": NOON.isoformat(), "status": "denied", "source": "gone"}
        return client.post("/transaction", body, content_type="application/json")

    make_gone()  # and remembered
    refused = post()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert post().status_code == 200
    assert minute_counts() == {("gone", NOON, "denied", "00"): 1}


def test_from_a_stream_it_makes_its_source_anew() -> None:
    make_gone()  # and remembered
    sent = {"timestamp": NOON.isoformat(), "status": "denied", "source": "gone"}
    entry = Entry("1-0", json.dumps(sent).encode(), NOON, "reports")
    consumer = Consumer(Handed([entry]), judge)
    consumer.consume_some(10, 0)
    assert (consumer.recorded, consumer.buried) == (1, 0)
    assert minute_counts() == {("gone", NOON, "denied", "00"): 1}


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_source_is_looked_at_and_not_locked() -> None:
    record(make_report(), make_report(external_id="t1"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmax::text FROM ingest_source")
        assert cursor.fetchall() == [("0",)]


@pytest.mark.parametrize("transactions", [False, True])
def test_a_statement_is_short_enough_to_be_remembered(transactions: bool) -> None:
    assert len(postgresql.statement(transactions=transactions)) <= 4096
