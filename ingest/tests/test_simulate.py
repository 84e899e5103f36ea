import json
import logging
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from ingest.models import ApiKey, MinuteCount, Report, Source
from ingest.simulator.live import LiveClock, LiveTraffic, Sink, send_due
from ingest.simulator.plan import Plan, chosen_profiles, minute_number
from ingest.simulator.posting import Poster
from ingest.simulator.profiles import CELLS, PROFILES, cell_places
from ingest.simulator.scenarios import KINDS, Scenario, read_scenario
from ingest.simulator.traffic import simulate_minutes
from ingest.tests.makers import NOON, counts_of_rows, minute_counts

FIRST = minute_number(NOON)
PROFILE = PROFILES[0]


def shares(name: str | None, strength: float = 1.0) -> tuple[np.ndarray, float]:
    """Return the mean count of each cell in two hours with a scenario, and their total."""
    scenarios = [Scenario(name, FIRST, 120, strength)] if name else []
    counts = simulate_minutes(PROFILE, FIRST, 120, 7, scenarios).counts
    means = counts.mean(axis=0)
    return means, float(means.sum())


def mean_of(means: np.ndarray, status: str, code: str | None = None) -> float:
    return float(means[cell_places(status, code)].sum())


def test_one_seed_is_one_traffic() -> None:
    counts = [simulate_minutes(PROFILE, FIRST, 500, seed).counts for seed in (7, 7, 8)]
    assert (counts[0] == counts[1]).all()
    assert (counts[0] != counts[2]).any()


def test_nights_are_quieter_than_days_and_sundays_than_fridays() -> None:
    days = simulate_minutes(PROFILE, FIRST // 1440 * 1440, 28 * 1440, 7).counts.sum(axis=1)
    by_hour = days.reshape(-1, 24, 60).mean(axis=(0, 2))
    assert by_hour.min() < 0.5 * by_hour.max()
    by_day = days.reshape(4, 7, 1440).mean(axis=(0, 2))
    # 2026-03-04 is a Wednesday: Friday is 2 days on, Sunday 4.
    assert by_day[4] < 0.85 * by_day[2]


def test_counts_are_more_restless_than_chance() -> None:
    counts = simulate_minutes(PROFILE, FIRST, 20_000, 7).counts.sum(axis=1).astype(float)
    steps = np.diff(counts)
    assert steps.var() / (2 * counts.mean()) > 1.15


def test_levels_wander_slowly() -> None:
    profile = PROFILE.with_rate(5000)
    counts = simulate_minutes(profile, FIRST, 60, 7).counts.sum(axis=1).astype(float)
    away = counts - np.poly1d(np.polyfit(np.arange(60), counts, 1))(np.arange(60))
    assert np.corrcoef(away[1:], away[:-1])[0, 1] > 0.3


def test_all_statuses_and_the_usual_codes_occur() -> None:
    assert {status for status, _code in CELLS} == {
        "approved",
        "denied",
        "failed",
        "reversed",
        "backend_reversed",
        "refunded",
    }
    assert {code for _status, code in CELLS} == {"00", "51", "59", "05", "14", "91", "96"}


def test_scenarios_do_what_they_are_called() -> None:
    normal, volume = shares(None)
    changed = {name: shares(name) for name in KINDS}
    assert changed["outage"][1] == 0
    assert 0.3 < changed["partial_outage"][1] / volume < 0.5
    assert mean_of(changed["denial_surge"][0], "denied") > 4 * mean_of(normal, "denied")
    assert mean_of(changed["failed_burst"][0], "failed") > 0.05 * volume
    assert mean_of(changed["reversal_surge"][0], "backend_reversed") > 0.04 * volume
    assert 2.7 < changed["spike"][1] / volume < 3.3
    assert mean_of(changed["code_shift"][0], "denied", "59") == 0
    assert mean_of(changed["code_shift"][0], "denied", "51") > 1.5 * mean_of(normal, "denied", "51")


def test_surges_keep_the_volume() -> None:
    _normal, volume = shares(None)
    for name in ("denial_surge", "failed_burst", "reversal_surge", "code_shift"):
        assert abs(shares(name)[1] / volume - 1) < 0.05


def test_half_the_strength_is_less() -> None:
    normal, _volume = shares(None)
    half, full = (mean_of(shares("denial_surge", s)[0], "denied") for s in (0.5, 1.0))
    assert mean_of(normal, "denied") < half < full


def test_an_outage_is_a_reported_zero_and_a_silence_no_report() -> None:
    for name, rows in (("outage", 10), ("silence", 0)):
        traffic = simulate_minutes(PROFILE, FIRST, 10, 7, [Scenario(name, FIRST, 10)])
        assert len(list(traffic.cells())) == rows


def test_nothing_happens_outside_a_scenario() -> None:
    with_it = simulate_minutes(PROFILE, FIRST, 30, 7, [Scenario("silence", FIRST + 10, 5)])
    assert np.flatnonzero(~with_it.reported).tolist() == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    "text", ["", "Outage", "fire", "outage@", "outage@1+", "outage*x", "outage@1.5"]
)
def test_a_scenario_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outage"):
        read_scenario(text)


@pytest.mark.django_db
def test_history_fills_reports_and_counts_up_to_now(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    call_command(
        "simulate",
        history=180,
        scenario=["outage@-60+20"],
        truth=truth,
        verbosity=0,
        skip_checks=True,
    )
    assert Source.objects.count() == 3
    assert minute_counts() == counts_of_rows()
    newest = MinuteCount.objects.latest("minute").minute
    assert datetime.now(UTC) - newest < timedelta(minutes=3)
    [incident] = json.loads(truth.read_text())
    assert (incident["family"], incident["source"]) == ("volume_low", "acquirer-a")
    start = datetime.fromisoformat(incident["start"])
    dark = MinuteCount.objects.filter(source__name="acquirer-a", minute__gte=start)
    assert not any(
        dark.filter(minute__lt=start + timedelta(minutes=20)).values_list("count", flat=True)
    )


@pytest.mark.django_db
def test_the_same_history_again_changes_nothing() -> None:
    for _ in range(2):
        call_command("simulate", history=30, sources=1, verbosity=0, skip_checks=True)
    assert minute_counts() == counts_of_rows()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "options",
    [
        {"tick": 7},
        {"tick": 0},
        {"sources": 0},
        {"speed": 0.0},
        {"days": -1.0},
        {"days": 0.0},
        {"rate": -5.0},
        {"rate": float("nan")},
        {"seed": -1},
        {"to_url": "guardian.example.com"},
        {"to_url": "http://[::1"},
        {"to_url": "http://"},
        {"on": "nobody"},
        {"scenario": ["fire"]},
        {"truth": Path("/nowhere/truth.json")},
    ],
)
def test_a_bad_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match=r"--|/nowhere"):
        call_command("simulate", verbosity=0, skip_checks=True, **options)
    assert not Report.objects.exists()


@pytest.mark.parametrize("span", ["0", "0m", "soon", "3661d", "9" * 5_000])
def test_a_span_that_nobody_means_is_refused(span: str) -> None:
    with pytest.raises(CommandError, match="write a span such as 14d"):
        call_command("simulate", "--history", span, verbosity=0, skip_checks=True)


def test_live_ticks_add_up_to_the_minutes() -> None:
    plan = Plan(PROFILES, FIRST, 7)
    live, sent = LiveTraffic(plan, NOON, 5), list[Any]()
    sink = Sink(sent.extend, sent.extend)
    for second in range(0, 121, 3):
        send_due(live, NOON + timedelta(seconds=second), sink)
    assert len({report[:4] for report in sent}) == len(sent)
    for profile in PROFILES:
        total = sum(report[4] for report in sent if report[0] == profile.name)
        assert total == plan.traffic(profile, FIRST, 2).counts.sum()


def test_parts_of_the_open_minute_go_one_by_one_and_closed_minutes_in_batches() -> None:
    whole, parts = list[Any](), list[Any]()
    sink = Sink(whole.extend, parts.extend)
    send_due(LiveTraffic(Plan(PROFILES[:1], FIRST, 7), NOON, 5), NOON + timedelta(seconds=90), sink)
    assert {report[1] for report in whole} == {NOON + timedelta(seconds=5 * n) for n in range(12)}
    assert {report[1] for report in parts} == {
        NOON + timedelta(seconds=60 + 5 * n) for n in range(6)
    }


def test_fast_time_stops_at_the_present() -> None:
    clock = LiveClock(NOON - timedelta(hours=1), NOON, speed=60)
    assert clock.now(NOON + timedelta(seconds=30)) == NOON - timedelta(minutes=30)
    assert clock.now(NOON + timedelta(minutes=5)) == NOON + timedelta(minutes=5)


@pytest.mark.django_db
def test_live_traffic_reaches_the_database() -> None:
    call_command(
        "simulate", live=True, since=3, speed=1000.0, length=3, verbosity=0, skip_checks=True
    )
    assert minute_counts() == counts_of_rows()
    assert Source.objects.count() == 3


def make_poster(answers: Sequence[Any]) -> tuple[Poster, list[httpx.Request], list[float]]:
    """Return a poster whose server answers these, what it was sent, and how long it paused."""
    requests, pauses, left = list[httpx.Request](), list[float](), list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        found = left.pop(0) if left else 200
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, httpx.Response) else httpx.Response(found)

    transport = httpx.MockTransport(answer)
    return Poster("http://g", "tg_x", transport=transport, pause=pauses.append), requests, pauses


REPORT = ("a", NOON, "approved", "00", 5)


def test_a_report_is_posted_until_it_is_answered() -> None:
    poster, requests, _pauses = make_poster([httpx.ConnectError("down"), 503, 429])
    assert poster.post_each([REPORT]) == 1
    assert len(requests) == 4
    assert json.loads(requests[-1].content)["count"] == 5


def test_it_waits_as_long_as_it_is_told() -> None:
    poster, _requests, pauses = make_poster([httpx.Response(429, headers={"Retry-After": "30"})])
    poster.post_each([REPORT])
    assert pauses == [30.0]


def test_a_server_that_only_starts_is_not_told_one_that_is_away_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="ingest.simulator.posting"):
        poster, _requests, _pauses = make_poster([httpx.ConnectError("down")] * 3)
        poster.post_each([REPORT])
        assert caplog.messages == []
        poster, _requests, _pauses = make_poster([httpx.ConnectError("down")] * 4)
        poster.post_each([REPORT])
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_key_that_is_not_known_there_is_dropped() -> None:
    poster, requests, _pauses = make_poster([401])
    poster.post_each([REPORT])
    assert ["X-API-Key" in request.headers for request in requests] == [True, False]


def test_whole_minutes_are_posted_in_batches() -> None:
    poster, requests, _pauses = make_poster([])
    assert poster.post_batch([REPORT] * 2500) == 3
    assert [len(json.loads(one.content)["transactions"]) for one in requests] == [1000, 1000, 500]


def test_a_refused_report_is_an_error() -> None:
    poster, _requests, _pauses = make_poster([400])
    with pytest.raises(httpx.HTTPStatusError):
        poster.post_each([REPORT])


@pytest.mark.django_db
def test_posting_to_this_machine_borrows_a_key_and_gives_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posted = list[Any]()
    monkeypatch.setattr(Poster, "_post", lambda self, path, body: posted.append((path, body)))
    call_command(
        "simulate", history=5, sources=1, to_url="http://127.0.0.1:1", verbosity=0, skip_checks=True
    )
    assert {path for path, _body in posted} == {"/transactions/batch"}
    assert ApiKey.objects.get().revoked is not None
    assert not Report.objects.exists()


@pytest.mark.django_db
def test_a_borrowed_key_is_given_back_by_one_who_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Poster, "_post", lambda *_: signal.raise_signal(signal.SIGTERM))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            call_command(
                "simulate", history=5, to_url="http://127.0.0.1:1", verbosity=0, skip_checks=True
            )
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ApiKey.objects.get().revoked is not None


def test_more_sources_than_are_named_get_sizes_of_their_own() -> None:
    profiles = chosen_profiles(10, None, 7)
    assert len({profile.name for profile in profiles}) == 10
    assert chosen_profiles(2, 1000.0, 7)[0].rate == pytest.approx(1000.0)
