"""What ties incidents of several teams names no source to those who do not see it."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import translation

from alerts.models import Channel, Incident, Silence
from alerts.selectors.stream import Place, happenings_after
from alerts.services.sending import outgoing
from alerts.tests.makers import at, live, make_channel, make_source
from alerts.tests.pages import operator, shown
from guardian_site.access.models import Team
from ingest.models import Source

pytestmark = pytest.mark.django_db
THEIRS = "Bakery"


def ours(*sources: Source) -> Client:
    """Return the browser of somebody who sees these sources only."""
    client, team = operator(), Team.objects.create(name="ours")
    team.sources.set(sources)
    team.members.add(get_user_model().objects.get(username="ana"))
    return client


def of_one_parent() -> tuple[Incident, Incident]:
    """A shop and another team's bakery fail together: the bakery is part of the shop."""
    above = make_source("acquirer")
    for minute, name in enumerate(("shop", "bakery")):
        source = make_source(name, title=name.title(), parent=above)
        live(1, bad={minute}, first=minute, source=source)
    root, part = Incident.objects.order_by("id")
    assert part.parent == root
    return root, part


def test_who_sees_all_reads_what_belongs_to_it() -> None:
    root, part = of_one_parent()
    page = shown(operator(), root)
    assert f"Denials above normal at {THEIRS}</a>" in page
    assert "Denials above normal at Shop</a>" in shown(Client(), part)


def test_the_page_of_the_whole_names_no_part_of_others() -> None:
    make_channel("phone", "telegram", configuration={"chat_id": "1", "token": "x"})
    root, part = of_one_parent()
    page = shown(ours(root.source), root)
    assert f"#{part.pk} Denials: began together at sources of one parent" in page
    assert THEIRS not in page
    assert "Includes" not in page


def told_to(channel: Channel, root: Incident) -> str:
    row, _made = root.notifications.get_or_create(channel=channel, kind="opened", occasion="told")
    brief = outgoing(row=row, now=at(3)).brief
    assert brief is not None
    return "\n".join([brief.headline, *brief.lines])


def test_a_message_to_a_channel_of_a_team_names_no_part_of_others() -> None:
    root, _part = of_one_parent()
    everybody, team = make_channel("everybody"), make_channel("team")
    team.sources.add(root.source)
    assert f"Includes: Denials above normal at {THEIRS}" in told_to(everybody, root)
    told = told_to(team, root)
    assert (THEIRS in told, "and 1 more source" in told) == (False, True)


def test_a_message_to_one_person_names_the_parts_they_see() -> None:
    root, part = of_one_parent()
    ours(root.source)
    phone = make_channel("phone", owner=get_user_model().objects.get(username="ana"))
    assert THEIRS not in told_to(phone, root)
    Team.objects.get(name="ours").sources.add(part.source)
    assert f"Includes: Denials above normal at {THEIRS}" in told_to(phone, root)


def test_the_page_of_a_part_tells_of_a_whole_of_others_the_number() -> None:
    root, part = of_one_parent()
    client = ours(part.source)
    page = shown(client, part)
    assert "Part of an incident at a source you cannot see" in page
    assert f"#{root.pk}</span>" in page
    assert "Shop" not in page
    assert f'href="/incidents/{root.pk}/"' not in page
    with translation.override("pt-br"):
        assert "Parte de um incidente em uma origem que você não pode ver" in shown(client, part)


def test_a_silence_of_others_is_named_to_none_of_ours() -> None:
    root, part = of_one_parent()
    Silence.objects.create(source=root.source, starts=at(1), ends=datetime(2099, 1, 1, tzinfo=UTC))
    assert "Silenced until" not in shown(ours(part.source), part)
    assert "Silenced until" in shown(Client(), part)


def test_the_live_page_names_no_part_of_others() -> None:
    root, _part = of_one_parent()
    [card] = ours(root.source).get("/live.json").json()["incidents"]
    assert card["id"] == root.pk
    assert THEIRS not in str(card)
    [card] = Client().get("/live.json").json()["incidents"]
    assert THEIRS in str(card)


def test_the_api_and_the_stream_name_no_part_of_others() -> None:
    root, _part = of_one_parent()
    client = ours(root.source)
    assert THEIRS not in client.get(f"/api/incidents/{root.pk}").content.decode()
    told = happenings_after(Place(), now=at(60), seen={root.source_id})
    assert len([one for one in told if one.body]) > 2
    assert THEIRS not in str(told)
