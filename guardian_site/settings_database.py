"""Settings of the database, from the environment."""

from pathlib import Path
from typing import Any

import environ

from guardian_site import environment as env

SCHEMES = ("postgres", "postgresql", "pgsql", "sqlite")
# Django's own backend, but no thread waits for a database that is away.
POSTGRESQL = "ingest.postgresql"
SQLITE = "django.db.backends.sqlite3"
EXAMPLE = "postgres://user:password@host:5432/name"
IN_MEMORY = ":memory:"
# An address may not set these: Guardian relies on the pool, and on commits before each answer.
OURS = frozenset({"CONN_MAX_AGE", "AUTOCOMMIT", "ATOMIC_REQUESTS"})
# Suffixes of the files beside the database that hold rows, among them what a restore kept aside.
BESIDE_SQLITE = ("-wal", "-shm", "-journal", ".before")
# The pool's pauses between attempts to reconnect double up to this, so we are back soon after it.
RECONNECT_SECONDS = 5
SQLITE_OPTIONS = {
    # One writer at a time: take the lock at BEGIN and wait, instead of failing in the middle.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
    "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;",
}


def database_at(url: str, *, otherwise: Path) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, else of the SQLite file `otherwise`."""
    if not url:
        # Connections stay open: when the last one closes, SQLite writes its log into the file.
        return {"CONN_MAX_AGE": None, **_sqlite(str(otherwise))}
    config = parts_of("DATABASE_URL", url)
    if config["ENGINE"] == SQLITE:
        return config | _sqlite(config["NAME"])
    config["ENGINE"] = POSTGRESQL
    config["OPTIONS"] = {
        **config.get("OPTIONS", {}),
        # Threads that share a commit need few connections; the pool keeps them few.
        "pool": {
            "min_size": 1,
            "max_size": env.whole("GUARDIAN_DB_POOL", 8, 1, 100),
            # Whoever waits holds a thread, and an outage lasts longer than this [s] anyway.
            "timeout": 2,
            "reconnect_timeout": RECONNECT_SECONDS,
        },
    }
    return config


def parts_of(name: str, url: str) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, the value of the setting `name`.

    Raises
    ------
    env.SettingError
        If `url` names no database. The message leaves it out, since it holds a password.
    """
    if url.partition("://")[0] not in SCHEMES:
        raise env.SettingError(f"{name}: write {EXAMPLE}, or leave it out.")
    try:
        found: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        # The error may quote the beginning of a password as the port.
        raise env.SettingError(
            f"{name}: its host and port cannot be read. Write {EXAMPLE}, and in user and "
            "password %2F for /, %3F for ?, %40 for @ and %25 for %."
        ) from None
    if ours := sorted(OURS & found.keys()):
        raise env.SettingError(f"{name}: leave out {ours[0].lower()}, which is not to choose.")
    if not found["NAME"] and "service" not in found.get("OPTIONS", {}):
        raise env.SettingError(f"{name} names no database: write {EXAMPLE}.")
    return found


def _sqlite(place: str) -> dict[str, Any]:
    if place != IN_MEMORY:
        # It holds the secrets of accounts, sessions and channels.
        env.made_private(Path(place), "DATABASE_URL")
        for beside in BESIDE_SQLITE:
            env.shut_to_others(Path(place + beside))
    return {"ENGINE": SQLITE, "NAME": place, "OPTIONS": dict(SQLITE_OPTIONS)}
