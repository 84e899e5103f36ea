"""The real parts, as in compose: database, Valkey, web, worker with beat, Prometheus."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.bench import stack as parts
from deploy.grafana.checking.questions import DEPLOY

ROOT = DEPLOY.parent
SCRAPE_SECONDS = 5


@dataclass
class Stack:
    """What runs, and where it answers."""

    folder: Path
    environment: Mapping[str, str]
    web_port: int
    worker_port: int
    prometheus_port: int
    web: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def database(self) -> str:
        return self.environment["DATABASE_URL"].replace("postgres://", "postgresql://")

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it printed."""
        try:
            return parts.manage(self.environment, *arguments)
        except subprocess.CalledProcessError as error:
            # What it said before it failed would be lost with the folder.
            print(error.stderr[-2000:], file=sys.stderr)
            raise

    def module(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            check=True,
        )

    def stop_web(self) -> None:
        """Let the web processes end, as in an outage."""
        if self.web is not None:
            end(self.web)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and see to it that it does."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def process(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process beside us, its words in a file."""
    with log.open("wb") as words:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=words,
            stderr=subprocess.STDOUT,
        )
    try:
        yield started
    finally:
        end(started)


def wait_for(url: str, seconds: float = 60) -> None:
    """Return when it answers.

    Raises
    ------
    RuntimeError
        If it does not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer within {seconds:.0f} s")


def prometheus_config(
    web: str, worker: str = "", own: str = "", seconds: int = SCRAPE_SECONDS
) -> dict[str, Any]:
    """Return the committed configuration with the targets and the pace of this machine."""
    config: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    pace = f"{seconds}s"
    config["global"] |= {
        "scrape_interval": pace,
        "scrape_timeout": pace,
        "evaluation_interval": pace,
    }
    config.pop("alerting")
    config["scrape_configs"] = [
        {"job_name": name, "static_configs": [{"targets": [target]}]}
        for name, target in (
            ("guardian-web", web),
            ("guardian-worker", worker),
            ("prometheus", own),
        )
        if target
    ]
    return config


@contextlib.contextmanager
def prometheus(config: dict[str, Any], port: int, folder: Path) -> Iterator[str]:
    """Run Prometheus on `port` and give its address."""
    program = shutil.which("prometheus")
    if program is None:
        raise parts.Missing("prometheus is not on this machine: apt-get install prometheus")
    # Recording rules have a pace of their own; here nobody waits half a minute for them.
    rules = folder / "rules"
    rules.mkdir()
    for path in (DEPLOY / "prometheus" / "rules").glob("*.yml"):
        groups = yaml.safe_load(path.read_text())
        for group in groups["groups"]:
            group.pop("interval", None)
        (rules / path.name).write_text(yaml.safe_dump(groups))
    config["rule_files"] = [str(rules / "*.yml")]
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    command = [
        *(program, f"--config.file={file}", f"--storage.tsdb.path={folder / 'prometheus'}"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with process(command, folder / "prometheus.log"):
        wait_for(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """Run all of it on an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="guardian-panels-"))
    with contextlib.ExitStack() as upward:
        upward.callback(shutil.rmtree, folder, ignore_errors=True)
        web_port, worker_port, prometheus_port = parts.free_ports(3)
        environment = {
            "DATABASE_URL": upward.enter_context(parts.postgres()),
            "REDIS_URL": upward.enter_context(parts.valkey()),
            "GUARDIAN_DATA_DIR": str(folder / "var"),
            "GUARDIAN_DISK_PATH": str(folder),
            "GUARDIAN_PORT": str(web_port),
            "GUARDIAN_RATE_LIMIT": "off",
            "GUARDIAN_WEB_WORKERS": "2",
            "GUARDIAN_URL": f"http://127.0.0.1:{web_port}",
        }
        stack = Stack(folder, environment, web_port, worker_port, prometheus_port)
        _make_reader(stack)
        stack.manage("migrate", "--verbosity", "0")
        stack.module("deploy.timescaledb.reporting", "create")
        stack.web = upward.enter_context(_web(stack))
        upward.enter_context(_worker(stack))
        wait_for(f"{stack.url}/health/ready")
        web, worker, own = (
            f"127.0.0.1:{port}" for port in (web_port, worker_port, prometheus_port)
        )
        config = prometheus_config(web, worker, own)
        upward.enter_context(prometheus(config, prometheus_port, folder))
        yield stack


def _make_reader(stack: Stack) -> None:
    import psycopg

    with psycopg.connect(stack.database, autocommit=True) as connection:
        connection.execute("CREATE ROLE guardian_reader LOGIN")


def _counted(stack: Stack, name: str) -> dict[str, str]:
    # Web and worker are two containers in compose: each counts into a folder of its own.
    counts = stack.folder / f"counts-{name}"
    counts.mkdir()
    return {**stack.environment, "PROMETHEUS_MULTIPROC_DIR": str(counts)}


def _web(stack: Stack) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    from guardian_site.embedded.supervisor import web_command

    command = web_command("127.0.0.1", stack.web_port, 2, 16)
    return process(command, stack.folder / "web.log", _counted(stack, "web"))


@contextlib.contextmanager
def _worker(stack: Stack) -> Iterator[None]:
    """Run a worker, and the beat that gives it work."""
    from guardian_site.embedded.supervisor import beat_command, worker_command
    from guardian_site.schedule import QUEUES

    counted = _counted(stack, "worker")
    measured = {**counted, "GUARDIAN_METRICS_PORT": str(stack.worker_port)}
    log = stack.folder / "worker.log"
    with (
        process(worker_command(QUEUES), log, measured),
        process(beat_command(stack.folder), stack.folder / "beat.log", counted),
    ):
        yield
