"""A line that is open ends when whoever reads it would not be let in any more."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alerts.tests.pages import streamed
from alerts.views import stream
from guardian_site.access.models import Team
from guardian_site.access.services.signing_in import sign_out_everywhere
from guardian_site.tests.people import PASSWORD, make_person, token_client
from ingest.models import ApiKey
from ingest.services.keys import issue_key, revoke_key

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(30)]
HEARTBEAT = b": still here\n\n"


@pytest.fixture(autouse=True)
def asked_at_every_look(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    monkeypatch.setattr(stream, "LOOK_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.0)


def browser() -> Client:
    make_person()
    client = Client()
    client.post("/login", {"username": "the-viewer", "password": PASSWORD})
    return client


def program() -> Client:
    return token_client()


def machine() -> Client:
    _key, secret = issue_key(name="k", scopes=["read"])
    return Client(headers={"X-API-Key": secret})


def sign_out(client: Client) -> None:
    other = Client()
    other.cookies = client.cookies
    other.post("/logout")


def end_sign_ins(client: Client) -> None:
    sign_out_everywhere(user=User.objects.get(), now=timezone.now())


def new_password(client: Client) -> None:
    user = User.objects.get()
    user.set_password("another-horse-8-battery")
    user.save()


def no_role(client: Client) -> None:
    User.objects.get().groups.clear()


def deactivated(client: Client) -> None:
    User.objects.update(is_active=False)


def into_a_team(client: Client) -> None:
    Team.objects.create(name="acquiring").members.add(User.objects.get())


def revoked(client: Client) -> None:
    revoke_key(key=ApiKey.objects.get())


@pytest.mark.parametrize(
    ("reader", "change"),
    [
        *((browser, one) for one in (sign_out, new_password, no_role, deactivated, into_a_team)),
        *((program, one) for one in (end_sign_ins, new_password, no_role, deactivated)),
        (machine, revoked),
    ],
)
def test_a_line_ends_with_what_opened_it(
    reader: Callable[[], Client], change: Callable[[Client], None]
) -> None:
    client = reader()
    line = streamed(client.get("/stream"))
    next(line)
    assert [next(line), next(line)] == [HEARTBEAT] * 2
    change(client)
    assert list(line) == []
