"""/openapi.json tells of every door of the API: what it is for, under which subject, in order."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from guardian_site.access.middleware import route_of
from guardian_site.access.rules import RULES
from guardian_site.openapi.plain_views import HEALTH, PLAIN_VIEWS
from guardian_site.openapi.subjects import SUBJECTS

# What only browsers ask for, and the files behind a message.
PAGES = {
    "live", "live-json", "incidents", "incident", "incident-json", "incident-action", "sources",
    "source", "source-names", "help", "^incidents$", "^incidents/<int:pk>$", "^sources$", "^help$",
    "login", "logout", "admin-login", "oidc_authentication_init", "oidc_authentication_callback",
    "runbook", "openapi", "docs", "redoc", "incident-picture",
}  # fmt: skip


# A vendor and a standard want an empty answer.
WITHOUT_A_BODY = {"post /slack/actions", "post /auth/revoke"}


@pytest.fixture(scope="module")
def described() -> Any:
    generator: Any = SchemaGenerator
    return generator().get_schema(public=True)


@pytest.fixture
def operations(described: Any) -> dict[str, Any]:
    return {
        f"{method} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_has_a_summary_and_one_subject(operations: dict[str, Any]) -> None:
    known = [[subject["name"]] for subject in SUBJECTS]
    assert [name for name, one in operations.items() if not one.get("summary")] == []
    assert [name for name, one in operations.items() if one["tags"] not in known] == []


def test_the_body_of_every_answer_is_described(operations: dict[str, Any]) -> None:
    found = {
        name
        for name, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status.startswith("2") and status != "204" and not answer.get("content")
    }
    assert found == WITHOUT_A_BODY


@pytest.mark.django_db
def test_an_answer_to_alertmanager_is_as_described(described: Any) -> None:
    alert = {"status": "firing", "labels": {"alertname": "DiskFull"}}
    answer = Client().post("/webhook/alert", {"alerts": [alert]}, "application/json")
    schema = described["components"]["schemas"]["Taken"]
    assert set(answer.json()) == set(schema["required"]) == {"received", "notifications"}


def test_it_begins_with_transactions_and_goes_by_subject(described: Any) -> None:
    assert list(described["paths"])[:2] == ["/transaction", "/transactions/batch"]
    told = [
        operation["tags"][0] for path in described["paths"].values() for operation in path.values()
    ]
    assert list(dict.fromkeys(told)) == [subject["name"] for subject in described["tags"]]
    assert all(subject["description"].endswith(".") for subject in described["tags"])


def test_no_description_repeats_a_docstring_of_a_view(operations: dict[str, Any]) -> None:
    views = {callback.cls for *_route, callback in EndpointEnumerator().get_api_endpoints()}
    docstrings = {str(base.__doc__) for view in views for base in view.__mro__ if base.__doc__}
    told = [one["description"] for one in operations.values()]
    assert [text for text in docstrings if any(text in one for one in told)] == []


def test_no_two_bodies_share_a_description(described: Any) -> None:
    told = [
        schema["description"]
        for schema in described["components"]["schemas"].values()
        if "description" in schema and schema["type"] == "object"
    ]
    assert len(told) == len(set(told))


def test_every_route_is_described_or_a_page(described: Any) -> None:
    paths = [re.sub("{[^}]*}", "1", path) for path in described["paths"]]
    assert set(RULES) - {route_of(resolve(path)) for path in paths} == PAGES


def test_who_may_names_admin_once(operations: dict[str, Any]) -> None:
    told = operations["post /reset"]["description"]
    assert told == "Who may: people from the role admin on; keys with the scope admin."


@pytest.mark.django_db
def test_the_health_is_described_as_it_is_told() -> None:
    assert list(Client().get("/health").json()) == HEALTH["required"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(PLAIN_VIEWS))
def test_a_method_that_is_not_described_is_not_allowed(path: str) -> None:
    allowed = ", ".join(method.upper() for method in PLAIN_VIEWS[path])
    answer = Client(enforce_csrf_checks=True).put(path)
    assert (answer.status_code, answer["Allow"]) == (405, allowed)


@pytest.mark.django_db
def test_a_stream_from_nowhere_is_refused_as_everything_else_is() -> None:
    answer = Client().get("/stream", {"last_event_id": "x"})
    assert answer.status_code == 400
    assert answer.json() == {"detail": "“x” is not an event id."}
