"""Pages for a hundred thousand sources: found by typing, summed by the database."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from alerts.selectors import choosing, together
from alerts.tests.makers import at, make_source, open_incident
from alerts.tests.pages import PAGE, UNTIL, an_hour, count, signed_in
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sources are many."""
    monkeypatch.setattr(choosing, "MOST_LISTED", 1)
    monkeypatch.setattr(together, "MOST_TOGETHER", 1)


def picture(client: Client, **query: Any) -> Any:
    return client.get("/live.json", {"hours": 1, "until": UNTIL, **query}).json()


def shown(client: Client, address: str) -> str:
    return client.get(address, headers=PAGE).content.decode()


def found(client: Client, words: str) -> list[str]:
    return [one["name"] for one in client.get("/sources.json", {"q": words}).json()["sources"]]


def test_the_sum_of_many_is_that_of_few(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour(make_source("one"))
    an_hour(make_source("two"))
    an_hour(make_source("off", enabled=False))
    open_incident(source=make_source("one"), minute=5)
    few = picture(client)
    monkeypatch.setattr(together, "MOST_TOGETHER", 1)
    many = picture(client)
    assert (few["many"], many["many"]) == (False, True)
    assert many["series"]["seen"] == few["series"]["seen"]
    assert many["series"]["seen"]["total"][0] == 200.0
    for part in ("state", "newest", "history_hours", "incidents", "windows", "verdicts", "judged"):
        assert many[part] == few[part], part
    assert set(many["series"]["expected"]["total"]) == {None}


def test_a_few_of_many_are_summed_too(client: Client, many: None) -> None:
    for name in ("one", "two"):
        an_hour(make_source(name))
    for number in range(3):
        an_hour(make_source(f"off{number}", enabled=False))
    assert picture(client)["series"]["seen"]["total"][0] == 200.0


def test_many_that_only_learn_are_said_to(client: Client, many: None) -> None:
    for name in ("one", "two"):
        count(make_source(name), at(1), approved=5)
    assert picture(client)["state"] == "learning"


def test_learners_cost_one_query_however_many_they_are(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    an_hour(make_source("one"))
    for number in range(30):
        count(make_source(f"new{number}"), at(10), approved=1)
    with django_assert_max_num_queries(20):
        assert picture(client)["series"]["expected"]["total"][10] == 130.0


def test_few_sources_are_chosen_from_a_list(client: Client) -> None:
    make_source("one")
    make_source("two")
    assert '<option value="two">' in shown(client, "/")
    assert '<option value="two">' in shown(client, "/incidents/")
    assert "data-names" not in shown(client, "/") + shown(client, "/incidents/")


def test_many_are_found_by_typing(client: Client, many: None) -> None:
    make_source("one")
    make_source("two")
    for address in ("/?source=two", "/incidents/?source=two"):
        page = shown(client, address)
        assert 'data-names="/sources.json"' in page
        assert 'value="two"' in page
        assert '<option value="two">' not in page


def test_names_and_titles_are_searched_and_the_shortest_comes_first(client: Client) -> None:
    make_source("acquirer-north")
    make_source("north")
    make_source("kiosk", title="Up North")
    make_source("south")
    make_source("north-off", enabled=False)
    assert found(client, "NORTH") == ["kiosk", "north", "north-off", "acquirer-north"]
    assert found(client, "nothing like it") == []


def test_no_more_is_offered_than_can_be_read(client: Client) -> None:
    for number in range(choosing.MOST_FOUND + 5):
        make_source(f"s{number}")
    assert len(found(client, "")) == choosing.MOST_FOUND


def test_nobody_is_offered_what_only_others_may_see() -> None:
    ana = signed_in(name="ana")
    make_source("theirs")
    team = Team.objects.create(name="ours")
    team.sources.add(make_source("mine"))
    team.members.add(get_user_model().objects.get(username="ana"))
    assert found(ana, "") == ["mine"]


def test_a_name_that_is_none_leads_to_those_like_it(client: Client) -> None:
    make_source("one")
    answer = client.get("/", {"source": "on e"}, headers=PAGE)
    assert (answer.status_code, answer["Location"]) == (302, "/sources/?q=on+e")
    assert "No source matches “on e”" in shown(client, answer["Location"])


def test_the_list_of_incidents_is_narrowed_by_a_typed_name(client: Client, many: None) -> None:
    open_incident(source=make_source("one"))
    open_incident(source=make_source("two"))
    assert "1 incident<" in shown(client, "/incidents/?source=two")
    wrong = shown(client, "/incidents/?source=tw")
    assert "There is no source with this name." in wrong
    assert "2 incidents<" in wrong


def test_sources_are_searched_page_by_page(client: Client) -> None:
    for number in range(60):
        make_source(f"kiosk{number:02}")
    make_source("web")
    page = shown(client, "/sources/?q=kiosk")
    assert "60 sources" in page
    assert "?q=kiosk&amp;page=2" in page
    assert "web" not in page.split("<tbody>")[1]
