"""Files of counts: which columns they have, and each line read or named as bad.

timestamp,status,count
    Counts by status. What was denied under which code the file does not say.
timestamp,auth_code,count
    Counts by code: 00 is approved, every other code is denied.
timestamp,status,auth_code,count
    Both.
"""

import csv
import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from ingest.models import Status
from ingest.parsing.bodies import LARGEST_COUNT
from ingest.parsing.card_numbers import holds_card_number
from ingest.parsing.moments import check_plausible, read_moment
from ingest.plain import FORMULA_STARTS

APPROVED_CODE = "00"
_MOST_DIGITS = len(str(LARGEST_COUNT))
_LONGEST_CODE = 16
_BLOCK = 1 << 20
_STATUSES = {str(status): str(status) for status in Status}

Row = tuple[datetime, str, str, int]


class Layout(Enum):
    """The columns of a file that count."""

    BY_STATUS = frozenset({"timestamp", "status", "count"})
    BY_CODE = frozenset({"timestamp", "auth_code", "count"})
    BY_BOTH = frozenset({"timestamp", "status", "auth_code", "count"})


class BadFile(ValueError):
    """The file as a whole cannot be read."""


class BadLine(Struct, frozen=True):
    """A line that cannot be counted, and why."""

    number: int
    reason: str


class CountFile:
    """One file: its layout, its digest, its lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # What a pipe says can be read once alone.
        self._kept = path if path.is_file() else self._copy()
        self.digest, self.lines = _digest(self._kept)
        header = self._header()
        if "\0" in header or "\ufffd" in header:
            raise BadFile(f"{path.name} is not a text in UTF-8: save it as CSV in UTF-8")
        self._separator = ";" if header.count(";") > header.count(",") else ","
        self._columns = [name.strip(' "\t').lower() for name in header.split(self._separator)]
        self.layout = self._layout()

    def _copy(self) -> Path:
        """Return a file of what comes, which goes when this one does."""
        descriptor, name = tempfile.mkstemp()
        weakref.finalize(self, os.unlink, name)
        with open(descriptor, "wb") as copy, self.path.open("rb") as incoming:
            shutil.copyfileobj(incoming, copy)
        return Path(name)

    def _header(self) -> str:
        with self._kept.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline().strip()

    def _layout(self) -> Layout:
        known = Layout.BY_BOTH.value & set(self._columns)
        for layout in Layout:
            if layout.value == known and len(set(self._columns)) == len(self._columns):
                return layout
        raise BadFile(
            f"{self.path.name}: the first line must name timestamp, status and/or auth_code,"
            f" and count; it is “{self._header()[:80]}”"
        )

    def first_sources(self) -> list[str]:
        """Return the first two names in a column `source`: one file is of one source."""
        if "source" not in self._columns:
            return []
        place, found = self._columns.index("source"), list[str]()
        with self._kept.open(encoding="utf-8-sig", errors="replace") as file:
            next(file)
            for line in file:
                name = ""
                with suppress(csv.Error, IndexError):
                    name = self._fields(line.rstrip("\r\n"))[place].strip(' "')
                if name and name not in found:
                    found.append(name)
                if len(found) > 1:
                    break
        return found

    def rows(
        self, zone: ZoneInfo, latest: datetime, after: int = 1
    ) -> Iterator[tuple[int, Row | BadLine]]:
        """Yield the number of each line after line `after`, and its row or why it has none."""
        read = _line_reader(self.layout, self._columns, zone, latest)
        with self._kept.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if number <= after or not line.strip():
                    continue
                try:
                    yield number, read(self._fields(line.rstrip("\r\n")))
                except (ValueError, csv.Error) as error:
                    yield number, BadLine(number, str(error))

    def _fields(self, line: str) -> list[str]:
        if '"' not in line:
            return line.split(self._separator)
        # A separator within quotes separates nothing: names in columns that do not count have some.
        return next(csv.reader([line], delimiter=self._separator))


def _digest(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file and the number of its lines."""
    found, lines, last = hashlib.sha256(), 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            lines += block.count(b"\n")
            last = block[-1:]
    return found.hexdigest(), lines + (last != b"\n")


def _line_reader(
    layout: Layout, columns: Sequence[str], zone: ZoneInfo, latest: datetime
) -> Callable[[list[str]], Row]:
    """Return what reads one line; it remembers times, for they come again and again."""
    width = len(columns)
    at, number = columns.index("timestamp"), columns.index("count")
    status_at = columns.index("status") if "status" in columns else None
    code_at = columns.index("auth_code") if "auth_code" in columns else None
    moments: dict[str, datetime] = {}

    def moment(text: str) -> datetime:
        found = moments.get(text)
        if found is None:
            found = _moment(text, zone, latest)
            if len(moments) > 200_000:
                moments.clear()
            moments[text] = found
        return found

    def read(fields: list[str]) -> Row:
        if len(fields) != width:
            raise ValueError(f"has {len(fields)} columns instead of {width}")
        code = APPROVED_CODE if code_at is None else _code(fields[code_at])
        status = _status_of(code) if status_at is None else _status(fields[status_at])
        return moment(fields[at]), status, code, _count(fields[number])

    return read


def _moment(text: str, zone: ZoneInfo, latest: datetime) -> datetime:
    try:
        found = read_moment(text.strip(' "'), zone)
        check_plausible(found, latest)
    except ValueError as error:
        raise ValueError(f"timestamp “{text[:40]}” {error}") from None
    return found


def _status(text: str) -> str:
    status = _STATUSES.get(text) or _STATUSES.get(text.strip(' "'))
    if status is None:
        raise ValueError(f"status “{text[:40]}” must be one of {', '.join(Status.values)}")
    return status


def _status_of(code: str) -> str:
    if code != APPROVED_CODE and not code.strip("0"):
        raise ValueError(
            f"auth_code “{code}” must be 00 if it is approved; a spreadsheet takes zeros away"
        )
    return Status.APPROVED.value if code == APPROVED_CODE else Status.DENIED.value


def _code(text: str) -> str:
    code = text.strip(' "')
    # What `export` writes before what a spreadsheet would take for a formula.
    if code.startswith("'") and code[1:].startswith(FORMULA_STARTS):
        code = code[1:]
    if not (code and code.isascii() and code.isprintable() and len(code) <= _LONGEST_CODE):
        raise ValueError("auth_code must be 1 to 16 printable characters")
    if len(code) > 12 and holds_card_number(code):
        raise ValueError("auth_code looks like a payment card number")
    return code


def _count(text: str) -> int:
    digits = text.strip(' "')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
        raise ValueError(f"count “{text[:40]}” must be a whole number from 0 to {LARGEST_COUNT}")
    count = int(digits)
    if count > LARGEST_COUNT:
        raise ValueError(f"count {count} must be at most {LARGEST_COUNT}")
    return count
