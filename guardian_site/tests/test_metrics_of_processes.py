"""Counts of several processes: together at /metrics, and alone on the port of a worker."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from guardian_site.tasks import beat
from guardian_site.telemetry import measured_tasks, worker_exposition
from guardian_site.telemetry.exposition import counted_by_all_processes
from guardian_site.telemetry.metrics import TASK_WAIT_SECONDS, TASKS
from ingest import steady_clock

ROOT = Path(__file__).resolve().parents[2]
COUNT = """
import django
django.setup()
from ingest.metrics import transactions
transactions.labels("approved").inc(10)
"""


def _count_in_another_process(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", COUNT],
        check=True,
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings_test",
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
        },
    )


def test_it_adds_up_what_the_processes_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _time in range(2):
        _count_in_another_process(tmp_path)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    values = {
        sample.labels.get("status"): sample.value
        for metric in counted_by_all_processes()
        if metric.name == "guardian_ingest_transactions"
        for sample in metric.samples
    }
    assert values["approved"] == 20.0
    assert values["failed"] == 0.0


def test_a_worker_answers_probes_and_scrapes_on_its_port() -> None:
    server = worker_exposition.serve(0, "127.0.0.1")
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        assert urllib.request.urlopen(f"{address}/alive").read() == b"alive\n"
        assert b"guardian_site_tasks_total" in urllib.request.urlopen(f"{address}/metrics").read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/secrets")
    finally:
        server.shutdown()
        server.server_close()


def test_whoever_says_nothing_there_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worker_exposition._Answer.timeout
    monkeypatch.setattr(worker_exposition._Answer, "timeout", 0.1)
    server = worker_exposition.serve(0, "127.0.0.1")
    try:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as silent:
            assert silent.recv(1) == b""
    finally:
        server.shutdown()
        server.server_close()


def test_a_worker_listens_to_those_the_site_listens_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, str]] = []
    monkeypatch.setattr(worker_exposition, "serve", lambda port, host: asked.append((port, host)))
    worker_exposition.serve_where_asked()
    settings.GUARDIAN_METRICS_PORT, settings.GUARDIAN_HOST = 9100, "::1"
    worker_exposition.serve_where_asked()
    assert asked == [(9100, "::1")]


def test_a_port_that_is_taken_is_told_in_a_line_and_by_name(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.GUARDIAN_METRICS_PORT = other.getsockname()[1]
        worker_exposition._serve_or_say_why_not()
        with pytest.raises(
            CommandError, match=r"GUARDIAN_METRICS_PORT=\d+: .* Choose another port"
        ):
            call_command("consume_stream", "--url", "redis://localhost:1/0", skip_checks=True)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"GUARDIAN_METRICS_PORT={settings.GUARDIAN_METRICS_PORT}")
    assert record.exc_info is None


@pytest.mark.django_db
def test_every_task_is_counted_by_how_it_ended() -> None:
    done = TASKS.labels("guardian_site.tasks.beat", "done")
    before = done._value.get()
    beat.delay()
    assert done._value.get() == before + 1


def test_a_task_tells_how_long_it_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    class Request:
        guardian_sent = 1_000.0
        delivery_info = {"routing_key": "notify"}

    class Task:
        request = Request()

    monkeypatch.setattr(steady_clock, "now", lambda: datetime.fromtimestamp(1_004.0, UTC))
    waited = TASK_WAIT_SECONDS.labels("notify")
    before = waited._sum.get()
    measured_tasks._before(task=Task())
    assert waited._sum.get() == before + 4.0
