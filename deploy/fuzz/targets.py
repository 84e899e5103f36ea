"""The readers of outsiders' bytes: each target takes any bytes and raises only at a fault.

Hypothesis runs these targets in the tests and atheris runs them guided by coverage
(`deploy.fuzz.parsers`). Those that use the database undo what they did.
"""

import hashlib
import hmac
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from alerts.models import Channel
from alerts.services import telegram_bot
from ingest.models import Status
from ingest.parsing.bodies import LARGEST_COUNT, ReportBody, read_batch, read_report
from ingest.parsing.card_numbers import holds_card_number
from ingest.parsing.count_files import BadFile, BadLine, CountFile
from ingest.parsing.moments import check_plausible, read_moment
from ingest.refusals import Refused
from ingest.services.proving import Asked, NotProven, secret_holder, signature_holder

Target = Callable[[bytes], None]
ZONE = ZoneInfo("America/Sao_Paulo")
SECRET = "a secret of this fuzz alone, of no use elsewhere"
FORM = "application/x-www-form-urlencoded"
TARGETS: dict[str, Target] = {}


def target(function: Target) -> Target:
    """Note a target under its name."""
    TARGETS[function.__name__] = function
    return function


@contextmanager
def undone() -> Iterator[None]:
    """Leave no trace in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _is_told(refusal: Refused) -> None:
    """A refusal can be written as an answer, and says something."""
    assert json.loads(msgspec.json.encode(refusal.body()))["detail"]
    assert 400 <= refusal.status < 500


def _holds_no_card(row: ReportBody) -> None:
    for value in msgspec.structs.asdict(row).values():
        assert not (isinstance(value, str) and holds_card_number(value)), value


@target
def report(data: bytes) -> None:
    """The body of POST /transaction."""
    try:
        row = read_report(data)
    except Refused as refusal:
        _is_told(refusal)
        return
    _holds_no_card(row)
    # What is taken is JSON to everybody, not to a lenient reader alone.
    assert json.loads(data)["status"] == row.status


@target
def batch(data: bytes) -> None:
    """The body of POST /transactions/batch."""
    try:
        rows = read_batch(data)
    except Refused as refusal:
        _is_told(refusal)
        return
    for row in rows:
        _holds_no_card(row)
    assert len(json.loads(data)["transactions"]) == len(rows)


@target
def moment(data: bytes) -> None:
    """A time as senders write them; what is read is an instant, and reads the same again."""
    try:
        found = read_moment(data.decode("utf-8", "replace"), ZONE)
        check_plausible(found, datetime.now(UTC))
    except ValueError:
        return
    assert found.utcoffset() == timedelta(0)
    assert read_moment(found.isoformat(), ZONE) == found


@target
def count_file(data: bytes) -> None:
    """A CSV file of counts: every line is a row that can be stored, or says why it is none."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(data)
        file.flush()
        try:
            found = CountFile(Path(file.name))
        except BadFile:
            return
        for number, row in found.rows(ZONE, datetime.now(UTC)):
            assert number > 1
            if isinstance(row, BadLine):
                assert row.reason
                continue
            _moment, status, code, count = row
            assert status in Status.values
            assert 0 <= count <= LARGEST_COUNT
            assert code.isascii()
            assert not holds_card_number(code)


def _headers(data: bytes) -> dict[str, str]:
    """Read one header a line, as a web server hands them over (latin-1)."""
    lines = [line.partition(":") for line in data.decode("latin-1").split("\n")]
    return {name.strip().title(): value.strip() for name, _, value in lines if name.strip()}


@target
def signed_headers(data: bytes) -> None:
    """The headers of a signed request: nobody is behind what was not signed."""
    headers = {"X-Signature": "", "X-Api-Key": "", **_headers(data)}
    asked = Asked("POST", "/transaction", data)
    proofs: list[Callable[[], object]] = [
        lambda: signature_holder(headers, asked, now=timezone.now()),
        lambda: secret_holder(headers),
    ]
    for prove in proofs:
        try:
            prove()
        except NotProven:
            continue
        raise AssertionError("somebody got in")


def _answered(response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, (response.status_code, response.content[:300])


@target
def oauth_form(data: bytes) -> None:
    """Header and form at the door for tokens; the first line is the header."""
    header, _, form = data.partition(b"\n")
    sent = {"Authorization": header.decode("latin-1")} if header else {}
    with undone():
        response = Client().post("/auth/token", form, content_type=FORM, headers=sent)
    _answered(response, 400, 401)
    assert response["Cache-Control"] == "no-store"


@target
def alertmanager(data: bytes) -> None:
    """What Alertmanager posts, with its token."""
    with undone(), override_settings(GUARDIAN_WEBHOOK_TOKEN=SECRET):
        response = Client().post(
            "/webhook/alert",
            data,
            content_type="application/json",
            headers={"Authorization": f"Bearer {SECRET}"},
        )
        _answered(response, 200, 400)
        # What was taken in can be shown.
        _answered(Client().get("/api/incidents"), 200)


def _slack_headers(body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    signed = b"v0:" + stamp.encode() + b":" + body
    proof = "v0=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": proof}


@target
def slack(data: bytes) -> None:
    """A click in Slack, rightly signed; the bytes are the payload of the form."""
    body = urlencode({"payload": data}).encode()
    with undone(), override_settings(SLACK_SIGNING_SECRET=SECRET):
        response = Client().post(
            "/slack/actions", body, content_type=FORM, headers=_slack_headers(body)
        )
    _answered(response, 200, 400)


@target
def telegram(data: bytes) -> None:
    """An update of Telegram, in a chat that is ours: one that breaks would block all behind it."""
    try:
        update = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(update, dict):
        return
    said: list[Any] = []
    with undone(), mock.patch.object(telegram_bot, "call", lambda *asked: said.append(asked)):
        bot = Channel.objects.create(
            name="fuzz",
            kind=Channel.Kind.TELEGRAM,
            configuration={"chat_id": "7", "token": "1:a"},
        )
        telegram_bot._answer(bot, update, timezone.now())
