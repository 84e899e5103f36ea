"""Files hold the rows asked for, cell by cell safe."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from alerts.models import Incident
from conftest import missing
from detection.models import Anomaly, Band, Label
from guardian_site.upkeep.exporting import KINDS, Wanted, rows_of
from ingest.models import MinuteCount, Report, Source

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def shop() -> Source:
    source = Source.objects.create(name="shop")
    for day in range(5):
        Report.objects.create(
            source=source, timestamp=NOON + timedelta(days=day), status="denied", count=day + 1
        )
    return source


def exported(path: Path, *arguments: str) -> list[dict[str, str]]:
    call_command("export", *arguments, "--output", str(path), stderr=StringIO())
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_reports_of_a_window_come_in_order(shop: Source, tmp_path: Path) -> None:
    rows = exported(
        tmp_path / "r.csv", "reports", "--since", "2026-03-05", "--until", "2026-03-07T12:00:00Z"
    )
    assert [row["count"] for row in rows] == ["2", "3"]
    assert rows[0]["source"] == "shop"
    assert rows[0]["timestamp"] == "2026-03-05T12:00:00+00:00"


def test_reports_of_one_source_leave_the_others_out(shop: Source, tmp_path: Path) -> None:
    other = Source.objects.create(name="other")
    Report.objects.create(source=other, timestamp=NOON, status="approved", count=9)
    rows = exported(tmp_path / "r.csv", "reports", "--source", "other")
    assert [row["count"] for row in rows] == ["9"]


def test_transactions_sent_with_an_id_are_written_too(client: Client, tmp_path: Path) -> None:
    for said in ({"id": "a-1"}, {"id": "a-2"}, {"count": 5}):
        body = {"source": "till", "status": "approved", "timestamp": "2026-03-04T12:00:00Z", **said}
        answer = client.post("/transaction", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
    transactions = exported(tmp_path / "t.csv", "transactions", "--source", "till")
    assert [row["id"] for row in transactions] == ["a-1", "a-2"]
    [counts] = exported(tmp_path / "c.csv", "counts", "--source", "till")
    assert (counts["status"], counts["count"]) == ("approved", "7")


@pytest.mark.parametrize("code", ["51", "-1", "'1"])
def test_counts_that_were_written_can_be_imported(shop: Source, tmp_path: Path, code: str) -> None:
    MinuteCount.objects.create(source=shop, minute=NOON, status="denied", auth_code=code, count=7)
    path = tmp_path / "c.csv"
    exported(path, "counts", "--source", "shop")
    call_command("import_counts", str(path), source="other", verbosity=0, stdout=StringIO())
    found = MinuteCount.objects.get(source__name="other")
    assert (found.minute, found.status, found.auth_code, found.count) == (NOON, "denied", code, 7)


def test_the_canary_is_written_only_to_whoever_names_it(shop: Source, tmp_path: Path) -> None:
    canary = Source.objects.create(name=Source.CANARY)
    Report.objects.create(source=canary, timestamp=NOON, status="approved", count=0)
    rows = exported(tmp_path / "r.csv", "reports")
    assert {row["source"] for row in rows} == {"shop"}
    assert len(exported(tmp_path / "c.csv", "reports", "--source", Source.CANARY)) == 1


def test_no_cell_is_a_formula(shop: Source, tmp_path: Path) -> None:
    Report.objects.create(source=shop, timestamp=NOON, status="failed", auth_code="=1+1", count=1)
    rows = exported(tmp_path / "r.csv", "reports", "--until", "2026-03-05")
    assert {row["auth_code"][:1] for row in rows} == {"0", "'"}


def test_anomalies_and_incidents_are_written(shop: Source, tmp_path: Path) -> None:
    Anomaly.objects.create(source=shop, minute=NOON, family="decline", level="WARNING", score=0.5)
    Incident.objects.create(
        source=shop,
        family="decline",
        direction="high",
        level="CRITICAL",
        onset=NOON,
        detected=NOON,
        first_anomaly=NOON,
        last_anomaly=NOON,
    )
    assert exported(tmp_path / "a.csv", "anomalies")[0]["score"] == "0.5"
    assert exported(tmp_path / "i.csv", "incidents")[0]["level"] == "CRITICAL"


def test_what_was_expected_and_what_people_said_are_written(
    shop: Source, tmp_path: Path, django_user_model: type[User]
) -> None:
    Band.objects.create(source=shop, minute=NOON, expected=80.5, total=None)
    author = django_user_model.objects.create(username="ana")
    Label.objects.create(
        source=shop, kind="noise", starts=NOON, ends=NOON, note="=a test", author=author
    )
    [band] = exported(tmp_path / "b.csv", "bands")
    assert (band["expected"], band["total"], band["level"]) == ("80.5", "", "NORMAL")
    [label] = exported(tmp_path / "l.csv", "labels")
    assert (label["kind"], label["author"], label["note"]) == ("noise", "ana", "'=a test")
    assert label["starts"] == NOON.isoformat()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_parquet_keeps_the_types(kind: str, shop: Source, tmp_path: Path) -> None:
    try:
        from pyarrow import parquet
    except ImportError:
        missing("pyarrow", "pip install -r requirements-dev.txt")
    path = tmp_path / f"{kind}.parquet"
    call_command("export", kind, "--format", "parquet", "--output", str(path), stderr=StringIO())
    table = parquet.read_table(path)
    assert table.column_names == list(KINDS[kind].columns)
    assert table.num_rows == len(list(rows_of(KINDS[kind], Wanted())))
    assert str(table.schema.field(KINDS[kind].time).type) == "timestamp[us, tz=UTC]"


def test_an_unknown_source_is_said_to_be_unknown() -> None:
    with pytest.raises(CommandError, match="no source"):
        call_command("export", "reports", "--source", "nobody")


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="--since yesterday"):
        call_command("export", "reports", "--since", "yesterday")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_moment_that_utc_does_not_have_is_refused(moment: str) -> None:
    with pytest.raises(CommandError, match="beyond the calendar"):
        call_command("export", "reports", "--since", moment)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(CommandError, match="--since must be before --until"):
        call_command("export", "reports", "--since", "2026-03-05", "--until", "2026-03-04")


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("path", "told"), [("none/r", "No such file"), ("file/r", "Not a directory"), ("", "directory")]
)
def test_a_file_that_cannot_be_written_is_refused(
    form: str, path: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=told):
        call_command("export", "reports", format=form, output=tmp_path / path)


def test_a_full_disk_is_told_in_words(shop: Source) -> None:
    with pytest.raises(CommandError, match="/dev/full: No space left"):
        call_command("export", "reports", output=Path("/dev/full"))
