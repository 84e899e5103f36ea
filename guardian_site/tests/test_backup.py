"""A backup taken while others write holds one moment; restored, it is the database again."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from errno import ENOSPC
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from guardian_site.embedded.one_at_a_time import alone_in
from guardian_site.tests.clusters import programs
from guardian_site.tests.processes import ROOT
from guardian_site.upkeep import backups
from guardian_site.upkeep.backups import SQLITE_MAGIC, _copy_sqlite, kept_aside

pytestmark = pytest.mark.timeout(240)
MAKE = (
    "from ingest.models import Source; from ingest.services import record_reports, resolve_sources;"
    "from ingest.reports import NewReport; from datetime import datetime, UTC;"
    "source = resolve_sources(names=['shop'])['shop'];"
    "record_reports(reports=[NewReport(source=source, status='denied', count=5,"
    " timestamp=datetime(2026, 3, 4, 12, tzinfo=UTC))])"
)
COUNT = (
    "from ingest.models import MinuteCount as M; print(sum(M.objects.values_list('count', flat=1)))"
)


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "guardian_site.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def done(environment: dict[str, str], *arguments: str) -> str:
    finished = manage(environment, *arguments)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def counted(environment: dict[str, str]) -> str:
    return done(environment, "shell", "-v0", "-c", COUNT).strip()


def test_a_sqlite_backup_restores_into_another_folder(tmp_path: Path) -> None:
    here = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}
    there = {"GUARDIAN_DATA_DIR": str(tmp_path / "there")}
    copy = str(tmp_path / "copy.sqlite3")
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    with closing(sqlite3.connect(tmp_path / "here" / "guardian.sqlite3")) as writer:
        # Somebody is in the middle of writing: what is not committed is in no backup.
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE ingest_minutecount SET count = 99")
        done(here, "backup", copy)
        writer.rollback()
    assert "exists already" in manage(here, "backup", copy).stderr
    assert Path(copy).stat().st_mode & 0o777 == 0o600
    assert "--yes" in manage(there, "restore", copy).stderr
    assert "before" not in done(there, "restore", copy, "--yes")
    assert counted(there) == "5"


def test_a_backup_ends_though_somebody_writes_all_the_time(tmp_path: Path) -> None:
    origin, copy = tmp_path / "origin.sqlite3", tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(origin)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE large (number INTEGER, filling BLOB)")
        rows = ((number, bytes(4000)) for number in range(5000))
        database.executemany("INSERT INTO large VALUES (?, ?)", rows)
        database.commit()
    stopped = threading.Event()
    writer = threading.Thread(target=write_until, args=(origin, stopped))
    copier = threading.Thread(target=_copy_sqlite, args=(origin, copy), daemon=True)
    writer.start()
    copier.start()
    copier.join(60)
    stopped.set()
    writer.join()
    assert not copier.is_alive()
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT count(*) FROM large").fetchone()[0] >= 5000


def write_until(path: Path, stopped: threading.Event) -> None:
    with closing(sqlite3.connect(path, timeout=20)) as database:
        while not stopped.wait(0.002):
            database.execute("INSERT INTO large VALUES (0, x'00')")
            database.commit()


def test_what_is_no_backup_of_guardian_replaces_nothing(tmp_path: Path) -> None:
    here = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    foreign = tmp_path / "foreign.sqlite3"
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE hello (world TEXT)")
        database.commit()
    assert "no backup of Guardian" in manage(here, "restore", str(foreign), "--yes").stderr
    assert counted(here) == "5"


def test_a_database_without_our_tables_is_not_backed_up(tmp_path: Path) -> None:
    # A wrong folder, as in a line of cron that lacks GUARDIAN_DATA_DIR.
    copy = tmp_path / "copy.sqlite3"
    told = manage({"GUARDIAN_DATA_DIR": str(tmp_path / "elsewhere")}, "backup", str(copy))
    assert told.returncode == 1
    assert "lacks the tables of Guardian" in told.stderr
    assert not copy.exists()


def test_nothing_is_restored_under_a_guardian_that_runs(tmp_path: Path) -> None:
    here, copy = {"GUARDIAN_DATA_DIR": str(tmp_path)}, str(tmp_path / "copy")
    done(here, "migrate", "-v0")
    done(here, "backup", copy)
    done(here, "shell", "-v0", "-c", MAKE)
    with alone_in(tmp_path):
        for command in (["restore", copy, "--yes"], ["run", "--port", "18998"]):
            refused = manage(here, *command)
            assert refused.returncode == 1
            assert f"Guardian is running in {tmp_path}. Stop it first." in refused.stderr
        assert counted(here) == "5"
    done(here, "restore", copy, "--yes")
    assert counted(here) == "0"


@pytest.mark.parametrize("of_a_former_version", [False, True])
def test_a_backup_is_one_file_and_stays_it(tmp_path: Path, of_a_former_version: bool) -> None:
    # Beside one that is read from a disk where nobody may write nothing can be made.
    here, folder = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}, tmp_path / "50%25 of #1?"
    folder.mkdir()
    copy = folder / "copy.sqlite3"
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    done(here, "backup", str(copy))
    assert copy.read_bytes()[18:20] == b"\1\1"  # written and read without a log beside it
    if of_a_former_version:
        with closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA journal_mode=WAL")
    done(here, "restore", str(copy), "--yes")
    assert list(folder.iterdir()) == [copy]
    assert counted(here) == "5"


def test_rows_in_the_log_of_a_copy_made_by_hand_are_restored(tmp_path: Path) -> None:
    here, by_hand = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}, tmp_path / "by-hand"
    by_hand.mkdir()
    done(here, "migrate", "-v0")
    with closing(sqlite3.connect(tmp_path / "here" / "guardian.sqlite3")) as kept_open:
        kept_open.execute("SELECT 1 FROM ingest_report").fetchall()
        done(here, "shell", "-v0", "-c", MAKE)
        for file in (tmp_path / "here").glob("guardian.sqlite3*"):
            shutil.copy(file, by_hand)
    assert (by_hand / "guardian.sqlite3-wal").stat().st_size
    done(here, "restore", str(by_hand / "guardian.sqlite3"), "--yes")
    assert counted(here) == "5"


def test_what_was_there_before_a_restore_is_kept(tmp_path: Path) -> None:
    here, copy = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}, str(tmp_path / "copy.sqlite3")
    done(here, "migrate", "-v0")
    done(here, "backup", copy)
    done(here, "shell", "-v0", "-c", MAKE)
    told = done(here, "restore", copy, "--yes")
    before = tmp_path / "here" / "guardian.sqlite3.before"
    assert str(before) in told
    assert before.stat().st_mode & 0o777 == 0o600
    assert counted(here) == "0"
    done(here, "restore", str(before), "--yes")
    assert counted(here) == "5"


def test_a_backup_of_a_newer_version_is_not_said_to_be_of_this_one(tmp_path: Path) -> None:
    here, copy = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}, tmp_path / "copy.sqlite3"
    done(here, "migrate", "-v0")
    done(here, "backup", str(copy))
    with closing(sqlite3.connect(copy)) as newer:
        newer.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES"
            " ('alerts', '9999_of_tomorrow', '2030-01-01'), ('axes', '0000_dropped', '2020-01-01')"
        )
        newer.commit()
    told = manage(here, "restore", str(copy), "--yes")
    assert told.returncode == 1
    assert "this one does not know alerts 9999_of_tomorrow. Start" in told.stderr
    assert "migrated it to this version" not in told.stdout


def test_what_was_kept_stays_until_the_next_is_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_space(*_: Path) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(backups, "_copy_sqlite", no_space)
    (tmp_path / "here").write_bytes(b"now")
    kept_aside(tmp_path / "here").write_bytes(b"before")
    with pytest.raises(OSError, match="No space"):
        backups._keep_aside(tmp_path / "here")
    assert kept_aside(tmp_path / "here").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_backup_replaces_nothing(tmp_path: Path) -> None:
    here = {"GUARDIAN_DATA_DIR": str(tmp_path / "here")}
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    (tmp_path / "bad").write_bytes(b"not a backup")
    assert "another kind" in manage(here, "restore", str(tmp_path / "bad"), "--yes").stderr
    (tmp_path / "torn").write_bytes(SQLITE_MAGIC + bytes(4096))
    for path, told in [
        ("none", "There is no"),
        ("torn", "CommandError"),
        (".", "Is a directory"),
        ("bad/below", "There is no"),
    ]:
        refused = manage(here, "restore", str(tmp_path / path), "--yes").stderr
        assert told in refused
        assert "Traceback" not in refused
    assert counted(here) == "5"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "told"), [("none/copy", "No such file"), ("file/copy", "Not a directory")]
)
def test_a_backup_that_cannot_be_written_says_so(path: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=told):
        call_command("backup", str(tmp_path / path))


@pytest.mark.django_db
def test_a_backup_without_a_name_is_refused() -> None:
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", "")


@pytest.mark.postgres
def test_a_postgresql_backup_restores_into_an_empty_database(
    postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        for name in ("backup_from", "backup_to"):
            server.execute(f"CREATE DATABASE {name}".encode())
    base = {
        "GUARDIAN_DATA_DIR": str(tmp_path),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "GUARDIAN_PG_BIN": str(programs()),
    }
    here, there = (
        {**base, "DATABASE_URL": postgres_url.replace("/guardian?", f"/{name}?")}
        for name in ("backup_from", "backup_to")
    )
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    copy = str(tmp_path / "copy.dump")
    nowhere = {**here, "GUARDIAN_PG_BIN": str(tmp_path)}
    assert "pg_dump is not installed" in manage(nowhere, "backup", copy).stderr
    assert not list(tmp_path.glob("copy*"))
    done(here, "backup", copy)
    assert "not empty" in manage(here, "restore", copy, "--yes").stderr
    done(there, "restore", copy, "--yes")
    assert counted(there) == "5"
