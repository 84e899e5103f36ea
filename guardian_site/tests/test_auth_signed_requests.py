"""Signed requests: the secret stays at home, and what was heard once is worth nothing."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from ingest.models import ApiKey, Report, Source
from ingest.parsing.bodies import LARGEST_BODY
from ingest.services.keys import issue_key
from ingest.services.proving import WINDOW_SECONDS, Asked, signature, signing_secret

pytestmark = pytest.mark.django_db
BODY = json.dumps({"status": "approved", "count": 3, "source": "acquirer"}).encode()


@pytest.fixture(autouse=True)
def keys_are_required(settings: Settings) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    Source.objects.create(name="acquirer")


def headers(key: ApiKey, body: bytes = BODY, *, at: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    secret = signing_secret(prefix=key.prefix, secret_hash=key.secret_hash)
    asked = Asked("POST", "/transaction", body)
    return {
        "X-Key-Id": key.prefix,
        "X-Timestamp": timestamp,
        "X-Signature": signature(secret=secret, timestamp=timestamp, asked=asked),
    }


def post(sent: dict[str, str], body: bytes = BODY) -> Any:
    return Client().post("/transaction", body, content_type="application/json", headers=sent)


def test_a_signed_report_is_taken() -> None:
    key, _secret = issue_key(name="k")
    assert post(headers(key)).status_code == 200
    assert Report.objects.count() == 1


def test_the_same_request_is_not_taken_twice() -> None:
    key, _secret = issue_key(name="k")
    sent = headers(key)
    post(sent)
    answer = post(sent)
    assert answer.status_code == 401
    assert "used before" in answer.json()["detail"]


@pytest.mark.parametrize("off", [-WINDOW_SECONDS - 5, WINDOW_SECONDS + 5])
def test_an_old_or_future_signature_is_refused(off: float) -> None:
    key, _secret = issue_key(name="k")
    assert post(headers(key, at=time.time() + off)).status_code == 401


def test_another_body_or_another_key_does_not_fit_the_signature() -> None:
    key, _secret = issue_key(name="k")
    other, _secret = issue_key(name="other")
    assert post(headers(key), BODY.replace(b"3", b"4")).status_code == 401
    assert post({**headers(key), "X-Key-Id": other.prefix}).status_code == 401
    assert Report.objects.count() == 0


def test_a_body_too_large_to_be_read_is_told_so_and_is_no_fault_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key, _secret = issue_key(name="k")
    large = b" " * (LARGEST_BODY + 1)
    assert post(headers(key, large), large).status_code == 413
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "9" * 40, "1e9", "١٢٣"])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    key, _secret = issue_key(name="k")
    sent = {**headers(key), "X-Timestamp": timestamp}
    assert Client(headers=sent).post("/transaction", BODY, "application/json").status_code == 401


def test_a_key_that_only_signs_is_not_taken_in_the_open() -> None:
    key, secret = issue_key(name="k", signed_only=True)
    assert post({"X-API-Key": secret}).status_code == 401
    assert post(headers(key)).status_code == 200


def test_a_stolen_database_signs_nothing(settings: Settings) -> None:
    key, _secret = issue_key(name="k")
    settings.SECRET_KEY = "what a thief of rows does not know" * 2
    made_by_thief = headers(key)
    settings.SECRET_KEY = "what the site knows" * 3
    assert post(made_by_thief).status_code == 401
