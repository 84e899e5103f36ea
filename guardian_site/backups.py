"""Backup and restore of the database: SQLite online, PostgreSQL and TimescaleDB by their tools."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection

from ingest.timescale import has_timescale

PAGES_AT_ONCE = 2_000
SQLITE_MAGIC = b"SQLite format 3\0"


class BackupFailed(Exception):
    """Nothing was written over; the message says why."""


def back_up(path: Path) -> None:
    """A copy of the database, as it was at one moment, is in `path`; writers went on meanwhile."""
    if path.exists():
        raise BackupFailed(f"{path} exists already; name a new file.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    if connection.vendor == "sqlite":
        _copy_sqlite(Path(connection.settings_dict["NAME"]), unfinished)
    else:
        _run("pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}")
    unfinished.replace(path)


def restore(path: Path) -> None:
    """The database is that of the backup, and nothing else."""
    if not path.exists():
        raise BackupFailed(f"There is no {path}.")
    with path.open("rb") as file:
        is_sqlite = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    if is_sqlite != (connection.vendor == "sqlite"):
        raise BackupFailed(f"{path} is a backup of another kind of database.")
    if is_sqlite:
        _restore_sqlite(path)
    else:
        _restore_postgresql(path)


def _copy_sqlite(origin: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"file:{origin}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        # So many pages at a time, then writers get a turn; what they change is copied again.
        source.backup(target, pages=PAGES_AT_ONCE, sleep=0.01)
        [(verdict,)] = target.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            raise BackupFailed(f"The copy is damaged: {verdict}")


def _restore_sqlite(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        [(verdict,)] = source.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            raise BackupFailed(f"{path} is damaged: {verdict}")
        connection.close()
        target_path = Path(connection.settings_dict["NAME"])
        target_path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(target_path, timeout=20)) as target:
            # Page by page into the open file: who has it open sees the new content, never half.
            source.backup(target)


def _restore_postgresql(path: Path) -> None:
    timescale = has_timescale()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        [(tables,)] = cursor.fetchall()
    if tables:
        raise BackupFailed(
            "The database is not empty. Make a new one, point DATABASE_URL to it and restore there;"
            " see deploy/docs/backup.md."
        )
    # Between these two TimescaleDB lets its catalogue be written and runs no jobs.
    if timescale:
        _execute("SELECT timescaledb_pre_restore()")
    try:
        _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={_name()}", str(path))
    finally:
        if timescale:
            _execute("SELECT timescaledb_post_restore()")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _environment() -> dict[str, str]:
    """The password goes by the environment: a command line can be read by everybody."""
    given: dict[str, Any] = connection.settings_dict
    options = given.get("OPTIONS", {})
    named = {
        "PGHOST": given["HOST"] or options.get("host"),
        "PGPORT": given["PORT"],
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
        "PGDATABASE": given["NAME"],
        "PGSSLMODE": options.get("sslmode"),
    }
    return {**os.environ, **{name: str(value) for name, value in named.items() if value}}


def _run(tool: str, *arguments: str) -> None:
    folder = os.environ.get("GUARDIAN_PG_BIN")
    found = shutil.which(tool, path=folder or None)
    if found is None:
        raise BackupFailed(f"{tool} is not installed (Debian: postgresql-client).")
    # The tool is found by name; what it is given are our own words and a path of the operator.
    done = subprocess.run(  # noqa: S603
        [found, *arguments], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{tool}: {done.stderr.strip()[-2000:]}")
