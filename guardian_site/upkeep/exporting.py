"""What was reported, counted and found, as files: CSV for people, Parquet for analysis."""

import csv
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from django.db.models import QuerySet

from alerts.models import Incident
from detection.models import Anomaly, Band, Label
from ingest.models import MinuteCount, Report, Source, Transaction
from ingest.plain import cell

FETCHED_AT_ONCE = 5_000
# Rows in a row group of a Parquet file: held in memory together, and skipped together by readers.
GROUP_ROWS = 50_000
Row = tuple[Any, ...]


class PartMissing(Exception):
    """A library that this format needs is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Kind:
    """One thing to export: its rows, its columns, and the column of time to select by."""

    one: str
    rows: Callable[[], QuerySet[Any]]
    # a column of the file
    time: str
    # column of the file -> field of the row
    columns: dict[str, str]


@dataclass(frozen=True)
class Wanted:
    """Which rows; None selects all."""

    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


KINDS: dict[str, Kind] = {
    "reports": Kind(
        "report",
        lambda: Report.objects.all(),
        "timestamp",
        {
            "source": "source__name",
            **_same("timestamp", "status", "auth_code", "count", "received"),
        },
    ),
    # Sent one by one, each with an id: part of the counts, but not of the reports.
    "transactions": Kind(
        "transaction",
        lambda: Transaction.objects.all(),
        "timestamp",
        {
            "source": "source__name",
            "id": "external_id",
            **_same("timestamp", "status", "auth_code", "count", "received"),
        },
    ),
    # Both, summed: under the names that `import_counts` reads.
    "counts": Kind(
        "count",
        lambda: MinuteCount.objects.all(),
        "timestamp",
        {
            "source": "source__name",
            "timestamp": "minute",
            **_same("status", "auth_code", "count"),
        },
    ),
    "anomalies": Kind(
        "anomaly",
        lambda: Anomaly.objects.filter(withdrawn=None, provisional=False),
        "minute",
        {
            "source": "source__name",
            **_same("minute", "family", "level", "score", "z_score", "ml_score", "status"),
            **_same("auth_code", "count", "expected", "lower", "upper", "onset", "excess"),
            **_same("recommendation", "past", "detected"),
        },
    ),
    # What was expected of each minute that was judged, for whoever draws it or tries another model.
    "bands": Kind(
        "band",
        lambda: Band.objects.all(),
        "minute",
        {
            "source": "source__name",
            **_same("minute", "level", "score", "learning", "total", "expected", "lower", "upper"),
        },
    ),
    # What people said a deviation was, taken back or not: the truth that models are tried against.
    "labels": Kind(
        "label",
        lambda: Label.objects.all(),
        "starts",
        {
            **_same("id"),
            "source": "source__name",
            **_same("family", "kind", "starts", "ends", "incident", "note"),
            "author": "author__username",
            **_same("created", "revoked"),
        },
    ),
    "incidents": Kind(
        "incident",
        lambda: Incident.objects.all(),
        "onset",
        {
            **_same("id"),
            "source": "source__name",
            **_same("family", "level", "state", "label", "historical", "onset", "detected"),
            **_same("opened", "announced", "acknowledged", "acknowledged_by", "mitigated"),
            **_same("resolved", "resolved_by", "first_anomaly", "last_anomaly", "anomaly_count"),
            **_same("status", "auth_code", "excess", "owner", "recommendation"),
        },
    ),
}


def rows_of(kind: Kind, wanted: Wanted) -> Generator[Row, None, None]:
    """Yield the rows in the order of time, a few thousand of them in memory at once."""
    time = kind.columns[kind.time]
    found = kind.rows().order_by(time, "pk")
    if wanted.since is not None:
        found = found.filter(**{f"{time}__gte": wanted.since})
    if wanted.until is not None:
        found = found.filter(**{f"{time}__lt": wanted.until})
    if wanted.source is not None:
        found = found.filter(source__name=wanted.source)
    else:
        # The canary's made-up reports are nobody's transactions.
        found = found.exclude(source__name=Source.CANARY)
    yield from found.values_list(*kind.columns.values()).iterator(chunk_size=FETCHED_AT_ONCE)


def write_csv(columns: Sequence[str], rows: Iterator[Row], file: TextIO) -> int:
    """Rows are written as CSV in which no cell is a formula; how many is returned."""
    writer, written = csv.writer(file), 0
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(_text(value)) for value in row])
        written += 1
    return written


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def write_parquet(kind: Kind, rows: Iterator[Row], path: Path) -> int:
    """Rows are written as Parquet with the types of their fields; how many is returned.

    Raises
    ------
    PartMissing
        If the library for it is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise PartMissing("Parquet needs one more library: pip install pyarrow") from error
    schema = pyarrow.schema(
        [(name, _type_of(pyarrow, kind, field)) for name, field in kind.columns.items()]
    )
    written = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(rows, GROUP_ROWS)):
            columns = dict(zip(kind.columns, zip(*group, strict=True), strict=True))
            writer.write_table(pyarrow.table(columns, schema=schema))
            written += len(group)
    return written


def _type_of(pyarrow: Any, kind: Kind, field: str) -> Any:
    types = {
        "DateTimeField": pyarrow.timestamp("us", tz="UTC"),
        "FloatField": pyarrow.float64(),
        "BooleanField": pyarrow.bool_(),
    }
    name = kind.rows().model._meta.get_field(field.split("__")[0]).get_internal_type()
    whole = name.endswith("IntegerField") or name == "BigAutoField"
    return pyarrow.int64() if whole else types.get(name, pyarrow.string())
