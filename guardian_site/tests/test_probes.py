import pytest
from django.test import Client
from pytest_django import Settings

from guardian_site.web.probes import PATHS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_probe_by_address_is_answered(client: Client, path: str) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3:8001"}).status_code == 200


def test_who_scrapes_json_comes_by_address_too() -> None:
    assert {"/metrics", "/metrics/json"} <= PATHS


def test_nothing_else_is_answered_to_a_foreign_host(client: Client) -> None:
    assert client.get("/openapi.json", headers={"Host": "10.1.2.3:8001"}).status_code == 400


def test_a_probe_is_not_sent_to_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/openapi.json").status_code == 301
    # Alertmanager calls the webhook within the stack, where nobody speaks TLS.
    assert client.post("/webhook/alert").status_code != 301
