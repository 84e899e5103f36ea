from collections.abc import Callable, Sequence
from concurrent.futures import Future
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, OperationalError

from ingest.reports import NewReport, RecordedReport, SourceRef
from ingest.sharing.shared_commit import SharedCommit
from ingest.tests.crowds import Gate, come_together
from ingest.tests.makers import NOON

Finish = Callable[[Sequence[NewReport], Sequence[RecordedReport]], list[int]]
Shared = SharedCommit[NewReport, RecordedReport, int]
SOURCE = SourceRef(id=1, name="default", zone=ZoneInfo("UTC"))


def report(count: int) -> NewReport:
    return NewReport(SOURCE, NOON, "approved", "00", count)


def recorded(report: NewReport) -> RecordedReport:
    return RecordedReport(
        SOURCE, NOON, NOON, "approved", "00", report.count, True, False, [("approved", "00", 1)]
    )


class Writer:
    """Writes nothing; the first call waits until it is let go."""

    def __init__(self, poison: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self.gate = Gate()
        self.error: type[Exception] = IntegrityError
        self.poison = poison

    def __call__(self, reports: Sequence[NewReport]) -> list[RecordedReport]:
        self.groups.append([one.count for one in reports])
        self.gate()
        if self.poison in [one.count for one in reports]:
            raise self.error
        return [recorded(one) for one in reports]


def counted(asked: Sequence[NewReport], recorded: Sequence[RecordedReport]) -> list[int]:
    return [one.count for one in recorded]


def send_together(
    writer: Writer, counts: Sequence[int], finish: Finish = counted
) -> list[Future[int]]:
    shared: Shared = SharedCommit(writer, finish)
    reports = [report(count) for count in counts]
    return come_together(shared.answer, reports, writer.gate, lambda: shared.waiting)


def test_those_who_wait_share_one_write_and_get_their_own_results() -> None:
    writer = Writer()
    outcomes = send_together(writer, range(20))
    assert [one.result() for one in outcomes] == [*range(20)]
    assert [len(group) for group in writer.groups] == [1, 19]


def test_one_bad_report_does_not_fail_its_neighbours() -> None:
    outcomes = send_together(Writer(poison=7), range(10))
    assert type(outcomes.pop(7).exception()) is IntegrityError
    assert [one.result() for one in outcomes] == [count for count in range(10) if count != 7]


def test_a_database_that_is_away_is_not_asked_again_for_each() -> None:
    writer = Writer(poison=7)
    writer.error = OperationalError
    outcomes = send_together(writer, range(10))
    assert [type(one.exception()) for one in outcomes[1:]] == [OperationalError] * 9
    assert len(writer.groups) == 2


def test_it_goes_on_after_an_error() -> None:
    writer = Writer(poison=1)
    writer.gate.open()
    shared: Shared = SharedCommit(writer, counted)
    with pytest.raises(IntegrityError):
        shared.answer(report(1))
    assert shared.answer(report(2)) == 2


def test_an_error_after_the_commit_reaches_all_who_shared_it() -> None:
    def finish(asked: Sequence[NewReport], done: Sequence[RecordedReport]) -> list[int]:
        raise OSError("no answer")

    writer = Writer()
    outcomes = send_together(writer, range(5), finish)
    assert [repr(one.exception()) for one in outcomes] == ["OSError('no answer')"] * 5
    assert [len(group) for group in writer.groups] == [1, 4]
