import pytest
from django.test import Client

from alerts.models import Notification
from alerts.tests.makers import at, make_channel, make_source, open_incident
from alerts.tests.pages import PAGE, operator, signed_in

pytestmark = pytest.mark.django_db


def test_the_first_page_of_the_admin_says_what_goes_on() -> None:
    incident = open_incident()
    text = signed_in("viewer").get("/admin/").content.decode()
    assert "Ongoing now" in text
    assert f'href="/incidents/{incident.pk}/"' in text
    assert 'href="/incidents/?state=ongoing"' in text
    assert "42 denials in 1 min, 6 expected." in text


def test_a_calm_admin_says_that_nothing_does() -> None:
    assert "No open incidents." in signed_in("viewer").get("/admin/").content.decode()


def test_a_channel_that_cannot_be_reached_is_said_where_people_look() -> None:
    channel = make_channel("slack", disabled=at(0), disabled_reason="HTTP 404: no_service")
    Notification.objects.create(channel=channel, kind="test", state="dead")
    client = signed_in("admin")
    for page in ("/", "/admin/"):
        text = client.get(page, headers=PAGE).content.decode()
        assert "has received nothing since 2026-03-02 12:00: HTTP 404: no_service" in text
    assert "1 message of the last day could not be delivered." in text
    assert "has received nothing" not in Client().get("/", headers=PAGE).content.decode()


def test_a_broken_channel_is_told_of_by_the_clock_of_the_page() -> None:
    source = make_source("shop", time_zone="America/Sao_Paulo")
    make_channel("phone", disabled=at(0), disabled_reason="there is no terminal")
    page = operator().get("/", {"source": source.name}, headers=PAGE).content.decode()
    assert "has received nothing since 2026-03-02 09:00" in page
