import threading
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, OperationalError

from ingest import together
from ingest.reports import NewReport, RecordedReport, SourceRef
from ingest.shared_commit import SharedCommit
from ingest.tests.makers import NOON

Shared = SharedCommit[NewReport, RecordedReport, int]
SOURCE = SourceRef(id=1, name="default", zone=ZoneInfo("UTC"))


def report(count: int) -> NewReport:
    return NewReport(SOURCE, NOON, "approved", "00", count)


def recorded(report: NewReport) -> RecordedReport:
    return RecordedReport(
        SOURCE, NOON, NOON, "approved", "00", report.count, True, False, [("approved", "00", 1)]
    )


class Writer:
    """Writes nothing, slowly at first: the first call waits until it is let go."""

    def __init__(self, poison: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.error: type[Exception] = IntegrityError
        self.poison = poison

    def __call__(self, reports: Sequence[NewReport]) -> list[RecordedReport]:
        self.groups.append([one.count for one in reports])
        if len(self.groups) == 1:
            self.entered.set()
            self.gate.wait(5)
        if self.poison in [one.count for one in reports]:
            raise self.error
        return [recorded(one) for one in reports]


def counted(asked: Sequence[NewReport], recorded: Sequence[RecordedReport]) -> list[int]:
    return [one.count for one in recorded]


def shared_by(writer: Writer, most: int = 128) -> Shared:
    return SharedCommit(writer, counted, most)


def send_together(writer: Writer, shared: Shared, counts: Sequence[int]) -> dict[int, object]:
    """Let one thread lead alone and the others come while it writes."""
    outcomes: dict[int, object] = {}

    def send(count: int) -> None:
        try:
            outcomes[count] = shared.answer(report(count))
        except Exception as error:
            outcomes[count] = type(error)

    threads = [threading.Thread(target=send, args=(count,)) for count in counts]
    threads[0].start()
    writer.entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    while shared.waiting < len(counts) - 1:
        threading.Event().wait(0.001)
    writer.gate.set()
    for thread in threads:
        thread.join(5)
    return outcomes


def test_a_thread_alone_writes_at_once() -> None:
    writer = Writer()
    writer.gate.set()
    assert shared_by(writer).answer(report(3)) == 3


def test_those_who_wait_share_one_write_and_get_their_own_results() -> None:
    writer = Writer()
    outcomes = send_together(writer, shared_by(writer), range(20))
    assert outcomes == {count: count for count in range(20)}
    assert [len(group) for group in writer.groups] == [1, 19]


def test_a_group_is_bounded() -> None:
    writer = Writer()
    send_together(writer, shared_by(writer, most=8), range(20))
    assert [len(group) for group in writer.groups] == [1, 8, 8, 3]


def test_one_bad_report_does_not_fail_its_neighbours() -> None:
    writer = Writer(poison=7)
    outcomes = send_together(writer, shared_by(writer), range(10))
    assert outcomes.pop(7) is IntegrityError
    assert outcomes == {count: count for count in range(10) if count != 7}


def test_a_database_that_is_away_is_not_asked_again_for_each() -> None:
    writer = Writer(poison=7)
    writer.error = OperationalError
    outcomes = send_together(writer, shared_by(writer), range(10))
    assert [outcomes[count] for count in range(1, 10)] == [OperationalError] * 9
    assert len(writer.groups) == 2


def test_it_goes_on_after_an_error() -> None:
    writer = Writer(poison=1)
    writer.gate.set()
    shared = shared_by(writer)
    with pytest.raises(IntegrityError):
        shared.answer(report(1))
    assert shared.answer(report(2)) == 2


def test_many_threads_and_many_rounds_lose_nothing() -> None:
    writer = Writer()
    writer.gate.set()
    shared = shared_by(writer, most=16)
    answers: list[bool] = []

    def send(start: int) -> None:
        for count in range(start, start + 200):
            answers.append(shared.answer(report(count)) == count)

    threads = [threading.Thread(target=send, args=(1000 * place,)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [True] * 3200
    assert sum(len(group) for group in writer.groups) == 3200


def answered(shared: Shared, *counts: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=shared.answer, args=(report(each),)) for each in counts]
    for thread in threads:
        thread.start()
    return threads


def test_a_leader_waits_for_as_many_as_came_together_last_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "PATIENCE", 5.0)
    writer = Writer()
    shared = shared_by(writer)
    send_together(writer, shared, range(4))
    first = answered(shared, 10)
    while shared.waiting < 1:
        threading.Event().wait(0.001)
    assert len(writer.groups) == 2
    for thread in first + answered(shared, 11, 12):
        thread.join(5)
    assert sorted(writer.groups[2]) == [10, 11, 12]


def test_a_leader_does_not_wait_long_for_company_that_stays_away() -> None:
    writer = Writer()
    shared = shared_by(writer)
    send_together(writer, shared, range(4))
    assert [shared.answer(report(count)) for count in (10, 11)] == [10, 11]
    assert writer.groups[2:] == [[10], [11]]


def test_an_error_after_the_commit_reaches_all_who_shared_it() -> None:
    def finish(asked: Sequence[NewReport], done: Sequence[RecordedReport]) -> list[int]:
        raise OSError("no answer")

    writer = Writer()
    writer.gate.set()
    shared: Shared = SharedCommit(writer, finish)
    with pytest.raises(OSError, match="no answer"):
        shared.answer(report(1))
