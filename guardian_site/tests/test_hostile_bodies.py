"""Bodies and addresses made to break things are refused, and named; nothing is a 500."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from guardian_site.tests.people import token_client
from ingest.plain import cell, plain
from ingest.services.keys import authenticate_key, issue_key

pytestmark = pytest.mark.django_db
DEEP = b'{"username":' + b"[" * 20_000 + b"]" * 20_000 + b"}"


@pytest.fixture(autouse=True)
def anybody_may_read(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True


def post(path: str, body: bytes, client: Client | None = None) -> Any:
    return (client or Client()).post(path, body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1e999",
        b"NaN",
        b"\xff\xfe",
        b'{"username": "\\ud800", "password": "x"}',
        b'{"username": "\\u0000", "password": "x"}',
        b'{"username": {"a": 1}, "password": []}',
        b'{"username": ' + b"9" * 5000 + b', "password": "x"}',
        DEEP,
    ],
)
def test_a_body_that_is_no_sign_in_is_named_and_refused(body: bytes) -> None:
    answer = post("/auth/login", body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_body_larger_than_the_route_reads_is_not_read() -> None:
    answer = post("/auth/login", b" " * 70_000)
    assert answer.status_code == 413
    assert "65536" in answer.json()["detail"]


def test_what_the_sender_made_up_is_told_back_fit_for_an_answer() -> None:
    answer = post("/auth/api-keys", b'{"name": "k", "scopes": ["<\\ud83d\\ude00>"]}', admin())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("scopes")


@pytest.mark.parametrize("path", ["/anomalies?source=%00", "/sources/a%00b/", "/stats?%00"])
def test_the_character_that_no_database_takes_is_refused(path: str) -> None:
    assert Client().get(path).status_code == 400


@pytest.mark.parametrize("limit", ["9" * 5000, "0" * 12 + "9" * 5000, "-1", "1e3", "٣", "", "+1"])
def test_a_number_that_is_none_is_refused(limit: str) -> None:
    assert Client().get("/anomalies", {"limit": limit}).status_code in (200, 400)
    assert Client().get("/api/incidents", {"limit": limit}).status_code in (200, 400)


@pytest.mark.parametrize("cursor", ["9" * 39, f"1.{'9' * 37}", f"{'9' * 12}.1", ".", "1.", "-1.2"])
def test_a_cursor_that_was_made_up_is_refused(cursor: str) -> None:
    assert Client().get("/anomalies", {"cursor": cursor}).status_code in (200, 400)


LONG_AGO = "0736-11-05T17:46:54-22:47"


@pytest.mark.parametrize("moment", [LONG_AGO, "0001-01-01T00:00:00+23:59", "T", "x"])
def test_a_moment_out_of_all_time_is_refused(moment: str) -> None:
    assert Client().get("/api/statistics", {"since": moment}).status_code == 400
    assert Client().get("/reports/handover", {"since": moment}).status_code in (400, 401)
    assert Client().get("/anomalies", {"since": moment}).status_code in (200, 400)


def admin() -> Client:
    return token_client("admin")


def test_a_name_with_line_breaks_makes_no_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = token_client("viewer")
    client.delete("/cache/flush")
    client.post("/api/incidents/1/close\nERROR forged", content_type="application/json")
    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("header", ["X-Request-ID", "X-Forwarded-For", "Accept", "Authorization"])
def test_a_header_with_a_line_break_makes_no_header_of_ours(header: str) -> None:
    answer = Client().get("/health/live", headers={header: "a\r\nSet-Cookie: b=c"})
    assert "b" not in answer.cookies
    assert all("\n" not in value for value in answer.headers.values())


def test_a_redirect_after_the_sign_in_stays_on_this_site() -> None:
    from guardian_site.tests.people import PASSWORD, make_person

    make_person()
    form = {"username": "the-viewer", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login", form)["Location"] == "/"


@given(st.text(max_size=300))
def test_a_line_stays_a_line_and_a_cell_is_no_formula(text: str) -> None:
    line = plain(text)
    assert line.isprintable()
    assert len(line) <= 200
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            ["Authorization", "X-API-Key", "X-Key-Id", "X-Timestamp", "X-Signature", "Cookie"]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=80)
        | st.text(max_size=60).map(lambda text: f"Bearer {text.encode().hex()}.{text[:3]}.x"),
        min_size=1,
    )
)
def test_whatever_credentials_are_sent_nobody_gets_in_and_nothing_breaks(
    headers: dict[str, str],
) -> None:
    sent = {
        name: value.encode("latin-1", "replace").decode("latin-1")
        for name, value in headers.items()
    }
    assert Client().get("/auth/me", headers=sent).status_code == 401


@hypothesis_settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_is_sent_to_sign_in_it_is_refused_and_nothing_breaks(body: Any) -> None:
    for path in ("/auth/login", "/auth/refresh", "/auth/token", "/auth/revoke"):
        assert post(path, json.dumps(body).encode()).status_code in (400, 401, 429)


def _quickest(secret: str) -> float:
    """Time one refusal [s]; the quickest of many is what the machine's other work leaves alone."""
    took = []
    for _ in range(400):
        started = time.perf_counter()
        assert authenticate_key(secret=secret) is None
        took.append(time.perf_counter() - started)
    return min(took)


def test_how_long_a_refusal_takes_does_not_tell_how_much_of_a_key_was_right() -> None:
    _key, secret = issue_key(name="k")
    wrong_at_once = f"{secret[:12]}{'A' * (len(secret) - 12)}"
    wrong_at_last = f"{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}"
    early, late = _quickest(wrong_at_once), _quickest(wrong_at_last)
    assert abs(early - late) < 0.5 * early


def test_secrets_are_compared_by_their_hashes_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _key, secret = issue_key(name="k")
    compared: list[tuple[str, str]] = []

    def noting(left: str, right: str) -> bool:
        compared.append((left, right))
        return False

    monkeypatch.setattr("ingest.services.keys.hmac.compare_digest", noting)
    assert authenticate_key(secret=secret) is None
    assert [len(side) for pair in compared for side in pair] == [64, 64]
    assert secret not in str(compared)
