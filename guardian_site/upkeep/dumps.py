"""Dumps of PostgreSQL and TimescaleDB: made by pg_dump, restored into an empty database."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from guardian_site.settings_database import parts_of
from guardian_site.upkeep.postgresql_tools import BackupFailed, run_tool
from ingest.timescale.policies import UNPACK_FREELY
from ingest.timescale.presence import timescale_version

# Views of dashboards: they would block `migrate`, and the job of that name makes them again.
REMADE = "reporting"
SIGNED_IN_BY = ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")
_OWNER = re.compile(r"^\d+; \d+ \d+ TABLE \S+ django_migrations (.+)$", re.MULTILINE)
_VERSION = re.compile(r"^timescaledb_version\t([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Dump:
    """What a dump says about itself.

    Attributes
    ----------
    owner : str
        The role that its tables belong to.
    timescale : str or None
        Version of the extension in it; None if it is one of plain PostgreSQL.
    """

    owner: str
    timescale: str | None

    @classmethod
    def read(cls, contents: str, metadata: str) -> "Dump":
        """Read the list of contents, and the extension's table about itself."""
        owner, version = _OWNER.search(contents), _VERSION.search(metadata)
        if owner is None:
            raise BackupFailed("This is no backup of Guardian: it has no table django_migrations.")
        return cls(owner[1], version[1] if version else None)


@dataclass(frozen=True)
class Target:
    """The database to restore into: what is in it, and as whom Guardian signs in to it."""

    tables: int
    role: str
    timescale: str | None

    def refusal(self, dump: Dump) -> str | None:
        """Return why a dump cannot be restored here; None if it can."""
        if self.tables:
            return (
                "The database is not empty. Make a new one, point DATABASE_URL to it and restore"
                " there; see deploy/docs/backup.md."
            )
        if dump.timescale is None:
            return None
        if self.timescale not in (None, dump.timescale):
            return (
                f"The backup is of TimescaleDB {dump.timescale}, the database has"
                f" {self.timescale}. Make one without it (TEMPLATE template0) and restore there;"
                " ALTER EXTENSION timescaledb UPDATE comes after it."
            )
        if self.role != dump.owner:
            # The extension's jobs run as their owner, which cannot be changed.
            return (
                f"The tables of the backup belong to {dump.owner}, and DATABASE_URL signs in as"
                f" {self.role}. A backup of TimescaleDB is restored for the role it was made of."
            )
        return None


def make_dump(path: Path) -> None:
    """The database, as it was at one moment, is in `path`."""
    run_tool("pg_dump", connection, "--format=custom", f"--file={path}")


def read_dump(path: Path) -> Dump:
    """Return what a file says about itself; no database is asked."""
    contents = run_tool("pg_restore", None, "--list", str(path))
    noted = ("--data-only", "--schema=_timescaledb_catalog", "--table=metadata", "--file=-")
    return Dump.read(contents, run_tool("pg_restore", None, *noted, str(path)))


def restore_dump(path: Path, administrator_url: str = "") -> None:
    """The empty database is that of the dump; an administrator is needed for TimescaleDB alone."""
    dump = read_dump(path)
    refusal = _target().refusal(dump)
    if refusal:
        raise BackupFailed(refusal)
    if dump.timescale is None:
        _fill(path, connection, "--no-owner")
        return
    with contextlib.closing(_administrator(administrator_url)) as administrator:
        try:
            with _extension_restoring(administrator, dump.timescale):
                _fill(path, administrator)
            _execute(administrator, UNPACK_FREELY, "ANALYZE")
        except DatabaseError as error:
            raise BackupFailed(
                f"{str(error).strip()}\nThe backup needs TimescaleDB {dump.timescale} and a"
                " superuser: give the address of one as GUARDIAN_RESTORE_URL."
            ) from error


def _target() -> Target:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_user FROM pg_tables WHERE schemaname = current_schema()"
        )
        [(tables, role)] = cursor.fetchall()
    return Target(tables, role, timescale_version())


def _administrator(url: str) -> BaseDatabaseWrapper:
    """Return another connection to the same database, as the role in `url` if one is given."""
    opened = connection.copy("restoring")
    if url:
        given = {"OPTIONS": {}, **parts_of("GUARDIAN_RESTORE_URL", url)}
        opened.settings_dict.update({part: given[part] for part in SIGNED_IN_BY})
    opened.settings_dict["OPTIONS"].pop("pool", None)
    return opened


@contextlib.contextmanager
def _extension_restoring(administrator: BaseDatabaseWrapper, version: str) -> Iterator[None]:
    """Within this block the extension lets its own tables be written, and runs no jobs."""
    if timescale_version(administrator) is None:
        _execute(administrator, f"CREATE EXTENSION timescaledb VERSION '{version}'")
    _execute(administrator, "SELECT timescaledb_pre_restore()")
    try:
        yield
    except BaseException:
        # The first failure is reported, not what the extension says of its half-filled tables.
        with contextlib.suppress(DatabaseError):
            _execute(administrator, "SELECT timescaledb_post_restore()")
        raise
    _execute(administrator, "SELECT timescaledb_post_restore()")


def _execute(database: BaseDatabaseWrapper, *statements: str) -> None:
    with database.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _fill(path: Path, database: BaseDatabaseWrapper, *options: str) -> None:
    given = ("--exit-on-error", "--no-privileges", f"--exclude-schema={REMADE}", *options)
    try:
        run_tool("pg_restore", database, *given, str(path))
    except BackupFailed as error:
        raise BackupFailed(
            f"{error}\nThe new database is incomplete: drop it and make it again."
        ) from error
