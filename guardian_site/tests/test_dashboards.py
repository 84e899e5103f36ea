from datetime import UTC, datetime, timedelta
from typing import Any

import promql_parser
import pytest

from deploy.grafana.build import SHEETS, board, stale
from deploy.grafana.checking.interpolation import Range, UnknownWord, put_in
from deploy.grafana.checking.questions import boards, of_frames, of_panels, of_rules
from deploy.grafana.checking.selectors import selectors
from deploy.grafana.look import LEVEL_COLOURS
from deploy.grafana.scrape import tell
from detection.models import Level
from ingest.models import Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = Range(NOW - timedelta(days=1), NOW)
PANELS = [
    pytest.param(found, panel, id=f"{found['title']}: {panel['title']}")
    for found in boards()
    for panel in found["panels"]
    if panel["type"] != "row"
]
PROMQL = [one for one in [*of_panels(), *of_frames(), *of_rules()] if one.source == "prometheus"]


def test_what_is_committed_is_what_the_code_makes() -> None:
    assert stale() == []


def test_a_board_comes_out_the_same_each_time() -> None:
    assert board(SHEETS[0]) == board(SHEETS[0])


def test_there_are_the_dashboards_and_panels_that_were_promised() -> None:
    titles = {found["title"] for found in boards()}
    assert titles == {
        *("Real-time", "SLA/SLO", "Alerts & incidents", "Historical analysis"),
        *("Executive summary", "Pipeline & model health"),
    }
    assert len(PANELS) >= 31


@pytest.mark.parametrize(("found", "panel"), PANELS)
def test_a_panel_says_what_it_shows_and_in_which_unit(
    found: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert len(panel["description"]) > 10
    assert panel["datasource"]["uid"] in ("prometheus", "guardian")
    assert panel["targets"]
    if panel["type"] not in ("table", "heatmap"):
        assert panel["fieldConfig"]["defaults"]["unit"]
    # What is not known is said in words, not drawn as 0.
    assert panel["fieldConfig"]["defaults"]["noValue"] in ("no data", "nothing")


@pytest.mark.parametrize(("found", "panel"), PANELS)
def test_thresholds_rise_and_start_from_a_colour_for_the_rest(
    found: dict[str, Any], panel: dict[str, Any]
) -> None:
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    values = [step["value"] for step in steps]
    assert not values or values[0] is None
    assert values[1:] == sorted(values[1:])


@pytest.mark.parametrize("found", boards(), ids=lambda found: found["title"])
def test_a_board_has_its_variables_annotations_and_links(found: dict[str, Any]) -> None:
    declared = {variable["name"] for variable in found["templating"]["list"]}
    text = str(found["panels"])
    for name in ("source", "status", "goal"):
        used = f"${{{name}:regex}}" in text or f"${name} " in text
        assert used is (name in declared)
    assert {"Incidents", "Deployments"} == {a["name"] for a in found["annotations"]["list"]}
    assert "guardian_url" in declared
    places = [tuple(panel["gridPos"].values()) for panel in found["panels"]]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("found", boards(), ids=lambda found: found["title"])
def test_every_number_is_asked_not_made_up(found: dict[str, Any]) -> None:
    for panel in found["panels"]:
        for target in panel.get("targets", []):
            asked = target.get("expr") or target["rawSql"]
            assert any(word in asked for word in ("guardian", "django_http", "up{", "reporting."))


@pytest.mark.parametrize("asked", PROMQL, ids=lambda asked: f"{asked.board}: {asked.panel}")
def test_the_query_is_promql(asked: Any) -> None:
    promql_parser.parse(put_in(asked.text, DAY))


def test_a_demo_is_not_asked_for_alerts_that_do_not_fire(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [one for one in selectors([*of_rules()], DAY) if one.startswith("ALERTS{")]
    assert asked
    assert tell(dict.fromkeys(asked, 0), 120) == 0
    assert f"{len(asked)} not of a demo, 0 missing" in capsys.readouterr().out
    assert tell({'guardian_gone{part="x"}': 0}, 120) == 1


def test_incidents_are_opened_from_the_lists_of_them() -> None:
    linked = [
        panel["title"]
        for found in boards()
        for panel in found["panels"]
        if "/incidents/${__data.fields.id}/" in str(panel)
    ]
    assert len(linked) == 3


def test_each_level_and_status_has_its_colour() -> None:
    assert set(LEVEL_COLOURS) == set(Level.values)
    found = next(found for found in boards() if found["title"] == "Real-time")
    pie = next(panel for panel in found["panels"] if panel["type"] == "piechart")
    named = {rule["matcher"]["options"] for rule in pie["fieldConfig"]["overrides"]}
    assert named == set(Status.values)


def test_a_macro_ends_at_the_first_bracket_as_in_grafana() -> None:
    assert put_in("$__timeFilter(time)", DAY).startswith("time BETWEEN '2026-02-28T12")
    assert "/900)*900" in put_in("$__timeGroup(time, '15m')", DAY)
    with pytest.raises(UnknownWord):
        put_in("$__timeGroup(max(time), '15m')", DAY)


@pytest.mark.parametrize("text", ["$nothing", "${nothing:regex}", "$__unknown(time)"])
def test_a_word_grafana_does_not_know_is_found(text: str) -> None:
    with pytest.raises(UnknownWord):
        put_in(text, DAY)
