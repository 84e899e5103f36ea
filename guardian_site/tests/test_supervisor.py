import contextlib
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.core.management import CommandError
from pytest_django import Settings

from guardian_site.embedded import running
from guardian_site.embedded.supervisor import (
    CONNECTIONS,
    Part,
    Supervisor,
    embedded_broker,
    is_taken,
    web_command,
)
from guardian_site.schedule import QUEUES
from guardian_site.tests.processes import free_port, until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def _number(part: Part) -> int | None:
    return part.process.pid if part.process else None


def test_it_starts_a_dead_part_again() -> None:
    part = Part("sleeper", SLEEPER, {})
    part.watch(0.0)
    first = _number(part)
    assert part.process is not None
    os.kill(part.process.pid, signal.SIGKILL)
    part.process.wait()
    part.watch(time.monotonic())
    assert _number(part) is None
    part.watch(part.due)
    assert _number(part) not in (None, first)
    part.stop()


WITH_A_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c',"
    " 'import time; time.sleep(60)']); print(child.pid, file=open(sys.argv[1], 'w'), flush=True);"
    " time.sleep(60)",
]


@pytest.mark.parametrize("then", ["starts again", "stops"])
def test_children_of_a_killed_part_do_not_go_on_without_it(tmp_path: Path, then: str) -> None:
    told = tmp_path / "child"
    part = Part("parent", [*WITH_A_CHILD, str(told)], {})
    part.start()
    until(lambda: told.exists() and told.read_text().endswith("\n"))
    assert part.process is not None
    os.kill(part.process.pid, signal.SIGKILL)
    part.process.wait()
    if then == "stops":
        part.stop()
    else:
        part.watch(time.monotonic())
    until(lambda: _is_gone(int(told.read_text())))


def _is_gone(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_pause_grows_while_a_part_keeps_dying() -> None:
    part = Part("broken", [sys.executable, "-c", "raise SystemExit(3)"], {})
    pauses = []
    for _ in range(3):
        part.watch(part.due)
        assert part.process is not None
        part.process.wait()
        now = part.started + 1.0
        part.watch(now)
        pauses.append(part.due - now)
    assert pauses == [1.0, 2.0, 4.0]


def test_it_stops_its_parts_in_reverse_order(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(Part, "stop", lambda part: order.append(part.name))
    monkeypatch.setattr(Part, "watch", lambda part, now: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    supervisor = Supervisor([Part("worker", [], {}), Part("web", [], {})])
    threading.Timer(0.3, supervisor.request_stop).start()
    supervisor.run()
    assert order == ["web", "worker"]


def test_a_part_that_ignores_the_request_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian_site.embedded.supervisor.STOP_SECONDS", 0.5)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    part = Part("stubborn", [sys.executable, "-c", stubborn], {})
    part.start()
    time.sleep(0.3)
    part.stop()
    assert part.process is not None
    assert part.process.returncode is not None


def test_the_embedded_broker_wants_its_password(tmp_path: Path) -> None:
    address, [broker] = embedded_broker(tmp_path)
    assert (tmp_path / "valkey.conf").stat().st_mode & 0o077 == 0
    broker.start()
    try:
        until(lambda: is_taken("127.0.0.1", urlsplit(address).port or 0))
        with redis.Redis.from_url(address) as client:
            assert client.ping()
        stranger = redis.Redis(port=urlsplit(address).port or 0)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        broker.stop()


def test_the_web_command_names_address_and_threads() -> None:
    command = " ".join(web_command("127.0.0.1", 8001, 1, 32))
    assert "--host 127.0.0.1 --port 8001 --workers 1 --blocking-threads 32" in command


@pytest.mark.processes
def test_who_keeps_connections_open_keeps_nobody_out(tmp_path: Path) -> None:
    port = free_port()
    web = Part("web", web_command("127.0.0.1", port, 1, 8), {"GUARDIAN_DATA_DIR": str(tmp_path)})
    web.start()
    try:
        until(lambda: is_taken("127.0.0.1", port), 60)
        with contextlib.ExitStack() as idle:
            for _ in range(CONNECTIONS // 2):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            address = f"http://127.0.0.1:{port}/health/live"
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
    finally:
        web.stop()


def test_one_part_alone_listens_where_metrics_are_asked_for() -> None:
    ports = {
        part.name: part.environment.get("GUARDIAN_METRICS_PORT")
        for part in running._parts("127.0.0.1", 8001, {"GUARDIAN_HOST": "127.0.0.1"})
    }
    assert [ports.pop(name) for name in ("beat", "trainer")] == ["0", "0"]
    assert set(ports.values()) == {None}


def test_what_is_judged_and_told_waits_for_no_backtest() -> None:
    parts = running._parts("127.0.0.1", 8001, {})
    queues = {
        part.name: part.command[part.command.index("-Q") + 1].split(",")
        for part in parts
        if "-Q" in part.command
    }
    assert "train" not in queues["worker"]
    assert sorted(queue for some in queues.values() for queue in some) == sorted(QUEUES)


@pytest.mark.parametrize("own", [True, False])
def test_a_port_of_metrics_that_is_taken_stops_the_start(settings: Settings, own: bool) -> None:
    site = free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.GUARDIAN_METRICS_PORT = site if own else other.getsockname()[1]
        with pytest.raises(CommandError, match="GUARDIAN_METRICS_PORT"):
            running.refuse_taken("127.0.0.1", site)
