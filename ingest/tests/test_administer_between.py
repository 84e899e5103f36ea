"""Lists of the admin from one time to another, where the clock of the site changes in between."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from ingest.tests.makers import NOON, make_report, record

pytestmark = [pytest.mark.django_db, pytest.mark.urls("ingest.tests.admin_doors")]
# In Santiago midnight becomes eleven in the evening once more.
SET_BACK = datetime(2026, 4, 5, 3, tzinfo=UTC)


def shown(client: Client, **asked: str) -> int:
    sent = {f"timestamp_{name}": value for name, value in asked.items()}
    page = client.get(reverse("admin:ingest_report_changelist"), sent)
    return len(page.context["cl"].result_list)


@pytest.fixture(autouse=True)
def reports(settings: Settings) -> None:
    """Four of the day of twenty-five hours, one of the day after it."""
    settings.TIME_ZONE = "America/Santiago"
    minutes = (-60 * 24, -30, 30, 59.99, 60)
    back = (SET_BACK - NOON).total_seconds()
    record(*[make_report(seconds=back + 60 * minute) for minute in minutes])


def test_a_day_alone_is_the_whole_day(admin_client: Client) -> None:
    assert shown(admin_client, from_0="2026-04-04", to_0="2026-04-04") == 4
    assert shown(admin_client, from_0="2026-04-05", to_0="2026-04-05") == 1


def test_a_time_that_comes_twice_ends_with_the_second(admin_client: Client) -> None:
    assert shown(admin_client, to_0="2026-04-04", to_1="23:30:00") == 3
    assert shown(admin_client, from_0="2026-04-04", from_1="23:30:00") == 4
