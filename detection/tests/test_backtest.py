"""A backtest judges stored history through the path of production and writes nothing."""

import json
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from detection.management.commands import backtest as command
from detection.models import Anomaly, Backtest, Band, Baseline, Label, Policy
from detection.services.backtesting import chosen_sources, run_trial, trial_length
from detection.services.forests import promote_forest
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import (
    at,
    make_backtest,
    make_counts,
    make_forest,
    make_source,
    mark_late,
    run_now,
    set_count,
)
from ingest.models import Source

pytestmark = pytest.mark.django_db


def history(surge: range = range(300, 320)) -> Source:
    source = make_source()
    make_counts(source, range(400))
    for minute in surge:
        set_count(source, minute, "denied", "51", 45)
    return source


def backtest(**values: object) -> Backtest:
    return run_now(make_backtest(**values))


def test_the_live_configuration_reproduces_the_live_anomalies_exactly() -> None:
    source = history()
    late = [300, 301, 302]
    for minute in late:
        set_count(source, minute, "denied", "51", 3)
    for minute in range(20, 401, 20):
        sweep_closed_minutes(now=at(minute + 0.5))
    for minute in late:
        set_count(source, minute, "denied", "51", 45)
        mark_late(source, minute)
    sweep_closed_minutes(now=at(401.5))
    live = backtest().report["live"]
    assert live == {"same": Anomaly.objects.count(), "only_live": 0, "only_backtest": 0}
    assert live["same"] > 10


@pytest.mark.parametrize(("since", "until"), [(200, 300), (350, 9000), (-500, -400)])
def test_its_progress_ends_at_its_length(clock: Clock, since: int, until: int) -> None:
    source = history()
    clock.stand(401.5)
    sources, steps = {source.pk: source.name}, list[int]()
    length = trial_length(sources=sources, since=at(since), until=at(until))
    run_trial(sources=sources, since=at(since), until=at(until), progress=steps.append)
    assert sum(steps) == length == {300: 300, 9000: 401, -400: 0}[until]


def test_the_time_after_an_import_is_not_judged(clock: Clock) -> None:
    history()
    clock.stand(2000)
    sweep_closed_minutes(now=at(2000), seconds=60)
    report = backtest(until=at(2000)).report
    assert report["total"]["minutes_judged"] == 400
    assert report["live"]["only_backtest"] == 0
    assert {one["family"] for one in report["sources"][0]["episodes"]} <= {"decline", "code_mix"}


def test_a_silence_that_was_watched_is_judged_as_it_was(clock: Clock) -> None:
    make_counts(make_source(), range(300))
    for minute in (300.5, 400.5, 3000.5):
        clock.stand(minute)
        sweep_closed_minutes(now=at(minute), seconds=60)
    assert Anomaly.objects.filter(family="silence").count() > 60
    live = backtest(until=at(3000)).report["live"]
    assert live == {"same": Anomaly.objects.count(), "only_live": 0, "only_backtest": 0}


def test_a_minute_that_is_still_filling_is_not_judged(clock: Clock) -> None:
    history()
    clock.stand(400.02)
    assert backtest(until=at(400.02)).report["total"]["minutes_judged"] == 399


def test_it_writes_nothing_but_its_own_row() -> None:
    history()
    backtest()
    assert not Band.objects.exists()
    assert not Anomaly.objects.exists()
    assert not Baseline.objects.exists()


def test_labelled_incidents_are_caught_with_their_delay() -> None:
    source = history()
    Label.objects.create(source=source, kind="incident", starts=at(300), ends=at(319))
    Label.objects.create(source=source, kind="incident", starts=at(200), ends=at(210))
    total = backtest().report["total"]
    assert (total["incidents_caught"], total["incidents_missed"]) == (1, 1)
    assert 0 < total["delay_median_minutes"] <= 4
    assert total["missed"][0]["starts"] == at(200).isoformat()


def test_another_policy_is_tried_without_being_saved() -> None:
    source = history()
    found = backtest(changes={"families_off": ["decline", "code_mix"]}).report
    assert found["total"]["pages"] < backtest().report["total"]["pages"]
    assert not Policy.objects.filter(source=source).exists()


def test_a_change_to_nothing_tries_the_default() -> None:
    source = history()
    usual = backtest().report["total"]
    Policy.objects.create(source=source, minimum_excess=100_000)
    assert backtest(changes={"minimum_excess": None}).report["total"] == usual
    assert backtest().report["total"]["pages"] < usual["pages"]


def test_the_chart_is_well_formed_and_shows_the_alarm() -> None:
    history()
    chart = ET.fromstring(backtest().chart)
    titles = [one.text or "" for one in chart.iter("{http://www.w3.org/2000/svg}title")]
    assert any("CRITICAL decline" in title for title in titles)


def test_a_failed_backtest_says_so() -> None:
    history()
    with pytest.raises(ValueError, match="families"):
        backtest(changes={"families_off": ["nothing"]})
    assert Backtest.objects.get().state == "failed"
    assert "families" in Backtest.objects.get().report["error"]


def test_the_command_writes_report_and_chart(tmp_path: Path) -> None:
    history()
    told = StringIO()
    call_command(
        "backtest",
        since=at(0).isoformat(),
        until=at(400).isoformat(),
        report=tmp_path / "report.json",
        chart=tmp_path / "chart.svg",
        stdout=told,
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["total"]["pages"] >= 1
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    assert "default" in told.getvalue()


def test_the_canary_is_not_among_all_sources() -> None:
    history()
    make_counts(make_source(Source.CANARY), range(400), rate=0.0)
    report = backtest().report
    assert [one["source"] for one in report["sources"]] == ["default"]
    assert report["total"]["pages_per_day"] == report["sources"][0]["pages_per_day"]
    assert len(chosen_sources([Source.CANARY])) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"source": ["nobody"]}, "There is no source named nobody"),
        ({"since": "soon"}, "--since"),
        ({"since": "2026-03-02T00:00Z", "until": "2026-03-02T00:00Z"}, "--since"),
        ({"forest": "12"}, "no version 12"),
        ({"forest": "²"}, "no version ²"),
        ({"forest": "9" * 30}, "no version 9"),
        ({"policy": Path("/nowhere.yaml")}, "^/nowhere.yaml: No such file or directory$"),
        ({"report": Path("/nowhere/report.json")}, "/nowhere/report.json: No such file"),
        ({"chart": Path(__file__, "chart.svg")}, "chart.svg: Not a directory"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(options: dict[str, object], told: str) -> None:
    make_source()
    with pytest.raises(CommandError, match=told):
        call_command("backtest", **options)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("minimum_excess: .inf", "minimum_excess: Must be a finite number"),
        ("budget: 1", "budget: not a setting of a policy"),
        ("5", "a mapping of policy fields"),
        ("a: [", "policy.yaml: while parsing a flow node .*line 1"),
    ],
)
def test_the_command_refuses_a_wrong_policy(tmp_path: Path, text: str, told: str) -> None:
    make_source()
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=told):
        call_command("backtest", policy=file)


def test_its_report_says_which_forest_it_was_run_with(tmp_path: Path) -> None:
    make_source()
    assert backtest().report["forest"] is None
    live, other = make_forest().pk, make_forest()
    promote_forest(number=live, now=at(0))
    assert backtest().report["forest"] == live
    assert backtest(forest=other).report["forest"] == other.pk
    file = tmp_path / "report.json"
    for asked, number in (("live", live), (str(other.pk), other.pk), ("none", None)):
        call_command("backtest", forest=asked, report=file, stdout=StringIO())
        assert json.loads(file.read_text())["forest"] == number


def test_a_backtest_since_ever_begins_with_the_first_count() -> None:
    history(range(0))
    told = StringIO()
    call_command("backtest", since="0001-01-01", until="2026-03-02T00:10", stdout=told)
    assert "10" in told.getvalue().splitlines()[1].split()


def test_a_day_begins_at_midnight_of_the_site() -> None:
    history(range(0))
    told = StringIO()
    call_command("backtest", since="2026-03-02", until="2026-03-02T00:10", stdout=told)
    assert "10" in told.getvalue().splitlines()[1].split()


def test_the_command_refuses_a_path_before_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    make_source()
    judged: list[object] = []
    monkeypatch.setattr(command, "run_trial", lambda **trial: judged.append(trial))
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("backtest", report=Path("/"))
    assert judged == []


def test_the_command_shows_what_it_found_when_the_disk_is_full() -> None:
    history(range(0))
    told = StringIO()
    with pytest.raises(CommandError, match="/dev/full: No space left"):
        call_command(
            "backtest",
            since=at(0).isoformat(),
            until=at(60).isoformat(),
            report=Path("/dev/full"),
            stdout=told,
        )
    assert "default" in told.getvalue()
