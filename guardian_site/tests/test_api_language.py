"""Whatever the pages speak, programs are answered in English."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation
from pytest_django import Settings

pytestmark = pytest.mark.django_db
REQUIRED = "This field is required."


@pytest.fixture(autouse=True)
def pages_speak_portuguese(settings: Settings) -> None:
    settings.LANGUAGE_CODE = settings.GUARDIAN_LANGUAGE = "pt-br"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ana"))
    return client


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/auth/login", {"username": "ana"}, REQUIRED),
        ("/api/silences", {}, REQUIRED),
        ("/auth/api-keys", {"name": ""}, "This field may not be blank."),
        ("/webhook/alert", {}, REQUIRED),
        (
            "/backtests",
            {"since": "2026-03-01", "until": "2026-03-02", "changes": {"minimum_excess": "x"}},
            "“x” value must be a float.",
        ),
    ],
)
def test_what_is_wrong_is_told_in_english(
    admin: Client, path: str, body: dict[str, Any], told: str
) -> None:
    answer = admin.post(path, body, content_type="application/json")
    assert [error["message"] for error in answer.json()["errors"]] == [told]


def test_a_filter_too(admin: Client) -> None:
    answer = admin.get("/api/incidents", {"state": "odd"})
    assert answer.json()["errors"][0]["message"] == '"odd" is not a valid choice.'


def test_the_pages_speak_on_as_they_did(admin: Client) -> None:
    admin.get("/api/incidents")
    assert translation.get_language() == "pt-br"
    for path in ("/", "/reports/handover"):
        page = admin.get(path, headers={"Accept": "text/html"}).content.decode()
        assert 'lang="pt-br"' in page
        assert "Incidentes" in page
