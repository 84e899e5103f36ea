"""The programs that come with PostgreSQL, run for the database of the settings."""

import os
import shutil
import subprocess

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import pq
from psycopg.conninfo import make_conninfo


class BackupFailed(Exception):
    """A backup or restore failed and overwrote nothing; the message says why."""


def run_tool(tool: str, database: BaseDatabaseWrapper | None, *arguments: str) -> str:
    """Return the output of a tool, which connects to `database` if there is one."""
    folder = os.environ.get("GUARDIAN_PG_BIN")
    found = shutil.which(tool, path=folder or None)
    if found is None:
        raise BackupFailed(f"{tool} is not installed (Debian: postgresql-client).")
    address, secret = _address(database) if database else ([], {})
    # The tool is found by name; what it is given are our own words and a path of the operator.
    done = subprocess.run(  # noqa: S603
        [found, *address, *arguments],
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # The tool's own message begins with its name.
        told = done.stderr.strip()[-2000:]
        raise BackupFailed(told or f"{tool} ended with {done.returncode}.")
    return done.stdout


def _address(database: BaseDatabaseWrapper) -> tuple[list[str], dict[str, str]]:
    """Return the option that names the database, and the environment with the password.

    On the command line everybody on this machine could read it.
    """
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    given = {
        word: value
        for word, value in database.get_connection_params().items()
        if word in known and value is not None
    }
    password = given.pop("password", "")
    return [f"--dbname={make_conninfo(**given)}"], {"PGPASSWORD": password} if password else {}
