"""What a dump of the real extension says of itself, and where it is not restored."""

from pathlib import Path
from typing import Any

import environ
import psycopg
import pytest

from guardian_site.tests.clusters import programs
from guardian_site.upkeep import dumps
from guardian_site.upkeep.backups import back_up, restore
from guardian_site.upkeep.postgresql_tools import BackupFailed
from ingest.tests.conftest import default_database
from ingest.timescale.presence import timescale_version

pytestmark = [pytest.mark.timescale, pytest.mark.postgres]


@pytest.fixture
def dump(timescale: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUARDIAN_PG_BIN", str(programs()))
    back_up(tmp_path / "copy.dump")
    # All connections to this server share one session: what pg_dump leaves in it is put away.
    for statement in ("RESET ALL", "SET search_path TO public", "DEALLOCATE ALL"):
        timescale.execute(statement)
    return tmp_path / "copy.dump"


def test_it_names_its_owner_and_the_version_of_the_extension(dump: Path) -> None:
    assert dumps.read_dump(dump) == dumps.Dump("postgres", timescale_version())


def test_it_is_not_restored_over_another_database(dump: Path) -> None:
    with pytest.raises(BackupFailed, match="not empty"):
        restore(dump)


def test_a_server_without_the_extension_is_told_of(dump: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("CREATE DATABASE without_extension")
    address = postgres_url.replace("/guardian?", "/without_extension?")
    with (
        default_database(environ.Env.db_url_config(address)),
        pytest.raises(BackupFailed, match="is not available"),
    ):
        restore(dump)
