"""Moments that people write in the admin while the clock of the site is set back or forward."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from pytest_django import Settings

from alerts.models import Override, Silence
from detection.models import Anomaly, Band, Label
from guardian_site.access.models import SignIn
from ingest import steady_clock
from ingest.models import MinuteCount, Report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def new_york(settings: Settings) -> None:
    """On 7 November 2027 two o'clock becomes one again; on 12 March 2028 it becomes three."""
    settings.TIME_ZONE = "America/New_York"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def written(day: str, starts: str, ends: str) -> dict[str, str]:
    moments = {"starts_0": day, "starts_1": starts, "ends_0": day, "ends_1": ends}
    return {**moments, "reason": "planned"}


@pytest.mark.parametrize(
    ("now", "begins"),
    [
        (utc(2027, 11, 1), utc(2027, 11, 7, 5, 10)),
        (utc(2027, 11, 7, 5, 20), utc(2027, 11, 7, 5, 10)),
        (utc(2027, 11, 7, 6, 5), utc(2027, 11, 7, 6, 10)),
        (utc(2027, 11, 7, 6, 20), utc(2027, 11, 7, 6, 10)),
    ],
)
def test_in_an_hour_that_comes_twice_the_second_is_meant_once_it_has_begun(
    now: datetime, begins: datetime, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady_clock, "now", lambda: now)
    admin_client.post("/admin/alerts/silence/add/", written("2027-11-07", "01:10", "01:40"))
    silence = Silence.objects.get()
    assert (silence.starts, (silence.ends - silence.starts).seconds) == (begins, 1800)


def test_a_time_that_is_left_out_comes_as_much_later(admin_client: Client) -> None:
    admin_client.post("/admin/alerts/silence/add/", written("2028-03-12", "02:30", "05:00"))
    silence = Silence.objects.get()
    assert (silence.starts, silence.ends) == (utc(2028, 3, 12, 7, 30), utc(2028, 3, 12, 9))


@pytest.mark.parametrize("hour", [5, 6])
def test_what_nobody_changed_stays(hour: int, admin_client: Client) -> None:
    kept = Silence.objects.create(
        starts=utc(2027, 11, 7, hour, 10), ends=utc(2027, 11, 7, hour, 40), reason="planned"
    )
    changed = {**written("2027-11-07", "01:10", "01:40"), "reason": "moved"}
    admin_client.post(f"/admin/alerts/silence/{kept.pk}/change/", changed)
    now = Silence.objects.get()
    assert (now.starts, now.ends, now.reason) == (kept.starts, kept.ends, "moved")


def test_a_page_is_called_by_the_clock_of_its_fields(admin_client: Client) -> None:
    kept = Silence.objects.create(ends=utc(2027, 11, 7, 17), reason="planned")
    page = admin_client.get(f"/admin/alerts/silence/{kept.pk}/change/").content.decode()
    assert f"silence #{kept.pk} until 2027-11-07 12:00" in page


def test_so_are_all_that_are_called_by_a_moment() -> None:
    moment, evening = utc(2027, 7, 1, 2), "2027-06-30 22:00"
    rows: list[Model] = [
        Anomaly(level="WARNING", family="decline", minute=moment),
        Band(source_id=1, minute=moment),
        Label(kind="noise", starts=moment),
        MinuteCount(minute=moment, status="denied", auth_code="51", count=3),
        Override(user_id=1, ends=moment),
        Report(timestamp=moment, status="denied", auth_code="51", count=3),
        SignIn(user=User(username="ana"), started=moment),
    ]
    assert [str(row) for row in rows if evening not in str(row)] == []
