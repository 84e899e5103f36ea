"""The bodies of POST /transaction and POST /transactions/batch, read and checked.

A good body costs one typed pass. Only one that fails, or that looks odd (escapes, a name that
comes too often, many digits in a row), is read again slowly, to name everything that is wrong.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ingest.models import Status
from ingest.parsing.card_numbers import FORBIDDEN_NAMES, holds_card_number, may_hold_card
from ingest.parsing.moments import EXPECTED
from ingest.refusals import FieldError, Refused, refused

MOST_ROWS = 10_000
LARGEST_BODY = 5 * 1024 * 1024
LARGEST_COUNT = 10**12

StatusName = Literal["approved", "denied", "failed", "reversed", "backend_reversed", "refunded"]
Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
Moment = Annotated[str, Meta(max_length=40)]
AuthCode = Annotated[str, Meta(pattern=r"^[ -~]{0,16}\Z")]
# Browsers take dots alone for a way through folders: a source of such a name would have no page.
SourceName = Annotated[str, Meta(pattern=r"^(?!\.+\Z)[\w.:-]{1,64}\Z")]
TransactionId = Annotated[str, Meta(pattern=r"^[!-~]{1,128}\Z")]


class ReportBody(Struct, gc=False):
    """One report as it is sent. What is UNSET was not sent; null means the same where allowed."""

    status: StatusName
    timestamp: Moment | UnsetType | None = UNSET
    count: Count | UnsetType = UNSET
    auth_code: AuthCode | UnsetType | None = UNSET
    source: SourceName | UnsetType | None = UNSET
    id: TransactionId | UnsetType | None = UNSET


class BatchBody(Struct):
    """Many reports as they are sent together."""

    transactions: list[ReportBody]


_MUST_BE = {
    "status": "one of " + ", ".join(Status.values),
    "timestamp": f"{EXPECTED}, or left out for now",
    "count": "a whole number from 0 to 1000000000000",
    "auth_code": "text of at most 16 printable characters such as 00, or left out",
    "source": "a name of at most 64 letters, digits and _ . : -, not of dots alone",
    "id": "text of 1 to 128 printable characters without spaces",
}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(ReportBody)}
_QUOTED = [(attrgetter(name), f'"{name}"'.encode()) for name in _TYPES]
_report = msgspec.json.Decoder(ReportBody)
_batch = msgspec.json.Decoder(BatchBody)
# What JSON never begins with, and what a sender did to it.
_NOT_AS_IT_IS = {
    b"\x1f\x8b": "is compressed with gzip; send it uncompressed",
    b"\xef\xbb\xbf": "begins with a byte order mark; leave that out",
}
_CARD = "looks like a payment card number or code, which must not be sent here; send a token"


def read_report(body: bytes) -> ReportBody:
    """Return the report in `body`; raise Refused with everything that is wrong with it."""
    try:
        row = _report.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(body, error, _report_errors) from None
    if _odd(body, [row]):
        _look_closer(body)
    return row


def read_batch(body: bytes) -> list[ReportBody]:
    """Return the reports in `body`; raise Refused with every row that is wrong."""
    try:
        rows = _batch.decode(body).transactions
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(body, error, _batch_errors) from None
    if len(rows) > MOST_ROWS:
        raise refused("transactions", f"must be at most {MOST_ROWS} rows, not {len(rows)}")
    if _odd(body, rows):
        _look_closer(body)
    return rows


def _odd(body: bytes, rows: Sequence[ReportBody]) -> bool:
    """Tell whether the typed pass may have overlooked something: a name twice, a card, bytes."""
    if b"\\" in body or not body.isascii() or may_hold_card(body):
        return True
    return any(
        body.count(quoted) > len(rows) - list(map(read, rows)).count(UNSET)
        for read, quoted in _QUOTED
    )


class _DuplicateName(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _times = Counter(name for name, _value in pairs).most_common(1)[0]
        raise _DuplicateName(name)
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise ValueError("a number has too many digits") from None


def _loaded(body: bytes) -> Any:
    """Return `body` as plain objects; raise Refused if it is not proper JSON."""
    for start, why in _NOT_AS_IT_IS.items():
        if body.startswith(start):
            raise refused("body", why)
    try:
        text = body.decode("utf-8")
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_whole,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise refused("body", f"is not UTF-8 at byte {error.start}") from None
    except _DuplicateName as error:
        raise refused(_shown(str(error)), "appears twice in one object") from None
    except RecursionError:
        raise refused("body", "is nested too deeply") from None
    except ValueError as error:
        raise refused("body", f"is not JSON: {error}") from None


def _shown(text: str) -> str:
    """Return a sender's text fit for an answer: short and printable."""
    return "".join(letter if letter.isprintable() else "�" for letter in text[:40])


def _look_closer(body: bytes) -> None:
    errors = list(_card_errors(_loaded(body), ""))
    if errors:
        raise Refused("Card data is refused.", errors)


def _card_errors(value: Any, path: str) -> Iterator[FieldError]:
    if isinstance(value, dict):
        for name, inner in value.items():
            place = f"{path}.{_shown(name)}" if path else _shown(name)
            if name.lower() in FORBIDDEN_NAMES or holds_card_number(name):
                yield FieldError("(name)" if holds_card_number(name) else place, _CARD)
            else:
                yield from _card_errors(inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _card_errors(inner, f"{path}[{number}]")
    elif _is_text_or_number(value) and holds_card_number(str(value)):
        yield FieldError(path or "body", _CARD)


def _is_text_or_number(value: Any) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _refusal(body: bytes, error: Exception, find: Any) -> Refused:
    """Return the refusal that names everything wrong with a body the typed pass did not take."""
    if not body.strip():
        return refused("body", "is empty; send a JSON object")
    loaded = _loaded(body)
    errors = [*find(loaded), *_card_errors(loaded, "")]
    if not errors:
        half = b"\\ud" in body.lower()
        reason = "a \\u escape names half a character" if half else _shown(str(error))
        return refused("body", f"is not valid JSON: {reason}")
    count = len(errors)
    detail = "Nothing was stored: " + ("one value is" if count == 1 else f"{count} values are")
    return Refused(f"{detail} not valid.", errors)


def _report_errors(value: Any, path: str = "") -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(path or "body", 'must be an object such as {"status": "approved"}')
        return
    prefix = f"{path}." if path else ""
    for name, kind in _TYPES.items():
        if name not in value:
            if name == "status":
                yield FieldError(prefix + name, f"is required: {_MUST_BE[name]}")
        elif not _is_valid(value[name], kind):
            yield FieldError(prefix + name, f"must be {_MUST_BE[name]}")


def _is_valid(value: Any, kind: Any) -> bool:
    if isinstance(value, str) and "\ud800" <= max(value, default="") <= "\udfff":
        return False
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return True


def _batch_errors(value: Any) -> Iterator[FieldError]:
    rows = value.get("transactions") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        yield FieldError("transactions", "must be a list of reports")
        return
    if len(rows) > MOST_ROWS:
        yield FieldError("transactions", f"must be at most {MOST_ROWS} rows, not {len(rows)}")
        return
    for place, row in enumerate(rows):
        yield from _report_errors(row, f"transactions[{place}]")


def too_large() -> Refused:
    """Return the refusal of a body over the limit."""
    return refused(
        "body",
        f"must be at most {LARGEST_BODY // 1024 // 1024} MB; split the batch",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def cut_short(came: int, length: int) -> Refused:
    """Return the refusal of a body of which only the beginning came."""
    message = f"ended after {came} of {length} bytes, or took too long; send the whole body"
    return refused("body", message, HTTPStatus.REQUEST_TIMEOUT)


def wrong_type(named: str) -> Refused:
    """Return the refusal of a body that says it is something else than JSON."""
    message = f"must be application/json, not {_shown(named) or 'left out'}"
    return refused("Content-Type", message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def length_required() -> Refused:
    """Return the refusal of a body that comes in chunks of unknown length."""
    return refused("Content-Length", "is required; send the whole body", HTTPStatus.LENGTH_REQUIRED)
