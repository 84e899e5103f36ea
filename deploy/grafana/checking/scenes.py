"""The system empty, healthy, failing, silent and away; and what its panels must then say."""

import contextlib
import json
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from deploy.grafana.checking.answers import Answer, get
from deploy.grafana.checking.claims import Check
from deploy.grafana.checking.interpolation import Range
from deploy.grafana.checking.questions import of_panels
from deploy.grafana.checking.stack import Stack, process

# Two days are too little to train a forest on; until then there is no version to tell of. Nobody
# reads a stream here.
NOT_HERE = {"guardian_detection_forest_version", "guardian_ingest_stream_waiting_entries"}
SEED, SOURCES = 11, 2
HISTORY = "2d"
# From here on the minute might turn before the simulator looks at the clock.
LATE_SECOND = 45
# Steep enough that no detector may miss it, at the largest source.
FAILURE, FAMILY = "failed_burst@2+30*3", "technical_failure"


SERIES = re.compile(r"\b((?:guardian|transaction_guardian|django)[_:][a-zA-Z0-9_:]+)")


def empty(check: Check) -> None:
    """Nothing was ever reported: nothing is claimed, nothing is red, nobody is called."""
    time.sleep(25)
    seen = check.look("empty")
    for board, panel in (
        ("Real-time", "Transactions a minute"),
        ("Real-time", "Approval rate, last hour"),
        ("Executive summary", "Approval rate"),
        ("SLA/SLO", "Error rate"),
        ("Alerts & incidents", "MTTR"),
    ):
        check.same("empty", f"{panel}: no value is made up", "nothing", seen[board, panel].told)
    check.same("empty", "Open incidents", 0.0, seen["Real-time", "Open incidents"].value)
    # The first look of Prometheus may come a moment before the first scrape.
    uptime = seen["SLA/SLO", "Uptime"].value
    check.claim("empty", "Uptime", "over 0.7", uptime, lambda value: (value or 0) > 0.7)
    check.same("empty", "alerts that fire", [], check.firing())


def healthy(check: Check) -> None:
    """Two days of history and live traffic: the panels say what the simulator put in."""
    stack = check.stack
    stack.manage("simulate", "--history", HISTORY, *_company(), "--verbosity", "0")
    _judge(stack)
    check.begun = datetime.now(UTC)
    with _live(stack, "--since", f"{_minutes_missed(check)}m"):
        time.sleep(150)
        seen = check.look("healthy", hours=72)
        _compare_history(check)
        _compare_now(check, seen)
        check.same("healthy", "Payments right now: normal", 2.0, _light(seen))
        check.same("healthy", "alerts that fire", [], check.firing())
        _no_series_missing(check)


def failing(check: Check) -> None:
    """Technical failures multiply: one incident, red, in every place that tells of it."""
    with _live(check.stack, "--since", "1m", "--scenario", FAILURE):
        _until(lambda: _opened(check) > 0, 300)
        time.sleep(30)
        seen = check.look("failing")
    check.same("failing", "an incident of the right family is open", True, _opened(check) > 0)
    ongoing = check.row(
        "SELECT count(*) FROM alerts_incident WHERE resolved IS NULL AND NOT historical"
    )
    check.same(
        "failing", "Open incidents", float(ongoing), seen["Real-time", "Open incidents"].value
    )
    check.claim(
        "failing", "Payments right now: not normal", "below 2", _light(seen), lambda v: v < 2
    )
    listed = seen["Real-time", "Ongoing incidents"].found
    check.same("failing", "Ongoing incidents: rows", ongoing, listed)


def silent(check: Check) -> None:
    """The senders stop: nothing is frozen, and what was counted is exact."""
    time.sleep(150)
    seen = check.look("silent")
    counted = get(
        check.stack.prometheus,
        "query",
        {"query": "max(transaction_guardian_total)", "time": time.time()},
    )
    stored = check.row("SELECT sum(count) FROM ingest_report WHERE received > %s", check.begun)
    value = float(counted["result"][0]["value"][1])
    check.same("silent", "transaction_guardian_total is what is stored", float(stored), value)
    since = seen["Real-time", "Time since the last report"].value
    check.claim("silent", "Time since the last report", "over 60 s", since, lambda v: (v or 0) > 60)
    current = get(
        check.stack.prometheus,
        "query",
        {"query": "max(transaction_guardian_current_count)", "time": time.time()},
    )
    check.same("silent", "current count", "0", current["result"][0]["value"][1])
    shown = seen["Real-time", "Transactions a minute"].value
    check.claim(
        "silent", "Transactions a minute is not frozen", "0 or none", shown, lambda v: not v
    )


def away(check: Check) -> None:
    """Guardian's web processes are gone: red, and the page is sent."""
    check.stack.stop_web()
    _until(lambda: "GuardianDown" in check.firing(), 150)
    seen = check.look("away")
    check.same("away", "Payments right now: red", 0.0, _light(seen))
    check.claim("away", "Uptime", "below 1", seen["SLA/SLO", "Uptime"].value, lambda v: v < 1)
    check.claim(
        "away", "alerts that fire", "GuardianDown", check.firing(), lambda v: "GuardianDown" in v
    )


def _company() -> list[str]:
    return ["--sources", str(SOURCES), "--seed", str(SEED)]


@contextlib.contextmanager
def _live(stack: Stack, *more: str) -> Iterator[None]:
    command = [sys.executable, "manage.py", "simulate", "--live", *_company(), "--speed", "20"]
    command += ["--verbosity", "0", "--to-url", stack.url, *more]
    with process(command, stack.folder / "traffic.log", stack.environment):
        yield


def _minutes_missed(check: Check) -> int:
    """Return how many minutes live traffic must make up, so that none is missing or sent twice.

    Waits until there is at least one, and some time before the next begins.
    """
    newest = check.row(
        "SELECT max(minute) FROM ingest_minutecount"
        " WHERE source_id IN (SELECT id FROM reporting.sources)"
    )
    while True:
        now = datetime.now(UTC)
        missed = int((now.replace(second=0, microsecond=0) - newest) / timedelta(minutes=1)) - 1
        if missed >= 1 and now.second < LATE_SECOND:
            return missed
        time.sleep(1)


def _judge(stack: Stack) -> None:
    words = "from detection.services.sweep import learn_history; learn_history()"
    stack.manage("shell", "--verbosity", "0", "--command", words)


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(2)


def _light(seen: dict[tuple[str, str], Answer]) -> float | None:
    return seen["Executive summary", "Payments right now"].value


def _opened(check: Check) -> int:
    found = check.row(
        "SELECT count(*) FROM alerts_incident WHERE family = %s AND resolved IS NULL"
        " AND NOT historical",
        FAMILY,
    )
    return int(found)


def _compare_history(check: Check) -> None:
    """Hold panels over the history against the plan that made it."""
    from ingest.simulator.plan import Plan, chosen_profiles, minute_number, minute_start

    first = minute_number(check.row("SELECT min(minute) FROM ingest_minutecount"))
    minutes = 2 * 1440
    plan = Plan(chosen_profiles(SOURCES, None, SEED), first, SEED)
    by_status: dict[str, int] = {}
    for profile in plan.profiles:
        for _minute, status, _code, count in plan.traffic(profile, first, minutes).cells():
            by_status[status] = by_status.get(status, 0) + count
    # BETWEEN holds both ends: the range ends with the last second of the last minute.
    over = Range(minute_start(first), minute_start(first + minutes) - timedelta(seconds=1))
    _hold(check, over, "Transactions", float(sum(by_status.values())))
    _hold(check, over, "Approval rate", by_status["approved"] / sum(by_status.values()))


def _hold(check: Check, over: Range, panel: str, wanted: float) -> None:
    asked = [one for one in of_panels() if (one.board, one.panel) == ("Executive summary", panel)]
    got = check.sources.ask(asked[0], over).value
    check.claim(
        "healthy",
        f"{panel} of the history, as simulated",
        f"{wanted:.9g}",
        got,
        lambda value: value is not None and abs(value - wanted) <= 1e-9 * wanted,
    )


def _compare_now(check: Check, seen: dict[tuple[str, str], Answer]) -> None:
    shown = seen["Real-time", "Transactions a minute"].value
    sums = [
        check.row(
            "SELECT sum(count) FROM ingest_minutecount"
            " WHERE minute = date_trunc('minute', now()) - make_interval(mins => %s)"
            " AND source_id IN (SELECT id FROM reporting.sources)",
            ago,
        )
        for ago in (1, 2, 3)
    ]
    stored = [float(total) for total in sums if total is not None]
    check.claim(
        "healthy", "Transactions a minute, as stored", stored, shown, lambda value: value in stored
    )


def _no_series_missing(check: Check) -> None:
    texts = [question.text for question in of_panels() if question.source == "prometheus"]
    asked = {name for text in texts for name in SERIES.findall(text)}
    missing = sorted(asked - names_known(check.stack.prometheus) - NOT_HERE)
    check.same("healthy", "series behind panels that are missing", [], missing)


def names_known(prometheus: str) -> set[str]:
    """Return the names of all series that Prometheus holds."""
    with urllib.request.urlopen(f"{prometheus}/api/v1/label/__name__/values", timeout=10) as told:
        return set(json.load(told)["data"])


SCENES = (empty, healthy, failing, silent, away)
