"""A body that comes in chunks, without its length, is read as one that was sent whole."""

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from deploy.bench.in_process import ask
from guardian_site.access.rules import USUAL_BODY
from guardian_site.wsgi import application
from ingest import steady_clock
from ingest.models import MinuteCount
from ingest.parsing.bodies import LARGEST_BODY
from ingest.services.keys import issue_key
from ingest.services.proving import Asked, signature, signing_secret

pytestmark = pytest.mark.django_db(transaction=True)
REPORT = {"status": "approved", "count": 5}


def send(path: str, body: bytes, **environ: Any) -> tuple[str, Any]:
    chunked = {
        "CONTENT_LENGTH": None,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
    }
    answer = ask(application, body, path, **{**chunked, **environ})
    return answer.status, answer.json()


@pytest.mark.parametrize("cookie", [{}, {"HTTP_COOKIE": "other=1"}])
def test_a_report_is_counted(cookie: dict[str, str]) -> None:
    status, _ = send("/transaction", json.dumps(REPORT).encode(), **cookie)
    assert status == "200 OK"
    assert MinuteCount.objects.get().count == 5


def test_a_batch_is_counted() -> None:
    status, answer = send("/transactions/batch", json.dumps({"transactions": [REPORT]}).encode())
    assert (status, answer["processed"]) == ("200 OK", 1)


def test_somebody_signs_in() -> None:
    User.objects.create_user("ana", password="a long password")
    given = {"username": "ana", "password": "a long password"}
    status, answer = send("/auth/login", json.dumps(given).encode())
    assert (status, answer["user"]["username"]) == ("200 OK", "ana")


def test_a_signature_covers_the_chunks() -> None:
    key, _ = issue_key(name="k")
    body, now = json.dumps(REPORT).encode(), str(int(steady_clock.now().timestamp()))
    secret = signing_secret(prefix=key.prefix, secret_hash=key.secret_hash)
    told = signature(secret=secret, timestamp=now, asked=Asked("POST", "/transaction", body))
    signed = {"HTTP_X_KEY_ID": key.prefix, "HTTP_X_TIMESTAMP": now, "HTTP_X_SIGNATURE": told}
    assert send("/transaction", body, **signed)[0] == "200 OK"
    assert send("/transaction", body + b" ", **signed)[0].startswith("401")


def test_no_chunk_is_an_empty_body() -> None:
    status, answer = send("/transaction", b"")
    assert (status, answer["errors"][0]["field"]) == ("400 Bad Request", "body")


@pytest.mark.parametrize(
    ("path", "most"), [("/transaction", LARGEST_BODY), ("/auth/login", USUAL_BODY)]
)
def test_no_more_is_read_than_a_route_takes(path: str, most: int) -> None:
    sent = io.BytesIO(b" " * (2 * LARGEST_BODY))
    status, _ = send(path, b"", **{"wsgi.input": sent})
    assert status.startswith("413")
    assert sent.tell() == most + 1


def test_of_whoever_may_not_come_in_nothing_is_read() -> None:
    sent = io.BytesIO(b"{}")
    status, _ = send("/reset", b"", **{"wsgi.input": sent})
    assert (status, sent.tell()) == ("401 Unauthorized", 0)


def test_a_server_that_finds_no_end_is_told_to_need_a_length() -> None:
    status, answer = send("/transaction", b"{}", **{"wsgi.input_terminated": False})
    assert (status, answer["errors"][0]["field"]) == ("411 Length Required", "Content-Length")
