from datetime import timedelta

import pytest
from django.db import DatabaseError

from ingest import steady_clock
from ingest.models import LateMark, MinuteCount, Report, Transaction
from ingest.reports import NewReport
from ingest.services import claim_late_hours, record_reports
from ingest.services.recording import MINUTE
from ingest.tests.makers import NOON, counts_of_rows, make_report, minute_counts, record, total

pytestmark = pytest.mark.usefixtures("database")


def test_it_counts_a_report_in_its_minute() -> None:
    [recorded] = record(make_report(5, seconds=59.9))
    assert recorded.minute == NOON
    assert recorded.changed
    assert not recorded.corrected
    assert minute_counts() == {("default", NOON, "approved", "00"): 5}


def test_the_same_report_again_changes_nothing() -> None:
    record(make_report(5))
    [again] = record(make_report(5))
    assert (again.changed, again.corrected) == (False, False)
    assert total() == 5


def test_another_count_for_the_same_key_corrects_it() -> None:
    record(make_report(5))
    [corrected] = record(make_report(3))
    assert (corrected.changed, corrected.corrected) == (True, True)
    assert total() == 3
    assert Report.objects.get().previous_count == 5


def test_a_correction_may_be_corrected_back() -> None:
    for count in (5, 3, 5, 0, 5):
        record(make_report(count))
    assert total() == 5


@pytest.mark.parametrize("external_id", ["", "t1"], ids=["counts", "a transaction"])
def test_what_was_told_later_stands_whichever_is_written_first(external_id: str) -> None:
    told = [
        make_report(count, external_id=external_id, told=NOON + timedelta(seconds=count))
        for count in (3, 5)
    ]
    for report in (told[1], told[0], told[0]):
        assert not any(recorded.corrected for recorded in record(report))
        assert total() == 5
    [corrected] = record(make_report(4, external_id=external_id, told=NOON + MINUTE))
    assert corrected.corrected
    assert (total(), counts_of_rows()) == (4, minute_counts())


def test_what_is_told_now_corrects_what_was_told_to_a_stream() -> None:
    record(make_report(5, told=NOON), make_report(5, external_id="t1", told=NOON))
    record(make_report(3), make_report(3, external_id="t1"))
    assert total() == 6


def test_reports_of_one_minute_add_up() -> None:
    recorded = record(
        make_report(5), make_report(6, seconds=5), make_report(2, "denied", code="51")
    )
    assert recorded[0].minute_counts == [("approved", "00", 11), ("denied", "51", 2)]


def test_minute_counts_include_what_was_there_before() -> None:
    record(make_report(5), make_report(2, "denied", code="51"))
    [recorded] = record(make_report(1, "failed", code="91"))
    assert recorded.minute_counts == [
        ("approved", "00", 5),
        ("denied", "51", 2),
        ("failed", "91", 1),
    ]


def test_codes_and_ids_are_stored_as_they_were_sent() -> None:
    printable = "".join(map(chr, range(0x20, 0x7F)))
    codes = [printable[start : start + 16] for start in range(0, len(printable), 16)]
    codes += ["", "NULL", "null", "{}", '"', "\\", '\\"', ",", "a,b", " 00 "]
    ids = [printable[1:], "NULL", "{1,2}", '"', "\\", '\\"']
    reports = [make_report(code=code) for code in codes]
    record(*reports, *(make_report(seconds=1, external_id=each) for each in ids))
    assert set(Report.objects.values_list("auth_code", flat=True)) == set(codes)
    assert set(Transaction.objects.values_list("external_id", flat=True)) == set(ids)
    assert all(not again.changed for again in record(*reports))


def test_a_repeat_is_told_its_minute_too() -> None:
    record(make_report(5))
    [again] = record(make_report(5))
    assert again.minute_counts == [("approved", "00", 5)]


def test_of_one_key_twice_in_a_call_the_last_wins() -> None:
    record(make_report(5), make_report(7))
    assert total() == 7
    assert Report.objects.get().count == 7


def test_of_one_key_twice_in_a_call_one_report_moved_the_count() -> None:
    rows = [make_report(5), make_report(5), make_report(7), make_report(2, seconds=1)]
    assert [one.changed for one in record(*rows)] == [False, False, True, True]
    again = record(make_report(8), make_report(9))
    assert [(one.changed, one.corrected) for one in again] == [(False, False), (True, True)]
    transactions = [make_report(3, external_id="t1"), make_report(4, external_id="t1")]
    assert [one.changed for one in record(*transactions)] == [False, True]


def test_a_count_of_zero_is_a_row_and_not_an_absence() -> None:
    record(make_report(0))
    assert MinuteCount.objects.get().count == 0


def test_reports_without_a_time_add_up_even_in_one_microsecond() -> None:
    both = record(make_report(1, timed=False), make_report(1, timed=False))
    assert all(one.changed for one in both)
    record(make_report(1, timed=False))
    assert total() == 3


def test_sources_do_not_mix() -> None:
    record(make_report(5, name="a"), make_report(6, name="b"))
    assert {key[0]: count for key, count in minute_counts().items()} == {"a": 5, "b": 6}


def test_nothing_at_all_is_fine() -> None:
    assert record_reports(reports=[]) == []


def test_one_bad_report_stores_none_of_its_call() -> None:
    with pytest.raises(DatabaseError):
        record(make_report(5), make_report(-1, "denied"))
    assert not Report.objects.exists()
    assert not MinuteCount.objects.exists()


def test_a_transaction_is_counted_once_per_id() -> None:
    for _ in range(3):
        record(make_report(external_id="t1"))
    assert total() == 1
    assert Transaction.objects.count() == 1


def test_transactions_of_one_moment_are_all_counted() -> None:
    record(*(make_report(external_id=f"t{number}") for number in range(5)))
    assert total() == 5


def test_a_transaction_sent_with_another_status_moves() -> None:
    record(make_report(external_id="t1"))
    [moved] = record(make_report(1, "reversed", seconds=3600, external_id="t1"))
    assert (moved.changed, moved.corrected) == (True, True)
    assert minute_counts() == {("default", NOON + timedelta(hours=1), "reversed", "00"): 1}


def test_a_transaction_sent_again_without_a_time_keeps_its_own() -> None:
    record(make_report(external_id="t1"))
    [again] = record(make_report(1, "denied", seconds=7200, external_id="t1", timed=False))
    assert again.timestamp == NOON
    assert minute_counts() == {("default", NOON, "denied", "00"): 1}


def test_a_repeated_transaction_changes_nothing() -> None:
    record(make_report(external_id="t1"))
    [again] = record(make_report(external_id="t1"))
    assert (again.changed, again.corrected) == (False, False)
    assert again.minute_counts == [("approved", "00", 1)]


def test_the_last_of_one_id_in_a_call_wins_and_keeps_the_time_that_was_given() -> None:
    late = make_report(1, "denied", seconds=9999, external_id="t1", timed=False)
    [_first, last] = record(make_report(external_id="t1"), late)
    assert (last.timestamp, last.status) == (NOON, "denied")
    assert total() == 1


def test_reports_and_transactions_share_a_minute() -> None:
    record(make_report(5), make_report(external_id="t1"))
    assert minute_counts() == {("default", NOON, "approved", "00"): 6}
    assert minute_counts() == counts_of_rows()


def test_a_closed_minute_that_changes_is_queued_by_its_hour() -> None:
    record(make_report(5, seconds=1800), make_report(5, seconds=3700))
    hours = [hour for _source, hour in claim_late_hours(limit=10)]
    assert hours == [NOON, NOON + timedelta(hours=1)]
    assert claim_late_hours(limit=10) == []


def test_a_repeat_queues_no_hour() -> None:
    record(make_report(5))
    claim_late_hours(limit=10)
    record(make_report(5))
    assert not LateMark.objects.exists()


def of_now(count: int, external_id: str = "") -> NewReport:
    since = steady_clock.now() - NOON
    return make_report(count, seconds=since.total_seconds(), external_id=external_id)


def test_a_minute_that_is_still_open_is_not_queued() -> None:
    record(of_now(5))
    record(of_now(1, external_id="t1"))
    assert not LateMark.objects.exists()


def test_of_reports_recorded_together_those_that_are_late_queue_their_hours() -> None:
    record(of_now(5), make_report(5))
    assert [hour for _source, hour in claim_late_hours(limit=10)] == [NOON]


def test_a_transaction_that_leaves_a_closed_minute_queues_its_hour() -> None:
    record(make_report(external_id="t1"))
    claim_late_hours(limit=10)
    record(of_now(1, external_id="t1"))
    assert [hour for _source, hour in claim_late_hours(limit=10)] == [NOON]


def test_hours_are_claimed_a_few_at_a_time() -> None:
    record(*(make_report(5, seconds=3600 * hour) for hour in range(5)))
    claimed = [claim_late_hours(limit=2) for _ in range(3)]
    assert [len(hours) for hours in claimed] == [2, 2, 1]
