from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts import services
from alerts.selectors import live
from alerts.selectors.series import floor_to
from alerts.tests.makers import at, make_anomaly, make_source, open_incident
from alerts.tests.pages import PAGE, UNTIL, an_hour, count, expect, operator

pytestmark = pytest.mark.django_db


def page_of(client: Client) -> str:
    return client.get("/", headers=PAGE).content.decode()


def test_what_goes_on_stands_in_the_page_before_any_script_runs() -> None:
    client, incident = operator(), open_incident()
    page = page_of(client)
    assert f'<article class="incident" data-key="{incident.pk}" data-level="CRITICAL">' in page
    assert f'href="/incidents/{incident.pk}/">Denials above normal at default</a>' in page
    assert "About 36 more than normal so far (28 to 44)</li>" in page
    assert '<span data-field="first_action">Call the issuer.</span>' in page
    assert f'<form method="post" action="/incidents/{incident.pk}/acknowledge">' in page
    assert 'id="no-incidents" data-level="NORMAL" hidden' in page
    services.acknowledge(incident_id=incident.pk, actor="bo", via="web", now=timezone.now())
    page = page_of(client)
    assert "Acknowledged by bo</li>" in page
    assert f'action="/incidents/{incident.pk}/acknowledge" hidden>' in page


def test_that_all_is_quiet_is_said_only_where_it_is_known(client: Client) -> None:
    assert 'id="open" aria-labelledby="open-title" hidden>' in page_of(client)
    an_hour(make_source())
    page = page_of(client)
    assert 'id="open" aria-labelledby="open-title">' in page
    assert 'id="no-incidents" data-level="NORMAL">' in page
    assert 'id="empty" hidden>' in page


def test_a_silence_stands_in_the_page_before_any_script_runs(client: Client) -> None:
    an_hour(make_source())
    now = timezone.now()
    services.create_silence(
        family="decline", starts=now, ends=now + timedelta(hours=1), reason="", actor="bo", now=now
    )
    page = page_of(client)
    assert 'id="quiet"><li class="notice" data-level="WARNING">' in page
    assert "nobody is notified about denials above normal. bo" in page


def picture(client: Client, **query: Any) -> Any:
    answer = client.get("/live.json", {"hours": 1, "until": UNTIL, **query})
    assert answer.status_code == 200
    return answer.json()


def test_an_empty_page_shows_how_to_send_the_first_report(client: Client) -> None:
    page = client.get("/", headers=PAGE)
    assert "curl -X POST http://testserver/transaction" in page.content.decode()
    assert picture(client)["state"] == "empty"


def test_minutes_are_shown_beside_what_was_expected(client: Client) -> None:
    an_hour(make_source())
    series = picture(client)["series"]
    assert len(series["minutes"]) == 60
    assert series["seen"]["total"] == [100.0] * 60
    assert series["lower"]["total"][0] == 90.0
    assert series["upper"]["denied"][0] == 18.0


def test_a_minute_without_reports_is_zero_and_before_the_first_one_unknown(client: Client) -> None:
    count(make_source(), at(30), approved=5)
    total = picture(client)["series"]["seen"]["total"]
    assert total[29] is None
    assert total[30] == 5.0
    assert total[31] == 0.0


def test_a_source_that_still_learns_is_said_to(client: Client) -> None:
    source = make_source()
    count(source, at(1), approved=5)
    assert picture(client)["state"] == "learning"
    expect(source, at(1), 5)
    assert picture(client)["state"] == "normal"


def test_bands_of_sources_add_up_and_a_learner_does_not_bend_them(client: Client) -> None:
    an_hour(make_source("one"))
    an_hour(make_source("two"))
    count(make_source("new"), at(10), approved=7)
    series = picture(client)["series"]
    assert series["seen"]["total"][10] == 207.0
    assert series["expected"]["total"][10] == 207.0
    # Half-widths of ten each add in squares.
    assert series["upper"]["total"][10] == pytest.approx(207 + 200**0.5, abs=0.01)


def test_one_source_is_shown_alone(client: Client) -> None:
    an_hour(make_source("one"))
    an_hour(make_source("two"), approved=1)
    assert picture(client, source="two")["series"]["seen"]["approved"][0] == 1.0


def test_wide_windows_hold_the_mean_per_minute(client: Client) -> None:
    an_hour(make_source())
    series = picture(client, hours=24)["series"]
    assert series["step"] == 5
    assert series["seen"]["total"][-1] == 100.0
    assert series["expected"]["total"][-1] == 100.0


def test_an_answer_since_a_minute_repeats_only_what_may_have_changed(client: Client) -> None:
    now = timezone.now()
    source = make_source()
    count(source, floor_to(now - timedelta(minutes=50), 1), approved=3)
    since = int(floor_to(now, 1).timestamp()) - 120
    series = client.get("/live.json", {"hours": 3, "since": since}).json()["series"]
    assert series["part"] is True
    assert 20 <= len(series["minutes"]) <= 22


def test_the_minute_under_way_is_counted(client: Client) -> None:
    count(make_source(), floor_to(timezone.now() + timedelta(minutes=1), 1), approved=41)
    assert client.get("/live.json").json()["current"]["total"] == 41


def test_an_open_incident_is_shown_in_words(client: Client) -> None:
    incident = open_incident(minute=10)
    shown = picture(client)["incidents"][0]
    assert shown["id"] == incident.pk
    assert shown["title"] == "Denials above normal at default"
    assert any("36 more than normal" in line for line in shown["lines"])
    assert shown["acknowledge"] == f"/incidents/{incident.pk}/acknowledge"


def test_an_incident_shades_the_time_it_went_on(client: Client) -> None:
    an_hour(make_source())
    incident = open_incident(minute=10)
    window = picture(client)["windows"][0]
    assert window["from"] == int(incident.onset.timestamp())
    assert window["level"] == "CRITICAL"


def test_the_newest_verdicts_say_why(client: Client) -> None:
    make_anomaly(10)
    verdict = picture(client)["verdicts"][0]
    assert verdict["reason"] == "42 denials in 1 min, 6 expected."
    assert (verdict["count"], verdict["lower"], verdict["upper"]) == (42, 2.0, 12.0)


@pytest.mark.parametrize("kept", ["{}", "W/{}", '"other", {}'])
def test_an_unchanged_picture_costs_no_body(client: Client, kept: str) -> None:
    an_hour(make_source())
    query = {"hours": 1, "until": UNTIL}
    first = client.get("/live.json", query)
    again = client.get("/live.json", query, headers={"If-None-Match": kept.format(first["ETag"])})
    assert again.status_code == 304
    assert again.content == b""


def test_a_changed_picture_has_another_tag(client: Client) -> None:
    an_hour(make_source())
    first = client.get("/live.json", {"hours": 1, "until": UNTIL})
    make_anomaly(59)
    query = {"hours": 1, "until": UNTIL}
    again = client.get("/live.json", query, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200


@pytest.mark.parametrize(
    "query",
    ["source=nobody", "since=yesterday", "until=99999999999999999999", "since=-5", "until=²"],
)
def test_nonsense_is_not_found(client: Client, query: str) -> None:
    assert client.get(f"/live.json?{query}").status_code == 404


def test_hours_that_are_not_on_offer_show_the_usual_ones(client: Client) -> None:
    assert client.get("/live.json?hours=5000").json()["series"]["step"] == 1


def test_only_those_who_may_act_see_the_button(client: Client) -> None:
    assert b"Acknowledge</button>" not in client.get("/", headers=PAGE).content


def test_the_number_of_queries_does_not_grow_with_the_minutes(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    an_hour(make_source("one"))
    an_hour(make_source("two"))
    open_incident(minute=5)
    with django_assert_max_num_queries(20):
        picture(client)


def test_a_part_is_shown_within_its_root(client: Client) -> None:
    root = open_incident(minute=0)
    part = open_incident(minute=1, family="code_mix")
    part.parent = root
    part.save()
    shown = picture(client)["incidents"]
    assert [card["id"] for card in shown] == [root.pk]
    assert shown[0]["families"] == ["decline", "code_mix"]


def test_what_goes_on_costs_as_many_queries_however_much_it_is(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        open_incident(source=make_source(f"shop{number}"), minute=20 * number)
    with django_assert_max_num_queries(20):
        assert len(picture(client)["incidents"]) == 20


def test_of_too_many_incidents_the_gravest_are_shown_and_the_newest_drawn(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "INCIDENTS", 2)
    names = {"a": "WARNING", "b": "CRITICAL", "c": "WARNING", "d": "WARNING"}
    found = [
        open_incident(source=make_source(name), level=level, minute=12 * place).pk
        for place, (name, level) in enumerate(names.items())
    ]
    shown = picture(client)
    assert [one["id"] for one in shown["incidents"]] == [found[1], found[3]]
    assert [one["id"] for one in shown["windows"]] == [found[2], found[3]]
    assert shown["beyond"] == 2
    assert '<b data-field="beyond">2</b>' in page_of(client)


def test_that_all_incidents_are_shown_needs_no_word(client: Client) -> None:
    open_incident()
    assert picture(client)["beyond"] == 0
    assert '<p class="small" id="beyond" hidden>' in page_of(client)
