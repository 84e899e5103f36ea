"""The real extension for the tests: TimescaleDB in WebAssembly, one session, nothing on disk."""

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.management import call_command
from django.db.backends.utils import CursorWrapper
from pytest_django import DjangoDbBlocker

from conftest import missing
from ingest.postgresql import plans
from ingest.services import forget_sources
from ingest.tests.conftest import default_database

FOLDER = Path(__file__).resolve().parents[1] / "pglite"
TABLES = (
    *("detection_anomaly", "detection_band", "detection_baseline", "detection_checkpoint"),
    *("detection_recheck", "ingest_latemark", "ingest_latehour"),
    *("ingest_minutecount", "ingest_report", "ingest_transaction", "ingest_source"),
    *("ingest_minutetotal", "ingest_hourcount", "ingest_daycount"),
)


def _installed() -> Path:
    """Install what the lock names, once for all processes that test at the same time."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            missing(tool, "apt-get install nodejs npm (Node 20 or newer)")
    with (Path(tempfile.gettempdir()) / "guardian-timescaledb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mark = FOLDER / "node_modules" / ".package-lock.json"
        if (
            not mark.exists()
            or mark.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime
        ):
            subprocess.run(
                ["npm", "ci", "--legacy-peer-deps", "--no-audit", "--no-fund", "--silent"],
                cwd=FOLDER,
                check=True,
                timeout=100,
            )
    return FOLDER / "serve.mjs"


@pytest.fixture(scope="session")
def timescale_config() -> Iterator[dict[str, Any]]:
    """Give the settings of an empty database that has the extension."""
    command = ["node", str(_installed())]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            url = f"postgres://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"
            # No pool: its second connection would share the session of the first.
            yield environ.Env.db_url_config(url)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def migrated_config(
    timescale_config: dict[str, Any], django_db_blocker: DjangoDbBlocker
) -> dict[str, Any]:
    with django_db_blocker.unblock(), default_database(timescale_config):
        call_command("migrate", verbosity=0, skip_checks=True)
    return timescale_config


@pytest.fixture
def timescale(
    migrated_config: dict[str, Any],
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CursorWrapper]:
    """Give a cursor of Django's own connection to a migrated database without rows."""
    # Names of prepared statements would meet those of the connection of the test before.
    monkeypatch.setattr(plans, "PREPARE_AFTER", sys.maxsize)
    with django_db_blocker.unblock(), default_database(migrated_config):
        from django.db import connection

        forget_sources()
        with connection.cursor() as cursor:
            yield cursor
            for table in TABLES:
                cascade = "CASCADE" if table == "ingest_source" else ""
                cursor.execute(f"TRUNCATE {table} {cascade}")
