"""Every SQL of every panel on a real PostgreSQL, as Grafana's user; key ones against the truth."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from deploy.grafana.checking.answers import Sources
from deploy.grafana.checking.interpolation import Range, put_in
from deploy.grafana.checking.questions import Question, of_frames, of_panels

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[2]
# Noon of a day, so that “a day before” is whole; everything below is counted from here.
UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Range(UNTIL - timedelta(days=1), UNTIL)
ASKED = [one for one in [*of_panels(), *of_frames()] if one.source == "guardian"]

SEED = """
from datetime import UTC, datetime, timedelta
from alerts.models import Channel, Incident, Notification
from detection.models import Anomaly, ForestVersion
from ingest.models import MinuteCount, Source
until = datetime(2026, 3, 2, 12, tzinfo=UTC)
ago = lambda **span: until - timedelta(**span)
shop, night = (Source.objects.create(name=name) for name in ("shop", "night"))
canary = Source.objects.create(name="guardian-canary")
def count(source, minute, status, code, number):
    MinuteCount.objects.create(
        source=source, minute=minute, status=status, auth_code=code, count=number)
for hour in range(1, 49):
    day = 1 if hour <= 24 else 2
    count(shop, ago(hours=hour), "approved", "00", 90 * day)
    count(shop, ago(hours=hour), "denied", "51", 10)
    count(night, ago(hours=hour), "approved", "00", 5)
    count(canary, ago(hours=hour), "approved", "00", 1000)
def incident(source, family, level, onset, minutes, **more):
    ended = onset + timedelta(minutes=minutes)
    return Incident.objects.create(
        source=source, family=family, direction="high", level=level, onset=onset,
        detected=onset + timedelta(minutes=2), opened=onset + timedelta(minutes=3),
        first_anomaly=onset, last_anomaly=ended - timedelta(minutes=1),
        state="resolved", resolved=ended, excess=100.0, **more)
incident(shop, "decline", "CRITICAL", ago(hours=10), 30, acknowledged=ago(hours=10, minutes=-8))
incident(shop, "decline", "WARNING", ago(hours=5), 10)
root = incident(night, "silence", "CRITICAL", ago(hours=3), 20, label="false_positive")
incident(shop, "reversal", "WARNING", ago(hours=2), 10, parent=root)
incident(shop, "decline", "CRITICAL", ago(hours=30), 60)
for minute in range(3):
    Anomaly.objects.create(source=shop, minute=ago(hours=10) + timedelta(minutes=minute),
        family="decline", level="CRITICAL", score=0.9)
Anomaly.objects.create(source=shop, minute=ago(hours=9), family="reversal", level="WARNING",
    score=0.5, withdrawn=until)
channel = Channel.objects.create(name="pager", kind="webhook")
for seconds in (1, 2, 3, 40):
    Notification.objects.create(channel=channel, kind="opened", state="sent",
        created=ago(hours=9), due=ago(hours=9), sent=ago(hours=9) + timedelta(seconds=seconds))
Notification.objects.create(channel=channel, kind="canary", state="sent",
    created=ago(hours=9), due=ago(hours=9), sent=ago(hours=8))
ForestVersion.objects.create(state="live", model=b"x")
# Sixteen days of which each is like the others, long before the rest.
west = Source.objects.create(name="west", time_zone="America/Sao_Paulo")
MinuteCount.objects.bulk_create(
    MinuteCount(source=source, minute=ago(days=60, hours=hour), status=status, auth_code="00",
        count=number)
    for hour in range(1, 16 * 24 + 1) for source in (shop, west)
    for status, number in (("approved", 3), ("failed", 1)))
"""


@pytest.fixture(scope="module")
def database(reporting_url: str) -> Iterator[Sources]:
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", SEED],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": reporting_url.replace("postgresql://", "postgres://"),
            "GUARDIAN_WEB_WORKERS": "1",
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
        },
        check=True,
    )
    sources = Sources("http://127.0.0.1:1", reporting_url)
    yield sources
    sources.close()


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.board}: {asked.panel}")
def test_the_query_runs_as_grafanas_user(database: Sources, asked: Question) -> None:
    assert database.ask(asked, DAY).error == ""


TRUE = [
    # 24 hours of 90 + 10 + 5; the canary is nobody's transaction.
    ("Executive summary", "Transactions", 24 * 105.0),
    ("Executive summary", "Approval rate", 95 / 105),
    ("Executive summary", "Goal of the period", 1.0),
    ("Executive summary", "Change of volume", 105 / 195 - 1),
    ("Executive summary", "Change of approval", 95 / 105 - 185 / 195),
    ("Executive summary", "Change of anomalies", 3.0),
    ("Executive summary", "Change of incidents", 1.0),
    ("Executive summary", "Incidents", 2.0),
    ("Executive summary", "Transactions out of place", 200.0),
    ("Alerts & incidents", "Incidents", 2.0),
    ("Alerts & incidents", "CRITICAL", 1.0),
    ("Alerts & incidents", "WARNING", 1.0),
    ("Alerts & incidents", "Time in failure", 2400.0),
    ("Alerts & incidents", "MTTD", 120.0),
    ("Alerts & incidents", "MTTA", 300.0),
    ("Alerts & incidents", "MTTR", 1200.0),
    # From 9:30 ago, when the first ended, to 5:00 ago, when the second began.
    ("Alerts & incidents", "MTBF", 4.5 * 3600),
    ("Alerts & incidents", "False positives", 1.0),
    ("Historical analysis", "Mean a minute", 105.0),
    ("Historical analysis", "Highest minute", 105.0),
    ("Historical analysis", "Change", 105 / 195 - 1),
]


@pytest.mark.parametrize(("board", "panel", "truth"), TRUE)
def test_the_panel_tells_the_truth(database: Sources, board: str, panel: str, truth: float) -> None:
    asked = next(one for one in ASKED if (one.board, one.panel) == (board, panel))
    assert database.ask(asked, DAY).value == pytest.approx(truth)


def test_the_source_that_was_chosen_is_the_one_that_is_shown(database: Sources) -> None:
    asked = next(one for one in ASKED if one.panel == "Transactions")
    chosen = Range(DAY.since, DAY.until, chosen={"source": "night", "status": ".*", "goal": "90"})
    assert database.ask(asked, chosen).value == 24 * 5.0


def test_the_goal_is_compared_with_the_rate(database: Sources) -> None:
    asked = next(one for one in ASKED if one.panel == "Goal of the period")
    higher = Range(DAY.since, DAY.until, chosen={"source": ".*", "status": ".*", "goal": "95"})
    assert database.ask(asked, higher).value == 0.0


EVEN = Range(UNTIL - timedelta(days=74), UNTIL - timedelta(days=60))
WHOLE_DAYS = {"A typical week": 7, "Trend": 13, "Approval rate by day": 13}


@pytest.mark.parametrize(("panel", "days"), WHOLE_DAYS.items())
@pytest.mark.parametrize("chosen", ["shop", "west", "shop|west"])
def test_a_day_that_the_range_cuts_is_not_shown_as_a_whole_one(
    database: Sources, panel: str, days: int, chosen: str
) -> None:
    asked = next(one for one in ASKED if one.panel == panel)
    over = Range(EVEN.since, EVEN.until, chosen={"source": chosen, "status": ".*"})
    found = database.connection.execute(put_in(asked.text, over).encode()).fetchall()
    assert len(found) == days
    # What stands beside the day is the same for all of them.
    assert len({row[1:] for row in found}) == 1


def test_where_nothing_happened_nothing_is_said(database: Sources) -> None:
    empty = Range(UNTIL + timedelta(days=30), UNTIL + timedelta(days=31))
    for panel in ("Approval rate", "MTTR", "Mean a minute", "Goal of the period"):
        asked = next(one for one in ASKED if one.panel == panel)
        assert database.ask(asked, empty).told == "nothing"


@pytest.mark.parametrize("table", ["auth_user", "ingest_apikey", "django_session"])
def test_grafanas_user_sees_no_secret(database: Sources, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.connection.execute(f"SELECT * FROM {table}".encode())
