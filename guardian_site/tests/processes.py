"""Runs the real product (web, worker, beat, broker) in a folder of its own for a test."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.bench.stack import free_ports

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    return free_ports(1)[0]


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return what `condition` gives as soon as it is true; fail if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {condition}")


class Product:
    """One running Guardian."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "GUARDIAN" not in name},
            "GUARDIAN_DATA_DIR": str(folder),
            "GUARDIAN_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
            **environment,
        }
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        """Run a management command against the same database."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._answers, START_SECONDS)

    def stop(self) -> int:
        """Press Ctrl-C and wait until all of it is gone."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def children(self) -> dict[str, int]:
        """Return the process numbers of the parts by name."""
        assert self.process is not None
        folder = Path(f"/proc/{self.process.pid}/task")
        numbers = [
            int(each)
            for task in folder.iterdir()
            for each in (task / "children").read_text().split()
        ]
        lines = {each: Path(f"/proc/{each}/cmdline").read_text() for each in numbers}
        names = {"granian": "web", "notify,detect": "worker", "valkey": "broker"}
        return {
            name: number
            for number, line in lines.items()
            for word, name in names.items()
            if word in line
        }

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.get("/health/live"))
        except OSError:
            return False

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.loads(response.read())

    def post(self, path: str, body: object) -> Any:
        """Post a body; an answer that is not 2xx raises with what it said."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read()[:500]!r}") from error


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Product]:
    """Run the product until the end of the block; its log is told when the block fails."""
    product = Product(folder, environment)
    try:
        product.start()
        yield product
    except BaseException:
        print(product.log.read_text()[-5000:] if product.log.exists() else "no log")
        raise
    finally:
        if product.process is not None and product.process.poll() is None:
            product.stop()
