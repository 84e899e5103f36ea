"""A backup of TimescaleDB restored by the command and by the script of compose.

The extension is a stand-in: its names, its table of notes, and that only a superuser may use it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from guardian_site.tests.clusters import ROOT, as_in_compose, cluster, make_roles, programs
from guardian_site.tests.test_backup import COUNT, MAKE, done, manage

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]
SCRIPT = ROOT / "deploy" / "timescaledb" / "restore.sh"
TOLD = "SELECT what FROM _timescaledb_functions.told"
STAND_IN = """
CREATE SCHEMA _timescaledb_catalog;
CREATE SCHEMA _timescaledb_functions;
CREATE TABLE _timescaledb_catalog.metadata (key text, value text);
CREATE TABLE _timescaledb_functions.told (what text);
GRANT USAGE ON SCHEMA _timescaledb_catalog TO PUBLIC;
GRANT SELECT ON _timescaledb_catalog.metadata TO PUBLIC;
SELECT pg_extension_config_dump('_timescaledb_catalog.metadata', '');
CREATE FUNCTION timescaledb_pre_restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE insufficient_privilege USING MESSAGE = 'must be superuser';
    END IF;
    INSERT INTO _timescaledb_functions.told SELECT 'pre, ' || count(*) || ' tables' FROM pg_tables
        WHERE schemaname = 'public';
END $$;
CREATE FUNCTION timescaledb_post_restore() RETURNS void LANGUAGE sql AS
    $$ INSERT INTO _timescaledb_functions.told
    SELECT 'post, sum ' || sum(count) FROM public.ingest_minutecount $$;
CREATE FUNCTION _timescaledb_functions.restart_background_workers() RETURNS void LANGUAGE sql AS
    $$ INSERT INTO _timescaledb_functions.told VALUES ('restarted') $$;
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the socket of a server as compose starts it, in which the extension is known."""
    folder = tmp_path_factory.mktemp("secrets")
    with cluster(folder, "restore") as host, tempfile.TemporaryDirectory(dir="/tmp") as known:
        make_roles(host, folder)
        _make_known(Path(known))
        with psycopg.connect(host=host, user="postgres", autocommit=True) as administrator:
            administrator.execute(
                f"ALTER SYSTEM SET extension_control_path = '{known}:$system'".encode()
            )
            administrator.execute("SELECT pg_reload_conf()")
        yield host


def _make_known(folder: Path) -> None:
    extension = folder / "extension"
    extension.mkdir()
    (extension / "timescaledb.control").write_text("default_version = '9.2'\ntrusted = true\n")
    for version in ("9.1", "9.2"):
        (extension / f"timescaledb--{version}.sql").write_text(
            f"{STAND_IN}INSERT INTO _timescaledb_catalog.metadata"
            f" VALUES ('timescaledb_version', '{version}');"
        )
    for place in (folder, extension):
        place.chmod(0o755)


def address(host: str, database: str, user: str = "guardian") -> str:
    return f"postgres://{user}@/{database}?host={host}"


def environment(host: str, database: str, folder: Path) -> dict[str, str]:
    return {
        "GUARDIAN_DATA_DIR": str(folder),
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "GUARDIAN_PG_BIN": str(programs()),
        "DATABASE_URL": address(host, database),
    }


def asked(host: str, database: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        host=host, user="postgres", dbname=database, autocommit=True
    ) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def dump(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a backup of a database in which the extension, one version back, is."""
    folder = tmp_path_factory.mktemp("dump")
    here = environment(server, "guardian", folder)
    done(here, "migrate", "-v0")
    done(here, "shell", "-v0", "-c", MAKE)
    asked(server, "guardian", "CREATE EXTENSION timescaledb VERSION '9.1'")
    reporting = [sys.executable, "-m", "deploy.timescaledb.reporting", "create"]
    subprocess.run(reporting, cwd=ROOT, env={**as_in_compose(server), **here}, check=True)
    done(here, "backup", str(folder / "copy.dump"))
    return folder / "copy.dump"


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    asked(server, "postgres", "CREATE DATABASE new OWNER guardian TEMPLATE template0")
    yield "new"
    asked(server, "postgres", "DROP DATABASE new WITH (FORCE)")


def test_the_command_restores_as_an_administrator(
    server: str, dump: Path, empty: str, tmp_path: Path
) -> None:
    there = environment(server, empty, tmp_path)
    assert "GUARDIAN_RESTORE_URL" in manage(there, "restore", str(dump), "--yes").stderr
    administrator = {"GUARDIAN_RESTORE_URL": address(server, "whatever", "postgres")}
    done({**there, **administrator}, "restore", str(dump), "--yes")
    _is_restored(server, empty)
    assert done(there, "shell", "-v0", "-c", COUNT).strip() == "5"
    assert ("post, sum 5",) in asked(server, empty, TOLD)


def test_the_command_refuses_another_version(
    server: str, dump: Path, empty: str, tmp_path: Path
) -> None:
    asked(server, empty, "CREATE EXTENSION timescaledb")
    refused = manage(environment(server, empty, tmp_path), "restore", str(dump), "--yes")
    assert "is of TimescaleDB 9.1, the database has 9.2" in refused.stderr


def _is_restored(server: str, database: str) -> None:
    assert asked(
        server, database, "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
    ) == [("9.1",)]
    assert asked(
        server, database, "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'ingest%'"
    ) == [("guardian",)]
    assert asked(
        server,
        "postgres",
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
        f" WHERE datname = '{database}'",
    ) == [("timescaledb.max_tuples_decompressed_per_dml_transaction=0",)]
    assert asked(server, database, "SELECT 1 FROM pg_views WHERE schemaname = 'reporting'") == []


def restored(server: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    with file.open("rb") as backup:
        return subprocess.run(
            ["sh", SCRIPT],
            stdin=backup,
            env={**as_in_compose(server), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def test_the_script_restores_metabase_and_the_reader_still_stays_out(
    server: str, tmp_path: Path
) -> None:
    asked(server, "metabase", "CREATE TABLE question AS SELECT 1 AS id")
    asked(server, "metabase", "ALTER TABLE question OWNER TO metabase")
    copy = tmp_path / "metabase.dump"
    arguments = ["pg_dump", "-U", "postgres", "-Fc", "-d", "metabase", "-f", str(copy)]
    subprocess.run(arguments, env=as_in_compose(server), check=True)
    asked(server, "metabase", "DROP TABLE question")
    finished = restored(
        server, copy, GUARDIAN_DATABASE="metabase", GUARDIAN_DATABASE_OWNER="metabase"
    )
    assert finished.returncode == 0, finished.stderr
    with psycopg.connect(host=server, user="metabase", dbname="metabase") as connection:
        assert connection.execute("SELECT id FROM question").fetchall() == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(host=server, user="guardian_reader", dbname="metabase")


@pytest.fixture
def other(server: str) -> Iterator[str]:
    asked(server, "postgres", "CREATE DATABASE other OWNER guardian")
    yield "other"
    for name in ("other", "other_before"):
        asked(server, "postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_the_script_gives_what_another_role_made_to_the_one_that_signs_in(
    server: str, other: str, tmp_path: Path
) -> None:
    asked(server, other, "CREATE TABLE question AS SELECT 1 AS id")
    copy = tmp_path / "plain.dump"
    arguments = ["pg_dump", "-U", "postgres", "-Fc", "-d", other, "-f", str(copy)]
    subprocess.run(arguments, env=as_in_compose(server), check=True)
    finished = restored(server, copy, GUARDIAN_DATABASE=other)
    assert finished.returncode == 0, finished.stderr
    with psycopg.connect(host=server, user="guardian", dbname=other) as connection:
        assert connection.execute("SELECT id FROM question").fetchall() == [(1,)]


def test_the_script_refuses_hypertables_of_another_role(
    server: str, dump: Path, other: str
) -> None:
    refused = restored(server, dump, GUARDIAN_DATABASE=other, GUARDIAN_DATABASE_OWNER="metabase")
    assert refused.returncode != 0
    assert "belong to guardian, who is not metabase" in refused.stderr
    assert "Nothing was restored; other is as it was." in refused.stderr


def databases(server: str) -> list[str]:
    found = asked(server, "postgres", "SELECT datname FROM pg_database WHERE datname ~ 'guardian'")
    return sorted(str(name) for (name,) in found)


def test_the_script_changes_nothing_when_it_fails(server: str, dump: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.dump").write_bytes(dump.read_bytes()[:-20_000])
    failed = restored(server, tmp_path / "cut.dump")
    assert failed.returncode != 0
    assert "Nothing was restored; guardian is as it was." in failed.stderr
    with psycopg.connect(host=server, user="guardian", dbname="guardian"):
        assert "Stop it first" in restored(server, dump).stderr
    assert databases(server) == ["guardian"]


def test_the_script_puts_the_backup_in_place_and_keeps_what_was(server: str, dump: Path) -> None:
    asked(server, "guardian", "UPDATE ingest_minutecount SET count = 99")
    finished = restored(server, dump)
    assert finished.returncode == 0, finished.stderr
    assert databases(server) == ["guardian", "guardian_before"]
    _is_restored(server, "guardian")
    assert asked(server, "guardian", "SELECT count FROM ingest_minutecount") == [(5,)]
    told = [what for (what,) in asked(server, "guardian", TOLD)]
    assert told == ["pre, 0 tables", "post, sum 5", "restarted"]
    assert "still there" in restored(server, dump).stderr
    # The way back, as it is described.
    asked(server, "postgres", "ALTER DATABASE guardian_before ALLOW_CONNECTIONS true")
    assert asked(server, "guardian_before", "SELECT count FROM ingest_minutecount") == [(99,)]
