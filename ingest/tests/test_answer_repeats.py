import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from ingest import steady_clock
from ingest.models import Report
from ingest.repeats import answers, store
from ingest.repeats.answers import KnownMarks, Met
from ingest.repeats.stats import cache_report, counts
from ingest.reports import NewReport, SourceRef
from ingest.services import answering, issue_key
from ingest.tests.makers import NOON, total

pytestmark = [pytest.mark.urls("ingest.tests.doors"), pytest.mark.django_db]


def post(client: Client, count: int = 5, **fields: Any) -> Any:
    sent = {"timestamp": "2026-03-04T12:00:00Z", "status": "approved", "count": count, **fields}
    return client.post("/transaction", json.dumps(sent), "application/json").json()


def test_a_repeat_is_the_same_answer_from_the_cache(client: Client) -> None:
    first, again = post(client), post(client)
    assert (first["cached"], again["cached"]) == (False, True)
    assert {**first, "cached": True} == again


def test_the_same_time_written_otherwise_is_a_repeat(client: Client) -> None:
    post(client)
    assert post(client, timestamp="2026-03-04T09:00:00-03:00", auth_code="00")["cached"]


@pytest.mark.parametrize(
    "fields", [{"status": "denied"}, {"auth_code": "51"}, {"source": "b"}, {"id": "t1"}]
)
def test_another_report_is_no_repeat(client: Client, fields: dict[str, Any]) -> None:
    post(client)
    assert not post(client, **fields)["cached"]


def test_a_correction_and_back_is_stored_each_time(client: Client) -> None:
    for count in (5, 7, 5):
        assert not post(client, count)["cached"]
        assert total() == count


def test_a_correction_by_a_batch_ends_the_belief_in_older_answers(client: Client) -> None:
    post(client, 5)
    row = {"timestamp": "2026-03-04T12:00:00Z", "status": "approved", "count": 9}
    client.post("/transactions/batch", json.dumps({"transactions": [row]}), "application/json")
    assert not post(client, 5)["cached"]
    assert total() == 5


def test_a_correction_leaves_other_sources_alone(client: Client) -> None:
    post(client, source="a")
    post(client, 5, source="b")
    post(client, 6, source="b")
    assert post(client, source="a")["cached"]


def test_a_lost_cache_makes_answers_slower_and_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_args: Any, **_options: Any) -> None:
        raise ConnectionError

    for name in ("get_many", "set", "set_many", "get", "incr", "add"):
        monkeypatch.setattr(cache, name, lost)
    assert [post(client, count)["cached"] for count in (5, 5, 6)] == [False, False, False]
    assert total() == 6
    assert client.get("/cache/stats").json()["connected"] is False


def test_a_correction_that_the_cache_was_not_told_of_is_told_before_it_is_believed_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_args: Any, **_options: Any) -> None:
        raise ConnectionError

    assert not post(client, 5)["cached"]
    assert post(client, 5)["cached"]
    with monkeypatch.context() as away:
        away.setattr(store, "write", lost)
        post(client, 7)
    assert not post(client, 5)["cached"]
    assert total() == 5


def test_marks_that_another_process_changed_meanwhile_let_no_old_answer_be_believed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, 5)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(answers, "known_marks", KnownMarks())
        post(client, 7)
    # Stored under the mark that this process still knows ...
    assert not post(client, 5)["cached"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(answers, "known_marks", KnownMarks())
        post(client, 7)
    # ... and not believed: it is recorded again.
    assert not post(client, 5)["cached"]
    assert total() == 5
    # The answer to a correction is not kept; the one to its repeat is, and under today's mark.
    post(client, 5)
    assert post(client, 5)["cached"]


class Clocks:
    """The clock of the cache, which may jump, and the one by which this process decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache_ahead, self.passed = 0.0, 0.0
        true, now = time.time, steady_clock.now
        monkeypatch.setattr(time, "time", lambda: true() + self.passed + self.cache_ahead)
        monkeypatch.setattr(steady_clock, "now", lambda: now() + timedelta(seconds=self.passed))


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_an_answer_is_believed_for_as_long_as_the_setting_says(
    client: Client, clocks: Clocks, settings: Settings
) -> None:
    post(client)
    clocks.cache_ahead = -3600
    clocks.passed = settings.GUARDIAN_CACHE_SECONDS - 5
    assert post(client)["cached"]
    clocks.passed = settings.GUARDIAN_CACHE_SECONDS + 5
    assert not post(client)["cached"]


def test_a_cache_whose_clock_jumped_brings_no_old_answer_back(
    client: Client, clocks: Clocks
) -> None:
    """The answer was to live for an hour more, the mark of the correction for two minutes."""
    clocks.cache_ahead = 3600
    post(client, 5)
    clocks.cache_ahead = 0
    post(client, 7)
    clocks.passed = 300
    assert not post(client, 5)["cached"]
    assert total() == 5


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """What the cache was asked for, question by question."""
    asked: list[Sequence[str]] = []
    read = store.read

    def counted(names: Sequence[str]) -> dict[str, bytes]:
        asked.append(names)
        return read(names)

    monkeypatch.setattr(store, "read", counted)
    # Whatever other tests sent, nothing was met yet.
    monkeypatch.setattr(answering, "met", Met())
    return asked


def test_a_source_without_a_mark_asks_for_none(client: Client, asked: list[Sequence[str]]) -> None:
    for number in range(4):
        post(client, timestamp=f"2026-03-04T12:00:0{number}Z")
    assert not asked


def test_marks_are_asked_for_once_in_a_while(
    client: Client, monkeypatch: pytest.MonkeyPatch, asked: list[Sequence[str]]
) -> None:
    post(client, 5)
    post(client, 7)
    for number in range(1, 5):
        post(client, timestamp=f"2026-03-04T12:00:0{number}Z")
    assert not asked
    monkeypatch.setattr(answers, "MARKS_SERVE", -1.0)
    post(client, timestamp="2026-03-04T12:00:09Z")
    assert len(asked) == 1


def test_only_so_many_marks_are_remembered() -> None:
    known = KnownMarks(most=3)
    for name in "abcde":
        known.learn([name], {name: b"mark"})
    assert known.all_of(["a", "e"]) == {"e": b"mark"}


def test_a_mark_that_is_gone_is_forgotten() -> None:
    known = KnownMarks()
    known.learn(["a"], {"a": b"mark"})
    known.learn(["a", "b"], {})
    assert known.all_of(["a", "b"]) == {}


def test_a_process_that_knows_of_no_mark_learns_it_from_the_first_repeat(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(answers, "known_marks", KnownMarks())
        post(client, 6)
        post(client, 7)
    post(client, timestamp="2026-03-04T12:00:30Z")
    cached = [post(client, timestamp="2026-03-04T12:00:30Z")["cached"] for _ in range(3)]
    assert cached == [False, True, True]
    assert Report.objects.count() == 2


def test_a_repeat_of_what_another_process_answered_comes_from_the_cache_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client)
    monkeypatch.setattr(answering, "met", Met())
    assert post(client)["cached"]
    assert Report.objects.count() == 1


def test_a_report_is_met_when_it_was_added_and_no_other_is() -> None:
    source = SourceRef(id=1, name="default", zone=ZoneInfo("UTC"))
    some = [NewReport(source, NOON, "approved", "00", count) for count in range(200)]
    met = Met()
    for report in some[::2]:
        met.add(report)
    assert [report in met for report in some] == [True, False] * 100


def test_without_a_cache_time_nothing_is_kept(client: Client, settings: Any) -> None:
    settings.GUARDIAN_CACHE_SECONDS = 0
    assert [post(client)["cached"] for _ in range(2)] == [False, False]


def test_hits_misses_and_sets_are_counted(client: Client) -> None:
    counts.flush()
    cache.clear()
    for _ in range(4):
        post(client)
    stats = client.get("/cache/stats").json()
    assert (stats["hits"], stats["misses"], stats["sets"], stats["errors"]) == (3, 1, 1, 0)
    assert stats["hit_rate"] == 75.0
    assert stats["connected"] is True
    assert set(stats["redis_info"]) == {"used_memory", "connected_clients"}


def test_the_rate_of_nothing_is_zero() -> None:
    counts.flush()
    cache.clear()
    assert cache_report()["hit_rate"] == 0.0


def test_flushing_needs_an_administrator(client: Client) -> None:
    _key, secret = issue_key(name="k")
    assert client.delete("/cache/flush").status_code == 401
    assert client.delete("/cache/flush", headers={"X-API-Key": secret}).status_code == 403


def test_flushing_forgets_answers_and_nothing_else(admin_client: Client) -> None:
    cache.set("somebody's", 1)
    post(admin_client)
    assert admin_client.delete("/cache/flush").status_code == 200
    assert not post(admin_client)["cached"]
    assert cache.get("somebody's") == 1
    assert Report.objects.count() == 1


def test_of_two_counts_for_one_key_in_a_batch_only_the_stored_one_is_a_repeat(
    client: Client,
) -> None:
    row = {"timestamp": "2026-03-04T12:00:00Z", "status": "approved"}
    rows = {"transactions": [{**row, "count": 5}, {**row, "count": 7}]}
    client.post("/transactions/batch", json.dumps(rows), "application/json")
    assert post(client, 7)["cached"]
    assert not post(client, 5)["cached"]
    assert total() == 5


@pytest.mark.parametrize("named", [{}, {"id": "t1"}], ids=["counts", "a transaction"])
def test_of_two_counts_for_one_key_in_a_batch_the_last_is_stored_though_it_is_a_repeat(
    client: Client, named: dict[str, str]
) -> None:
    post(client, 10, **named)
    row = {"timestamp": "2026-03-04T12:00:00Z", "status": "approved", **named}
    rows = {"transactions": [{**row, "count": 20}, {**row, "count": 10}]}
    client.post("/transactions/batch", json.dumps(rows), "application/json")
    assert total() == 10
