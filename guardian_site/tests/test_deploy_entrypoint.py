"""The entry points of the image, run as they are: migrations, web, worker and beat, each probed."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.bench.stack import free_ports
from guardian_site.tests.clusters import cluster, make_roles

pytestmark = [pytest.mark.processes, pytest.mark.postgres]
ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
# How long a container may take to stop before it is killed.
GRACE_SECONDS = 30


@pytest.fixture(scope="module")
def environment(
    postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Give what compose sets, with secrets as files."""
    folder = tmp_path_factory.mktemp("secrets")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE entrypoint")
    address = postgres_url.replace("postgresql://", "postgres://").replace(
        "/guardian?", "/entrypoint?"
    )
    secrets = {"DATABASE_URL": address, "REDIS_URL": valkey_url, "GUARDIAN_SECRET_KEY": "k" * 64}
    for name, value in secrets.items():
        (folder / name).write_text(value)
    return {
        **{f"{name}_FILE": str(folder / name) for name in secrets},
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "GUARDIAN_HOST": "0.0.0.0",
        "GUARDIAN_LOG_FORMAT": "json",
        "GUARDIAN_STATIC": "/nowhere",
    }


def _of_its_own(environment: dict[str, str], folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of one container: a folder for state of its own."""
    counts = folder / "metrics"
    own = {"GUARDIAN_DATA_DIR": str(folder), "PROMETHEUS_MULTIPROC_DIR": str(counts)}
    return {**environment, **own, **more}


@contextmanager
def _container(environment: dict[str, str], *part: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([DOCKER / "entrypoint.sh", *part], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill() if process.poll() is None else None
        process.wait()


def _becomes_healthy(environment: dict[str, str]) -> bool:
    for _attempt in range(60):
        asked = subprocess.run(
            [DOCKER / "healthcheck.sh"], env=environment, capture_output=True, check=False
        )
        if asked.returncode == 0:
            return True
        time.sleep(1)
    return False


@pytest.fixture(scope="module")
def migrated(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    own = _of_its_own(environment, tmp_path_factory.mktemp("migrate"))
    for _time in range(2):
        subprocess.run([DOCKER / "entrypoint.sh", "migrate"], cwd=ROOT, env=own, check=True)


@pytest.mark.parametrize("part", ["web", "worker notify,detect", "beat", "consume_stream"])
def test_a_part_becomes_healthy_and_stops_in_order(
    part: str, environment: dict[str, str], migrated: None, tmp_path: Path
) -> None:
    web, metrics = free_ports(2)
    own = _of_its_own(
        environment, tmp_path, GUARDIAN_PORT=str(web), GUARDIAN_METRICS_PORT=str(metrics)
    )
    with _container(own, *part.split()) as process:
        assert _becomes_healthy(own)
        port = web if part == "web" else metrics
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
        assert b"guardian_site_task_wait_seconds" in answer
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE_SECONDS) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def test_a_part_without_its_queues_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [DOCKER / "entrypoint.sh", "worker"],
        cwd=ROOT,
        env=_of_its_own(environment, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert "Name the queues" in finished.stderr


def test_a_command_is_handed_to_manage_py(environment: dict[str, str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [DOCKER / "entrypoint.sh", "version"],
        cwd=ROOT,
        env=_of_its_own(environment, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.startswith("5.2")


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[str]:
    with cluster(tmp_path, "roles") as host:
        yield host


def test_the_owner_is_no_superuser_and_the_reader_may_only_look(
    new_cluster: str, tmp_path: Path
) -> None:
    make_roles(new_cluster, tmp_path)
    with psycopg.connect(host=new_cluster, user="guardian", dbname="guardian") as owner:
        owner.execute("CREATE TABLE payments (id int)")
        owner.commit()
        row = owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False,)
    with psycopg.connect(host=new_cluster, user="guardian_reader", dbname="guardian") as reader:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT * FROM public.payments")
        reader.rollback()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("CREATE TABLE mine (id int)")
