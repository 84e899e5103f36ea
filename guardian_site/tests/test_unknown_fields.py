"""A mistyped field is refused by every door that reads a body, and what was meant is named."""

import json
import re
from typing import Any

import pytest

from alerts.models import Silence
from guardian_site.access.routes import all_routes
from guardian_site.access.rules import RULES
from guardian_site.tests.people import token_client
from ingest.models import ApiKey

pytestmark = pytest.mark.django_db
READS_A_BODY = ("POST", "PUT", "PATCH")
# Older clients send more with a report.
REPORTS = {"transaction", "batch"}
# A standard or a vendor says what these bodies hold, and adds to it.
OF_OTHERS = {"auth-token", "auth-revoke", "auth-introspect", "webhook-alert", "slack-actions"}
# Forms of our own pages, and three doors that look at no body.
LOOKS_AT_NONE = {"auth-logout", "backtest-restart", "backtest-stop"}
NO_BODY_OF_THE_API = {"login", "logout", "incident-action", *LOOKS_AT_NONE}
FORGIVING = REPORTS | OF_OTHERS | NO_BODY_OF_THE_API
STRICT = sorted(
    (route, method)
    for route, methods in RULES.items()
    for method in methods
    if method in READS_A_BODY and route not in FORGIVING
)


def sent(method: str, path: str, body: dict[str, Any]) -> list[dict[str, str]]:
    answer = token_client("admin").generic(
        method, path, data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 400, answer.content
    errors: list[dict[str, str]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize(("route", "method"), STRICT)
def test_a_field_that_nobody_reads_is_refused(route: str, method: str) -> None:
    path = "/" + re.sub("<[^>]*>", "1", all_routes()[route])
    errors = sent(method, path, {"quite_unknown": 1})
    assert {"field": "quite_unknown", "message": "is not a field here"} in errors


def test_every_wrong_field_is_named_beside_what_else_is_wrong() -> None:
    errors = sent("POST", "/auth/api-keys", {"nmae": "x", "sorce": "a", "expires": "2020-01-01"})
    told = {error["field"]: error["message"] for error in errors}
    assert told["nmae"].endswith('did you mean "name"?')
    assert told["sorce"].endswith('did you mean "source"?')
    assert told["expires"].endswith('did you mean "expires_in_days"?')
    assert told["name"] == "This field is required."


@pytest.mark.parametrize(
    ("path", "body", "field", "meant"),
    [
        ("/api/silences", {"ends": "2999-01-01T00:00:00Z"}, "sources", "source"),
        ("/auth/api-keys", {"name": "x"}, "sorce", "source"),
        ("/reset", {"confirm": "reset"}, "sources", "source"),
        ("/minutes/close", {"timestamp": "2026-03-02T12:00:00Z"}, "sorce", "source"),
        ("/api/incidents/1/silence", {}, "minute", "minutes"),
        (
            "/backtests",
            {"since": "2026-03-02T12:00:00Z", "until": "2026-03-02T13:00:00Z"},
            "source",
            "sources",
        ),
    ],
)
def test_what_was_meant_is_named_and_nothing_is_done(
    path: str, body: dict[str, Any], field: str, meant: str
) -> None:
    errors = sent("POST", path, {**body, field: "pos-south"})
    message = f'is not a field here; did you mean "{meant}"?'
    assert errors == [{"field": field, "message": message}]
    assert not Silence.objects.exists()
    assert not ApiKey.objects.exists()


def test_thousands_of_wrong_fields_are_told_in_short() -> None:
    errors = sent("POST", "/auth/login", {f"{'u' * 30}{number}": 1 for number in range(1500)})
    assert len(errors) == 100
