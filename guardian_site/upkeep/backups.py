"""Backup and restore of the database: SQLite online, PostgreSQL and TimescaleDB by their tools."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from guardian_site.upkeep.dumps import make_dump, restore_dump
from guardian_site.upkeep.postgresql_tools import BackupFailed

SQLITE_MAGIC = b"SQLite format 3\0"
# A database that lacks migrations of one of these apps is not one of Guardian.
OURS = frozenset({"ingest", "detection", "alerts"})
# Packages of which this version knows every migration that it can read; libraries drop old ones.
OUR_PACKAGES = OURS | {"guardian_site"}


def back_up(path: Path) -> None:
    """A copy of the database, as it was at one moment, is in `path`; writers went on meanwhile."""
    with _told_in_words(path):
        if path.exists():
            raise BackupFailed(f"{path} exists already; name a new file.")
        unfinished = path.with_name(f"{path.name}.unfinished")
        _refuse_foreign()
        unfinished.unlink(missing_ok=True)
        try:
            # For its owner alone: it holds the secrets of accounts and channels.
            unfinished.touch(mode=0o600)
            if connection.vendor == "sqlite":
                _copy_sqlite(Path(connection.settings_dict["NAME"]), unfinished)
            else:
                make_dump(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def restore(path: Path, administrator_url: str = "") -> None:
    """The database is that of the backup, and nothing else."""
    with _told_in_words(path):
        if not path.exists():
            raise BackupFailed(f"There is no {path}.")
        with path.open("rb") as file:
            is_sqlite = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
        if is_sqlite != (connection.vendor == "sqlite"):
            raise BackupFailed(f"{path} is a backup of another kind of database.")
        if is_sqlite:
            _restore_sqlite(path)
        else:
            restore_dump(path, administrator_url)


def refuse_newer(path: Path) -> None:
    """Raise if the restored database has migrations that this version does not know."""
    known = MigrationLoader(connection)
    packages = {one.label: one.name.partition(".")[0] for one in apps.get_app_configs()}
    ours = {label for label, package in packages.items() if package in OUR_PACKAGES}
    made = {(app, name) for app, name in known.applied_migrations if app in ours}
    if newer := sorted(made - known.disk_migrations.keys()):
        told = ", ".join(" ".join(one) for one in newer)
        raise BackupFailed(
            f"The database is that of {path} now, but a newer version of Guardian made it: this one"
            f" does not know {told}. Start that version on it, or restore another backup."
        )


@contextlib.contextmanager
def _told_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"{error.filename or path}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise BackupFailed(f"{path}: {error}.") from error


def _refuse_foreign() -> None:
    """Raise if the database is not one of Guardian: its copy would be taken for a backup."""
    if not {app for app, _name in MigrationRecorder(connection).applied_migrations()} >= OURS:
        raise BackupFailed(
            f"{connection.settings_dict['NAME']} lacks the tables of Guardian: nothing was copied."
            " Look at GUARDIAN_DATA_DIR or DATABASE_URL."
        )


def _copy_sqlite(origin: Path, copy: Path) -> None:
    with (
        contextlib.closing(
            sqlite3.connect(f"{origin.resolve().as_uri()}?mode=ro", uri=True)
        ) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        # In one step, since SQLite begins again if somebody writes between two; no writer waits.
        source.backup(target)
        # One file: with a write-ahead log beside it, it could not be opened on a read-only disk.
        target.execute("PRAGMA journal_mode=DELETE")
        [(verdict,)] = target.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            raise BackupFailed(f"The copy is damaged: {verdict}")


def _restore_sqlite(path: Path) -> None:
    with contextlib.closing(_opened(path)) as source:
        [(verdict,)] = source.execute("PRAGMA quick_check").fetchall()
        if verdict != "ok":
            raise BackupFailed(f"{path} is damaged: {verdict}")
        if not _apps_in(source) >= OURS:
            raise BackupFailed(f"{path} is no backup of Guardian: it lacks its tables.")
        connection.close()
        target_path = Path(connection.settings_dict["NAME"])
        target_path.parent.mkdir(parents=True, exist_ok=True)
        _keep_aside(target_path)
        with contextlib.closing(sqlite3.connect(target_path, timeout=20)) as target:
            # Page by page into the same file: whoever has it open sees the new content, never half.
            source.backup(target)


def _opened(path: Path) -> sqlite3.Connection:
    """Open a backup read-only, so that no file is left beside it.

    It may lie on a read-only disk, even one of a former version, which is marked as having a log.
    """
    log = path.with_name(f"{path.name}-wal")
    # A file that was copied by hand may have a log beside it, which then holds the newest rows.
    alone = not log.exists() or not log.stat().st_size
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}", uri=True
    )


def _apps_in(source: sqlite3.Connection) -> set[str]:
    """Return the apps whose tables are in the file."""
    known = source.execute("SELECT 1 FROM sqlite_master WHERE name = 'django_migrations'")
    if known.fetchone() is None:
        return set()
    return {app for (app,) in source.execute("SELECT DISTINCT app FROM django_migrations")}


def _keep_aside(path: Path) -> None:
    """A copy of the present database is kept beside it; of a damaged one, the bare file."""
    # A file that was missing was made by the settings, empty.
    if not path.exists() or not path.stat().st_size:
        return
    aside = kept_aside(path)
    # What an earlier restore kept may be what is restored now: it stays until this copy is whole.
    unfinished = aside.with_name(f"{aside.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        try:
            _copy_sqlite(path, unfinished)
        except (BackupFailed, sqlite3.Error):
            shutil.copyfile(path, unfinished)
        unfinished.replace(aside)
    finally:
        unfinished.unlink(missing_ok=True)


def kept_aside(path: Path) -> Path:
    """Return where a restore keeps the database that was there before it."""
    return path.with_name(f"{path.name}.before")
