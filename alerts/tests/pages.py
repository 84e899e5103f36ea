"""Makers and readers for the tests of the pages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from alerts.models import Incident
from alerts.tests.makers import START, at
from detection.models import Band
from ingest.models import MinuteCount, Source

PAGE = {"Accept": "text/html"}
# The chart's hour that ends at the tests' noon plus an hour.
UNTIL = int((START + timedelta(hours=1)).timestamp())


def count(source: Source, minute: datetime, **counts: int) -> None:
    """The source has counted so many transactions of each status in a minute."""
    for status, number in counts.items():
        MinuteCount.objects.create(
            source=source, minute=minute, status=status, auth_code="00", count=number
        )


def expect(source: Source, minute: datetime, expected: float, **by_status: list[float]) -> None:
    """Detection expected so much of the source in a minute, give or take ten."""
    Band.objects.create(
        source=source,
        minute=minute,
        expected=expected,
        lower=expected - 10,
        upper=expected + 10,
        by_status=by_status,
    )


def an_hour(source: Source, approved: int = 90, denied: int = 10) -> None:
    """The source has lived through the hour after the tests' noon, as expected."""
    for minute in range(60):
        count(source, at(minute), approved=approved, denied=denied)
        expect(source, at(minute), approved + denied, denied=[10.0, 4.0, 18.0])


def signed_in(role: str = "", name: str = "ana") -> Client:
    """Return a browser in which somebody of a role has signed in."""
    user = get_user_model().objects.create_user(name, password="secret", is_staff=bool(role))
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, incident: Incident) -> str:
    """Return the page of an incident."""
    return client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()


def pressed(client: Client, incident: Incident, action: str, **form: object) -> str:
    """Press one of its buttons; return the page that is shown then."""
    answer = client.post(f"/incidents/{incident.pk}/{action}", form, follow=True)
    assert answer.status_code == 200
    incident.refresh_from_db()
    return answer.content.decode()


def streamed(answer: Any) -> Iterator[bytes]:
    """Yield the pieces of a streaming answer and close it, as a server does."""
    try:
        yield from answer.streaming_content
    finally:
        answer.close()


def operator() -> Client:
    """Return the browser of somebody who may change incidents."""
    return signed_in("operator")
