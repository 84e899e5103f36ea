"""Settings of where the rows are, from the environment."""

from pathlib import Path
from typing import Any

import environ

from guardian_site import environment as env

SCHEMES = ("postgres", "postgresql", "pgsql", "sqlite")
# Django's own, without threads that wait for a database that is away.
POSTGRESQL = "ingest.postgresql"
SQLITE = "django.db.backends.sqlite3"
EXAMPLE = "postgres://user:password@host:5432/name"
IN_MEMORY = ":memory:"
# What Django would read of an address, and what is built on: a pool, and answers after commits.
OURS = frozenset({"CONN_MAX_AGE", "AUTOCOMMIT", "ATOMIC_REQUESTS"})
# Endings of what lies beside the file and holds its rows: what a restore kept, too.
BESIDE_SQLITE = ("-wal", "-shm", "-journal", ".before")
# The pool's pauses between tries double up to this: soon after a database is back, so are we [s].
RECONNECT_SECONDS = 5
SQLITE_OPTIONS = {
    # One writer at a time: take the lock at BEGIN and wait, instead of failing in the middle.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
    "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;",
}


def database_at(url: str, *, otherwise: Path) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, else of a file of SQLite."""
    if not url:
        # The last connection that closes folds the log into the file: not at each request.
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
            # Who waits holds a thread; a database that is away is away for longer than this.
            "timeout": 2,
            "reconnect_timeout": RECONNECT_SECONDS,
        },
    }
    return config


def parts_of(name: str, url: str) -> dict[str, Any]:
    """Return what `url`, the value of the setting `name`, says of a database.

    Raises
    ------
    env.SettingError
        If it leads to none. The message does not hold the address, which has a password in it.
    """
    if url.partition("://")[0] not in SCHEMES:
        raise env.SettingError(f"{name}: write {EXAMPLE}, or leave it out.")
    try:
        found: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:
        # What it says of a port may be the beginning of a password.
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
        # It holds what accounts, sessions and channels sign in with.
        env.made_private(Path(place), "DATABASE_URL")
        for beside in BESIDE_SQLITE:
            env.shut_to_others(Path(place + beside))
    return {"ENGINE": SQLITE, "NAME": place, "OPTIONS": dict(SQLITE_OPTIONS)}
