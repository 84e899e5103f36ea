"""Too many requests: 100 a minute are served, the rest is refused before any work."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from guardian_site.environment import machines
from guardian_site.tests.people import token_client
from guardian_site.web.client_address import client_address
from ingest.models import Report
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db
Headers = dict[str, str] | None
NOON = 1_800_000_000.0


@pytest.fixture(autouse=True)
def a_hundred_a_minute(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GUARDIAN_RATE_LIMIT = "100/m"
    # One window of the counter, however slow the machine is.
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: NOON))


def report(number: int) -> Any:
    body = {"status": "approved", "count": 1, "timestamp": f"2026-11-02T10:{number % 60:02}:00Z"}
    return Client().post(
        "/transaction",
        json.dumps({**body, "auth_code": f"{number:04}"}),
        content_type="application/json",
    )


def ask(client: Client | None = None, headers: Headers = None) -> Any:
    return (client or Client()).get("/cache/stats", headers=headers)


def test_of_130_requests_100_are_served_and_30_refused() -> None:
    answers = [report(number) for number in range(130)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429] * 30
    assert Report.objects.count() == 100
    assert [answer["X-RateLimit-Limit"] for answer in answers] == ["100"] * 130
    left = [int(answer["X-RateLimit-Remaining"]) for answer in answers]
    assert left == [*range(99, -1, -1), *[0] * 30]
    assert all(int(answer["X-RateLimit-Reset"]) > 0 for answer in answers)
    assert all(1 <= int(answer["Retry-After"]) <= 60 for answer in answers[100:])
    assert all(answer.json()["retry_after"] >= 1 for answer in answers[100:])


def test_a_person_is_refused_on_a_page_and_a_program_that_takes_pages_is_not() -> None:
    for _ in range(100):
        ask()
    page = ask(headers={"Accept": "text/html"})
    assert (page.status_code, page["Retry-After"]) == (429, str(page.context["wait"]))
    assert "Reload the page in" in page.content.decode()
    program = Client().post(
        "/cache/flush", "{}", "application/json", headers={"Accept": "text/html"}
    )
    assert program.json()["error"] == "Rate limit exceeded"


def test_a_refusal_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(100):
        ask()
    with django_assert_num_queries(0):
        assert ask().status_code == 429


def test_a_made_up_address_is_no_new_client() -> None:
    for number in range(100):
        ask(headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert ask(headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 429


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    for number in range(100):
        ask(Client(REMOTE_ADDR=f"2001:db8::{number:x}"))
    assert ask(Client(REMOTE_ADDR="2001:db8::ffff")).status_code == 429
    assert ask(Client(REMOTE_ADDR="2001:db8:1::1")).status_code == 200


def test_an_ipv4_address_inside_an_ipv6_one_is_a_client_of_its_own() -> None:
    for _ in range(100):
        ask(Client(REMOTE_ADDR="::ffff:198.51.100.1"))
    assert ask(Client(REMOTE_ADDR="198.51.100.1")).status_code == 429
    assert ask(Client(REMOTE_ADDR="::ffff:198.51.100.2")).status_code == 200


def test_a_trusted_proxy_is_known_by_its_address_inside_an_ipv6_one(settings: Settings) -> None:
    settings.GUARDIAN_TRUSTED_PROXIES = ["10.0.0.2"]
    request = RequestFactory().get(
        "/", REMOTE_ADDR="::ffff:10.0.0.2", headers={"X-Forwarded-For": "::ffff:203.0.113.9"}
    )
    assert client_address(request) == "203.0.113.9"


def test_clients_behind_a_network_of_proxies_are_told_apart(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDIAN_TRUSTED_PROXIES", "192.0.2.1,10.244.0.0/16")
    settings.GUARDIAN_TRUSTED_PROXIES = machines("GUARDIAN_TRUSTED_PROXIES")

    def seen(hops: str, peer: str = "10.244.7.8") -> str:
        request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": hops})
        return client_address(request)

    assert seen("203.0.113.9") == "203.0.113.9"
    assert seen("203.0.113.9, 192.0.2.1, 10.244.0.1") == "203.0.113.9"
    # What a client writes itself stands before its own address.
    assert seen("198.51.100.1, 203.0.113.9") == "203.0.113.9"
    assert seen("203.0.113.9", peer="10.245.0.1") == "10.245.0.1"


def test_a_made_up_key_gets_no_bucket_of_its_own() -> None:
    for number in range(100):
        ask(headers={"X-API-Key": f"tg_{number:09}"})
    assert ask(headers={"X-API-Key": "tg_another00"}).status_code == 429


@pytest.mark.parametrize("of_others", ["100/m", "off"])
def test_a_key_has_its_own_limit_however_it_is_shown(of_others: str, settings: Settings) -> None:
    settings.GUARDIAN_RATE_LIMIT = of_others
    key, secret = issue_key(name="k", rate_limit="3/m")
    exchanged = Client().post(
        "/auth/token",
        {"grant_type": "client_credentials", "client_id": key.prefix, "client_secret": secret},
        content_type="application/json",
    )
    token = exchanged.json()["access_token"]
    sent = [{"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"}]
    sent += [{"Authorization": f"Bearer {token}"}] * 2
    answers = [Client().get("/auth/me", headers=one) for one in sent]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["X-RateLimit-Limit"] for answer in answers] == ["3"] * 4


def test_where_there_is_no_limit_only_keys_have_one(settings: Settings) -> None:
    settings.GUARDIAN_RATE_LIMIT = "off"
    person, (_key, secret) = token_client("viewer"), issue_key(name="k")
    answers = [
        Client().get("/live.json"),
        person.get("/auth/me"),
        ask(headers={"X-API-Key": secret}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any("X-RateLimit-Limit" in answer for answer in answers)


def test_a_key_without_a_limit_is_not_limited() -> None:
    _key, secret = issue_key(name="k")
    answers = [ask(headers={"X-API-Key": secret}) for number in range(130)]
    assert {answer.status_code for answer in answers} == {200}


def test_people_share_the_limit_of_their_address() -> None:
    client = token_client("viewer")
    answers = [client.get("/auth/me").status_code for _ in range(100)]
    assert answers == [200] * 99 + [429]
