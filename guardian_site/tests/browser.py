"""A running site and a browser to look at it with."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from conftest import missing
from guardian_site.embedded.supervisor import web_command
from guardian_site.tests.processes import free_port

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
SETTINGS = {"DJANGO_SETTINGS_MODULE": "guardian_site.settings", "GUARDIAN_RATE_LIMIT": "off"}
SET_UP = (
    "import django; django.setup(); from django.core.management import call_command as call;"
    "call('migrate', verbosity=0); call('collectstatic', interactive=False, verbosity=0)"
)
FILL = "; from guardian_site.tests.browser_rows import fill; fill()"


@dataclass
class Site:
    """A Guardian of our own, served as the product serves it."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = web_command("127.0.0.1", self.port, 1, 8)
        self.process = subprocess.Popen(command, env=self.environment)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/health/live", timeout=1).close()
                return
            time.sleep(0.1)
        raise AssertionError("the web server did not start within 30 s")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=15)
            self.process = None

    def report(self, **body: Any) -> None:
        """A source sends a report, as a client would."""
        self._post("/transaction", body)

    def report_all(self, bodies: list[dict[str, Any]]) -> None:
        """Somebody sends a batch of reports."""
        self._post("/transactions/batch", {"transactions": bodies})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.address}{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200


def make_site(folder: Path, *, filled: bool) -> Site:
    """Return a site whose database is ready; it is not started yet."""
    environment = {**os.environ, **SETTINGS, "GUARDIAN_DATA_DIR": str(folder)}
    script = SET_UP + (FILL if filled else "")
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    return Site(folder, free_port(), environment=environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running site with three hours of one source and one incident."""
    running = make_site(tmp_path_factory.mktemp("site"), filled=True)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def empty_site(tmp_path: Path) -> Iterator[Site]:
    """Give a running site on which nobody has reported yet."""
    running = make_site(tmp_path, filled=False)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a browser; without one the test fails in CI and is skipped loudly elsewhere."""
    if not Path(CHROMIUM).exists():
        missing("chromium", f"apt-get install -y chromium ({CHROMIUM})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Look:
    """A page, and all that went wrong or out of the house while it was looked at."""

    page: Page
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    bytes: int = 0

    def watch(self) -> None:
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda asked: self.hosts.add(urlsplit(asked.url).netloc))
        self.page.on("requestfinished", lambda asked: self._got(asked))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.faults.append(text)

    def _got(self, request: Any) -> None:
        sizes = request.sizes()
        self.bytes += sizes["responseBodySize"] + sizes["responseHeadersSize"]


@contextlib.contextmanager
def looking(
    browser: Browser, *, width: int = 1440, height: int = 900, scheme: Any = "light"
) -> Iterator[Look]:
    """Open a window of its own, without cookies of another test."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    look = Look(context.new_page())
    look.watch()
    try:
        yield look
    finally:
        context.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login?next=/")
    page.fill("[name=username]", "ana")
    page.fill("[name=password]", "ana-ana-ana")
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/")


def live(page: Page) -> None:
    """Wait until the live page has its first answer."""
    page.wait_for_selector('body[data-live="yes"]')
