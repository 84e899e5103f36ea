import re

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from alerts import services
from alerts.models import Incident, Notification
from alerts.selectors.incidents import Filters, incidents
from alerts.tests.makers import (
    at,
    live,
    make_anomaly,
    make_channel,
    make_source,
    open_incident,
)
from alerts.tests.pages import PAGE, an_hour, count, operator

pytestmark = pytest.mark.django_db


def listed(client: Client, **query: str) -> str:
    answer = client.get("/incidents/", query, headers=PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_list_says_so(client: Client) -> None:
    assert "No incidents yet" in listed(client)


def test_the_list_says_what_broke_and_how_bad(client: Client) -> None:
    open_incident()
    text = listed(client)
    assert "Denials above normal at default" in text
    assert "About 36 more than normal so far (28 to 44)" in text


def test_days_are_those_that_the_list_shows(client: Client) -> None:
    for name, zone in (("nuku", "Pacific/Tongatapu"), ("pago", "Pacific/Pago_Pago")):
        source = make_source(name, time_zone=zone)
        open_incident(source=source, family="volume_low")
    shown = {day: listed(client, since=day, until=day) for day in ("2026-03-02", "2026-03-03")}
    assert [("at nuku" in page, "at pago" in page) for page in shown.values()] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "ongoing"}, True),
        ({"state": "over"}, False),
        ({"state": "acknowledged"}, False),
        ({"level": "CRITICAL"}, True),
        ({"level": "WARNING"}, False),
        ({"family": "decline"}, True),
        ({"family": "silence"}, False),
        ({"source": "default"}, True),
        ({"since": "2026-03-02", "until": "2026-03-02"}, True),
        ({"since": "2026-03-03"}, False),
        ({"q": "51"}, True),
        ({"q": "denials issuer"}, True),
        ({"q": "denials refund"}, False),
    ],
)
def test_the_list_is_filtered(client: Client, query: dict[str, str], found: bool) -> None:
    open_incident()
    assert ("Denials above normal" in listed(client, **query)) is found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a short table whole")
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(), "alerts_incident_onset"),
        (Filters(holder="ana"), "alerts_incident_holder"),
    ],
)
def test_the_list_reads_no_more_incidents_than_it_shows(filters: Filters, index: str) -> None:
    assert index in incidents(filters)[:25].explain()


@pytest.mark.parametrize(
    ("language", "words", "found"),
    [
        ("en", "Above Normal", True),
        ("en", "negadas", False),
        ("pt-br", "negadas", True),
        ("pt-br", "silêncio", False),
        ("en", "disk full", False),
    ],
)
def test_an_incident_is_found_by_what_the_list_calls_it(
    client: Client, language: str, words: str, found: bool
) -> None:
    open_incident()
    with translation.override(language):
        text = listed(client, q=words)
    assert ("CRITICAL" in text.split("</form>")[-1]) is found


def test_the_alert_of_another_system_is_found_by_its_title(client: Client) -> None:
    open_incident()
    Incident.objects.update(family="external", key="db-7", title="Disk full on db-7")
    assert "Disk full on db-7" in listed(client, q="disk db-7").split("</form>")[-1]


def test_a_number_finds_its_incident(client: Client) -> None:
    incident = open_incident()
    assert "Denials above normal" in listed(client, q=f"#{incident.pk}")


def test_a_filter_that_makes_no_sense_is_named_and_filters_nothing(client: Client) -> None:
    open_incident()
    text = listed(client, since="tomorrow", source="nobody", state="asleep")
    assert "Enter a valid date" in text
    assert "Denials above normal" in text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"until": "9999-12-31"}, "less than or equal to 2999-12-31"),
        ({"since": "0001-01-01"}, "greater than or equal to 1970-01-01"),
    ],
)
def test_a_day_beyond_the_calendar_is_one_that_makes_no_sense(
    client: Client, query: dict[str, str], told: str, settings: Settings
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    open_incident()
    text = listed(client, **query)
    assert told in text
    assert "Denials above normal" in text


def test_long_lists_have_pages_that_keep_the_filter(client: Client) -> None:
    for number in range(26):
        open_incident(source=make_source(f"source-{number}"))
    first = listed(client, level="CRITICAL")
    assert "Page 1 of 2" in first
    assert "?level=CRITICAL&amp;page=2" in first
    assert "Page 2 of 2" in listed(client, level="CRITICAL", page="2")


def test_the_page_of_an_incident_shows_all_that_is_known(client: Client) -> None:
    incident = open_incident()
    text = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    for part in (
        "Denials above normal at default",
        "About 36 more than normal so far (28 to 44)",
        "Call the issuer.",
        "no funds",
        "80 %",
        "issuer",
        "42 denials in 1 min, 6 expected.",
        '/runbooks/decline"',
    ):
        assert part in text


def test_a_long_incident_says_that_the_newest_minutes_are_listed(client: Client) -> None:
    live(14, bad={*range(14)})
    [incident] = Incident.objects.all()
    page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert "14 anomalies; the latest 12" in page
    short = open_incident(family="reversal", source=make_source("shop"))
    page = client.get(f"/incidents/{short.pk}/", headers=PAGE).content.decode()
    assert "1 anomaly<" in page


def test_a_very_long_incident_lists_the_newest_minutes_of_all(client: Client) -> None:
    incident = open_incident()
    for minute in range(1, 502):
        make_anomaly(minute)
    Incident.objects.update(last_anomaly=at(501))
    page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert re.findall(r'<td class="nowrap">([^<]+)', page)[0] == "20:21"


def test_minutes_and_messages_of_another_day_say_which(client: Client) -> None:
    make_channel()
    incident = open_incident()
    make_anomaly(720)
    Incident.objects.update(last_anomaly=at(720))
    Notification.objects.update(sent=at(721))
    page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert re.findall(r'<td class="nowrap">([^<]+)', page) == ["2026-03-03 00:00", "12:00"]
    assert "2026-03-03 00:01:00 · " in page


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"auth_code": "51"}, "denied 51"),
        ({"auth_code": ""}, "denied"),
        ({"family": "volume_high", "status": ""}, None),
    ],
)
def test_each_minute_says_what_was_counted_in_it(
    client: Client, facts: dict[str, str], told: str | None
) -> None:
    incident = open_incident(**facts)
    page = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    found = re.search(r'data-label="seen">42(?:<br><span [^>]*>([^<]*)</span>)?</td>', page)
    assert found is not None
    assert found[1] == told


def test_the_address_without_a_slash_leads_to_the_page(client: Client) -> None:
    incident = open_incident()
    answer = client.get(f"/incidents/{incident.pk}")
    assert answer["Location"] == f"/incidents/{incident.pk}/"


def test_an_incident_of_the_past_is_marked(client: Client) -> None:
    incident = open_incident(past=True)
    text = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert "past: found in old data" in text
    assert "past</span>" in listed(client)


def test_the_chart_begins_before_the_onset(client: Client) -> None:
    source = make_source()
    an_hour(source)
    incident = open_incident(minute=50, source=source)
    chart = client.get(f"/incidents/{incident.pk}/chart.json").json()
    assert chart["name"] == "denied"
    assert chart["series"]["minutes"][0] <= int(at(0).timestamp())
    assert 10.0 in chart["series"]["seen"]


def test_an_incident_that_is_not_there_is_not_found(client: Client) -> None:
    for address in ("/incidents/999/", "/incidents/999/chart.json"):
        assert client.get(address, headers=PAGE).status_code == 404


def test_a_name_cannot_bring_markup_into_the_page() -> None:
    source = make_source(title="<script>alert(1)</script>")
    incident = open_incident(source=source, reasons=["<img src=x onerror=alert(1)>"])
    client = operator()
    for address in ("/", "/incidents/", f"/incidents/{incident.pk}/", "/sources/"):
        text = client.get(address, headers=PAGE).content.decode()
        assert "alert(1)" not in text.replace("&gt;alert(1)&lt;", "").replace("=alert(1)&gt;", "")


def test_what_is_over_asks_for_nothing_any_more(client: Client) -> None:
    incident = open_incident()
    address = f"/incidents/{incident.pk}/"
    assert "Call the issuer." in client.get(address, headers=PAGE).content.decode()
    services.resolve(incident_id=incident.pk, actor="ana", via="web", now=at(2))
    text = client.get(address, headers=PAGE).content.decode()
    assert "Call the issuer." not in text
    assert "/runbooks/decline" in text


def test_ages_stand_in_the_page_before_any_script_runs(client: Client) -> None:
    incident = open_incident()
    count(incident.source, at(0), approved=1)
    for address in (f"/incidents/{incident.pk}/", "/sources/default/"):
        page = client.get(address, headers=PAGE).content.decode()
        assert re.findall(r"data-since=\"\d+\">[^<]+</span>", page)
        assert "></span>)" not in page


def test_without_a_script_a_page_says_what_it_lacks(client: Client) -> None:
    for address in ("/", f"/incidents/{open_incident().pk}/"):
        page = client.get(address, headers=PAGE).content.decode()
        assert "The charts need JavaScript" in page.split("<noscript>")[-1]
