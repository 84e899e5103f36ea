"""One reader leaves lines of the event stream to others; who one reader is."""

import pytest
from django.test import Client
from pytest_django import Settings

from alerts.views import stream
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "lines", stream.Lines(3, 1))


def opened(*clients: Client) -> list[int]:
    """Return the status of a line of each, all of them open at once."""
    lines = [client.get("/stream") for client in clients]
    found = [line.status_code for line in lines]
    for line in lines:
        line.close()
    return found


def with_key(name: str) -> Client:
    _key, secret = issue_key(name=name, scopes=["read"])
    return Client(headers={"X-API-Key": secret})


def test_two_keys_at_one_address_are_two_readers() -> None:
    one, other = with_key("one"), with_key("other")
    assert opened(one, other, one) == [200, 200, 503]


def test_strangers_behind_our_proxy_are_told_apart(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True
    settings.GUARDIAN_TRUSTED_PROXIES = ["10.0.0.2"]
    one, other = (
        Client(REMOTE_ADDR="10.0.0.2", headers={"X-Forwarded-For": address})
        for address in ("203.0.113.9", "203.0.113.10")
    )
    assert opened(one, other, one) == [200, 200, 503]


def test_what_was_given_back_twice_is_one_line() -> None:
    lines = stream.Lines(2, 2)
    first, second = lines.take("ana"), lines.take("ana")
    assert first is not None
    assert second is not None
    first()
    first()
    assert lines.take("ana") is not None
    assert lines.take("ana") is None
