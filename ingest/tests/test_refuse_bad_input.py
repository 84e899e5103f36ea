"""Everything malformed is answered 4xx with the field named, and nothing is stored."""

import gzip
import json
import uuid
from random import Random
from typing import Any

import pytest
from django.test import Client

from ingest.models import MinuteCount, Report, Source, Transaction
from ingest.parsing.card_numbers import holds_card_number

pytestmark = [pytest.mark.urls("ingest.tests.doors"), pytest.mark.django_db]

CARD = "4111111111111111"
# The digits from 246 on could be those of a card.
UUID = "313874cd-dfbc-423d-b246-548991270564"
GOOD: dict[str, Any] = {"timestamp": "2026-03-04T12:00:00Z", "status": "approved", "count": 5}


def body(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


def batch(*rows: Any) -> bytes:
    return json.dumps({"transactions": rows}).encode()


SINGLE: list[tuple[str, bytes, str]] = [
    ("empty", b"", "body"),
    ("blank", b"  \n", "body"),
    ("not JSON", b"hello", "body"),
    ("cut short", b'{"status":"approved"', "body"),
    ("two objects", b'{"status":"approved"}{"status":"approved"}', "body"),
    ("trailing comma", b'{"status":"approved",}', "body"),
    ("single quotes", b"{'status':'approved'}", "body"),
    ("NaN", b'{"status":"approved","count":NaN}', "body"),
    ("byte order mark", b'\xef\xbb\xbf{"status":"approved"}', "body"),
    ("UTF-16", '{"status":"approved"}'.encode("utf-16"), "body"),
    ("not UTF-8", b'{"status":"approved","id":"\xff"}', "body"),
    ("not UTF-8 in a field nobody reads", b'{"status":"approved","note":"\xff"}', "body"),
    ("half a character", b'{"status":"approved","id":"\\ud800"}', "id"),
    ("half a character in a field nobody reads", b'{"status":"denied","x":"\\udfff"}', "body"),
    ("nested deeply", b'{"status":"approved","x":' + b"[" * 9999 + b"]" * 9999 + b"}", "body"),
    ("a list", b"[]", "body"),
    ("null", b"null", "body"),
    ("a text", b'"approved"', "body"),
    ("a number", b"5", "body"),
    ("no status", b"{}", "status"),
    ("status null", body(status=None), "status"),
    ("status unknown", body(status="declined"), "status"),
    ("status in capitals", body(status="APPROVED"), "status"),
    ("status with a space", body(status=" approved"), "status"),
    ("status a number", body(status=1), "status"),
    ("status a list", body(status=["approved"]), "status"),
    ("count negative", body(count=-1), "count"),
    ("count a fraction", body(count=1.5), "count"),
    ("count a whole float", body(count=5.0), "count"),
    ("count a text", body(count="5"), "count"),
    ("count true", body(count=True), "count"),
    ("count null", body(count=None), "count"),
    ("count too large", body(count=10**12 + 1), "count"),
    ("count beyond 64 bits", body(count=10**30), "count"),
    ("count endless", b'{"status":"approved","count":' + b"9" * 5000 + b"}", "body"),
    ("count an exponent", b'{"status":"approved","count":1e3}', "count"),
    ("source of Guardian itself", body(source=Source.CANARY), "source"),
    ("timestamp nonsense", body(timestamp="yesterday"), "timestamp"),
    ("timestamp empty", body(timestamp=""), "timestamp"),
    ("timestamp a number", body(timestamp=1752327900), "timestamp"),
    ("timestamp only a date", body(timestamp="2026-03-04"), "timestamp"),
    ("timestamp no such day", body(timestamp="2026-02-30T12:00:00"), "timestamp"),
    ("timestamp in the future", body(timestamp="2999-01-01T00:00:00Z"), "timestamp"),
    ("timestamp at the end of time", body(timestamp="9999-12-31T23:59:59-12:00"), "timestamp"),
    ("timestamp before computers", body(timestamp="1969-07-20T20:17:40Z"), "timestamp"),
    ("timestamp endless", body(timestamp="2" * 5000), "timestamp"),
    ("auth code too long", body(auth_code="0" * 17), "auth_code"),
    ("auth code a number", body(auth_code=51), "auth_code"),
    ("auth code with NUL", body(auth_code="0\0"), "auth_code"),
    ("auth code with a line end", body(auth_code="00\n"), "auth_code"),
    ("auth code not ASCII", body(auth_code="５１"), "auth_code"),
    ("source empty", body(source=""), "source"),
    ("source with a space", body(source="shop 1"), "source"),
    ("source too long", body(source="s" * 65), "source"),
    ("source with NUL", body(source="shop\0"), "source"),
    ("source with a path", body(source="../etc"), "source"),
    ("source of dots", body(source=".."), "source"),
    ("source an object", body(source={"name": "shop"}), "source"),
    ("id empty", body(id=""), "id"),
    ("id too long", body(id="t" * 129), "id"),
    ("id a number", body(id=17), "id"),
    ("id with NUL", body(id="t\0"), "id"),
    ("id a card number", body(id=CARD), "id"),
    ("id a card number in groups", body(id="x", note="4111 1111 1111 1111"), "note"),
    ("id a card number with dashes", body(id="4111-1111-1111-1111"), "id"),
    ("id a card number after a letter", body(id=f"x{CARD}"), "id"),
    ("id a card number after a UUID", body(id=f"{UUID}-{CARD}"), "id"),
    ("id a track of a card", body(id=f"{CARD}D251220100000000"), "id"),
    ("id a UUID of digits alone", body(id="41111111-1111-1111-0000-000000000000"), "id"),
    ("a card number somewhere", body(meta={"list": [1, f"paid {CARD}"]}), "meta.list[1]"),
    ("a card number as a number", body(meta=int(CARD)), "meta"),
    ("a field named pan", body(pan="x"), "pan"),
    ("a field named card_number", body(card={"card_number": "x"}), "card.card_number"),
    ("a field named CVV", body(CVV="123"), "CVV"),
    ("status named twice", b'{"status":"denied","status":"approved"}', "status"),
    ("count named twice", b'{"status":"denied","count":1,"count":2}', "count"),
    ("count named twice in disguise", b'{"status":"denied","count":1,"c\\u006funt":2}', "count"),
]

BATCH: list[tuple[str, bytes, str]] = [
    (
        "a row of Guardian itself",
        batch(GOOD, {**GOOD, "source": Source.CANARY}),
        "transactions[1].source",
    ),
    ("empty", b"", "body"),
    ("a list", b"[]", "transactions"),
    ("no transactions", b"{}", "transactions"),
    ("transactions null", b'{"transactions":null}', "transactions"),
    ("transactions an object", b'{"transactions":{}}', "transactions"),
    ("a row that is a number", batch(GOOD, 5), "transactions[1]"),
    ("a row that is null", batch(None), "transactions[0]"),
    ("a row without status", batch(GOOD, {"count": 1}), "transactions[1].status"),
    (
        "a bad count in row 3",
        batch(GOOD, GOOD, GOOD, {**GOOD, "count": -1}),
        "transactions[3].count",
    ),
    ("a bad time in row 1", batch(GOOD, {**GOOD, "timestamp": "x"}), "transactions[1].timestamp"),
    (
        "a bad time in a batch of one",
        batch({**GOOD, "timestamp": "x"}),
        "transactions[0].timestamp",
    ),
    (
        "the future in row 1",
        batch(GOOD, {**GOOD, "timestamp": "2999-01-01T00:00:00Z"}),
        "transactions[1].timestamp",
    ),
    ("a card in row 1", batch(GOOD, {**GOOD, "id": CARD}), "transactions[1].id"),
    ("more than 10,000 rows", batch(*[{"status": "denied"}] * 10_001), "transactions"),
    (
        "a count twice in one row, none in the other",
        b'{"transactions":[{"status":"denied","count":1,"count":2},{"status":"denied"}]}',
        "count",
    ),
]


def stored() -> int:
    return sum(model.objects.count() for model in (Report, Transaction, MinuteCount, Source))


def refused_fields(client: Client, path: str, sent: bytes) -> tuple[int, list[str]]:
    response = client.post(path, sent, content_type="application/json")
    errors = response.json()["errors"]
    assert all(error["message"] for error in errors)
    return response.status_code, [error["field"] for error in errors]


@pytest.mark.parametrize(("sent", "field"), [row[1:] for row in SINGLE], ids=[r[0] for r in SINGLE])
def test_a_bad_report_is_refused_by_name(client: Client, sent: bytes, field: str) -> None:
    status, fields = refused_fields(client, "/transaction", sent)
    assert status == 400
    assert field in fields
    assert stored() == 0


@pytest.mark.parametrize(("sent", "field"), [row[1:] for row in BATCH], ids=[r[0] for r in BATCH])
def test_a_bad_batch_is_refused_by_row(client: Client, sent: bytes, field: str) -> None:
    status, fields = refused_fields(client, "/transactions/batch", sent)
    assert status == 400
    assert field in fields
    assert stored() == 0


def test_a_number_that_nobody_can_read_is_told_in_words_for_its_sender(client: Client) -> None:
    sent = b'{"status": "approved", "count": ' + b"9" * 5000 + b"}"
    response = client.post("/transaction", sent, content_type="application/json")
    assert response.json()["detail"] == "body: is not JSON: a number has too many digits"


@pytest.mark.parametrize(
    ("sent", "told"),
    [(gzip.compress(body()), "gzip"), (b"\xef\xbb\xbf" + body(), "byte order mark")],
    ids=["gzip", "mark"],
)
def test_what_was_done_to_a_good_body_is_named(client: Client, sent: bytes, told: str) -> None:
    response = client.post("/transaction", sent, content_type="application/json")
    assert response.status_code == 400
    assert told in response.json()["errors"][0]["message"]


def test_every_bad_row_and_every_bad_field_is_named(client: Client) -> None:
    sent = batch({"status": "x", "count": -1}, GOOD, {**GOOD, "id": ""})
    _status, fields = refused_fields(client, "/transactions/batch", sent)
    assert fields == ["transactions[0].status", "transactions[0].count", "transactions[2].id"]


def test_at_most_a_hundred_errors_are_listed_and_the_rest_counted(client: Client) -> None:
    sent = batch(*[{"status": "x"}] * 130)
    response = client.post("/transactions/batch", sent, content_type="application/json")
    assert len(response.json()["errors"]) == 100
    assert "30 more" in response.json()["detail"]


def test_a_card_number_is_not_repeated_in_the_answer(client: Client) -> None:
    for sent in (body(id=CARD), body(**{CARD: "x"}), body(note=f"card {CARD}")):
        response = client.post("/transaction", sent, content_type="application/json")
        assert response.status_code == 400
        assert CARD not in response.content.decode()


@pytest.mark.parametrize("sent", [UUID, UUID.upper(), f"tx-{UUID}", f"f{CARD}aabbccd"])
def test_a_hexadecimal_id_is_no_card_number(client: Client, sent: str) -> None:
    response = client.post("/transaction", body(id=sent), content_type="application/json")
    assert response.status_code == 200


@pytest.mark.parametrize("sent", ["20260304120005", "2026-0304-1200-05", "tx20260304120006019"])
def test_an_id_with_a_time_is_no_card_number(client: Client, sent: str) -> None:
    response = client.post("/transaction", body(id=sent), content_type="application/json")
    assert response.status_code == 200


def test_no_random_uuid_is_a_card_number() -> None:
    chance = Random(7)
    drawn = [uuid.UUID(int=chance.getrandbits(128), version=4) for _ in range(20_000)]
    assert not [one for one in drawn if holds_card_number(str(one)) or holds_card_number(one.hex)]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_another_content_type_is_refused(client: Client, content_type: str) -> None:
    response = client.generic("POST", "/transaction", body(), content_type=content_type)
    assert response.status_code == 415
    assert response.json()["errors"][0]["field"] == "Content-Type"


def test_a_body_over_the_limit_is_refused_unread(client: Client) -> None:
    sent = b'{"status":"approved","x":"' + b"x" * (5 * 1024 * 1024) + b'"}'
    response = client.post("/transaction", sent, content_type="application/json")
    assert response.status_code == 413
    assert response.json()["errors"][0]["field"] == "body"


def test_a_body_of_unknown_length_is_refused(client: Client) -> None:
    response = client.generic("POST", "/transaction", headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 411
    assert response.json()["errors"][0]["field"] == "Content-Length"


def test_a_wrong_key_is_refused_though_none_is_needed(client: Client) -> None:
    response = client.post(
        "/transaction", body(), content_type="application/json", headers={"X-API-Key": "tg_wrong"}
    )
    assert response.status_code == 401
    assert response.json()["errors"][0]["field"] == "X-API-Key"
    assert stored() == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.generic(method, "/transaction").status_code == 405
