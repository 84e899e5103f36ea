"""Who is in a team sees the sources of that team, on every page."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from alerts.services.channels import disable_channel
from alerts.tests.makers import at, make_channel, make_source, open_incident
from alerts.tests.pages import PAGE, an_hour, signed_in, streamed
from alerts.views import stream as page
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Client:
    client = signed_in("operator", "bia")
    team = Team.objects.create(name="south")
    team.members.add(get_user_model().objects.get(username="bia"))
    team.sources.add(make_source("mine"))
    make_source("theirs")
    return client


@pytest.mark.parametrize("address", ["/", "/incidents/", "/sources/", "/live.json"])
def test_a_member_sees_only_their_sources(member: Client, address: str) -> None:
    for name in ("mine", "theirs"):
        an_hour(make_source(name))
        open_incident(source=make_source(name))
    text = member.get(address, headers=PAGE).content.decode()
    assert "mine" in text
    assert "theirs" not in text


def test_what_is_not_theirs_is_not_there(member: Client) -> None:
    incident = open_incident(source=make_source("theirs"))
    for address in (
        f"/incidents/{incident.pk}/",
        f"/incidents/{incident.pk}/chart.json",
        "/sources/theirs/",
        "/live.json?source=theirs",
    ):
        assert member.get(address, headers=PAGE).status_code == 404
    assert member.post(f"/incidents/{incident.pk}/resolve").status_code == 404


def test_what_is_not_theirs_is_searched_for_as_what_is_nobodys(member: Client) -> None:
    for name in ("theirs", "nobodys"):
        answer = member.get("/", {"source": name}, headers=PAGE)
        assert (answer.status_code, answer["Location"]) == (302, f"/sources/?q={name}")
        assert "No source matches" in member.get(answer["Location"]).content.decode()


def test_the_stream_tells_only_what_is_theirs(
    member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(page, "LONGEST_SECONDS", 0.3)
    for name in ("theirs", "mine"):
        open_incident(source=make_source(name))
    answer = member.get("/stream", headers={"Last-Event-ID": "0.0"})
    text = b"".join(streamed(answer)).decode()
    assert '"source":"mine"' in text
    assert "theirs" not in text


def offered(client: Client) -> list[str]:
    page = client.get("/", headers=PAGE).content.decode()
    return re.findall(r'<a href="([^"]+)"', page[page.index("<nav") : page.index("</nav>")])


def test_every_page_that_somebody_is_offered_opens(member: Client) -> None:
    assert "/admin/" not in offered(member)
    assert "/admin/" in offered(signed_in("viewer", "eva"))
    for client in (member, signed_in("viewer", "ida"), Client()):
        assert {client.get(page, headers=PAGE).status_code for page in offered(client)} == {200}


@pytest.mark.parametrize(("role", "led"), [("operator", False), ("admin", True)])
@pytest.mark.parametrize("page", ["/", "/admin/"])
def test_who_may_mend_a_channel_is_led_there(role: str, led: bool, page: str) -> None:
    make_source()
    disable_channel(channel=make_channel("phone"), reason="there is no terminal", now=at(0))
    text = signed_in(role).get(page, headers=PAGE).content.decode()
    assert "there is no terminal" in text
    assert ("Fix it" in text) is led


def test_a_member_changes_their_password_though_the_admin_is_closed_to_them(
    member: Client,
) -> None:
    assert 'href="/admin/password_change/"' in member.get("/", headers=PAGE).content.decode()
    form = member.get("/admin/password_change/", headers=PAGE).content.decode()
    # Nothing else of the admin is offered: all of it would refuse them.
    assert 'href="/admin/alerts/' not in form
    new = {"new_password1": "correct-horse-7-battery", "new_password2": "correct-horse-7-battery"}
    told = member.post("/admin/password_change/", {"old_password": "secret", **new}, follow=True)
    assert told.status_code == 200
    assert told.redirect_chain == [("/admin/password_change/done/", 302)]
