"""One trace from the report to the message sent; nothing of it while traces are off."""

import json
import logging
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

pytest.importorskip(
    "opentelemetry.sdk", reason="opentelemetry-sdk: pip install -r requirements-otel.txt"
)
pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http",
    reason="opentelemetry-exporter-otlp-proto-http: pip install -r requirements-otel.txt",
)

from celery import shared_task
from pytest_django import Settings

from alerts.channels import ChannelError
from alerts.models import Notification
from alerts.services import absorb_anomalies, send_due_notifications
from alerts.tests.makers import at, make_anomaly, make_source
from alerts.tests.standin import stand_in
from guardian_site.models import TraceMark
from guardian_site.telemetry.logging import JsonFormatter
from guardian_site.tests.collector import Collector, Span, running_collector
from guardian_site.tests.processes import ROOT, running, until
from guardian_site.tests.test_post_to_slack import traffic
from guardian_site.tracing import switch, tasks
from guardian_site.tracing.marks import forget_trace_marks
from guardian_site.tracing.provider import tracer
from guardian_site.tracing.requests import traced_assess, traced_site
from ingest.assessment import Metrics, Verdict
from ingest.reports import RecordedReport, SourceRef

pytestmark = pytest.mark.django_db
SENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@shared_task
def say_something() -> str:
    logging.getLogger("guardian_site").warning("in a task")
    return json.loads(JsonFormatter().format(logging.makeLogRecord({})))["trace_id"]  # type: ignore[no-any-return]


class Traced:
    """Traces are on; what was finished arrives at `off()`."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.on = True

    def off(self) -> None:
        if self.on:
            switch.turn_off()
        self.on = False

    def spans(self, name: str = "") -> list[Span]:
        self.off()
        return self.collector.spans(name)

    def one(self, name: str) -> Span:
        (found,) = self.spans(name)
        return found


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    with running_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "guardian-in-a-test")
        switch.turn_on()
        found = Traced(collector)
        try:
            yield found
        finally:
            found.off()


def test_the_collector_is_shown_what_came_by_a_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUARDIAN_DATA_DIR", str(tmp_path))
    (tmp_path / "headers").write_text("x-collector-key=s3cr3t,x-team=payments\n")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS_FILE", str(tmp_path / "headers"))
    found = runpy.run_path(str(ROOT / "guardian_site" / "settings.py"))
    settings.GUARDIAN_TRACE_HEADERS = found["GUARDIAN_TRACE_HEADERS"]
    with running_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        switch.turn_on()
        with tracer().start_as_current_span("one"):
            pass
        switch.turn_off()
        [shown] = collector.shown
    assert (shown["x-collector-key"], shown["x-team"]) == ("s3cr3t", "payments")


def verdict(level: str) -> Verdict:
    metrics = Metrics(current_count=1, status="denied", auth_code="51")
    return Verdict(
        is_anomaly=level != "NORMAL",
        alert_level=level,
        anomaly_score=0.9,
        rule_violations=[],
        recommendation="",
        metrics=metrics,
    )


def judging(level: str) -> Callable[..., Sequence[Verdict]]:
    return lambda reports, *, complete, brief=False: [verdict(level) for _ in reports]


def report() -> RecordedReport:
    source = make_source("acquirer")
    return RecordedReport(
        source=SourceRef(source.pk, source.name, ZoneInfo(source.time_zone)),
        timestamp=at(0),
        minute=at(0),
        status="denied",
        auth_code="51",
        count=42,
        changed=True,
        corrected=False,
        minute_counts=[],
    )


def post(
    path: str = "/transaction", level: str = "CRITICAL", status: str = "200 OK", **headers: str
) -> None:
    """Send a report through the site, with somebody in detection's place."""

    def site(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        traced_assess(judging(level))([report()], complete=False)
        start_response(status, [("X-Request-ID", "abc")])
        return [b"{}"]

    environ = RequestFactory().post(path, **headers).environ  # type: ignore[arg-type]
    assert list(traced_site(site)(environ, lambda *_: None)) == [b"{}"]


def test_one_trace_leads_from_the_report_to_the_message_sent(traced: Traced) -> None:
    post()
    make_anomaly(source=make_source("acquirer"))
    absorb_anomalies(now=at(1))
    assert send_due_notifications(now=at(1))
    request, assess = traced.one("POST /transaction"), traced.one("assess")
    written, sent = traced.one("write message"), traced.one("send message")
    assert {one.trace for one in (assess, written, sent)} == {request.trace}
    assert [one.parent for one in (assess, written, sent)] == [request.id, assess.id, written.id]
    assert traced.collector.paths == {"/v1/traces"}
    assert request.service == "guardian-in-a-test"


def test_spans_say_what_an_analyst_looks_for(traced: Traced) -> None:
    post()
    make_anomaly(source=make_source("acquirer"))
    absorb_anomalies(now=at(1))
    send_due_notifications(now=at(1))
    told = traced.one("POST /transaction").told
    assert (told["http.route"], told["http.response.status_code"]) == ("/transaction", 200)
    assert told["guardian.request_id"] == "abc"
    told = traced.one("assess").told
    assert (told["guardian.source"], told["guardian.level"]) == ("acquirer", "CRITICAL")
    row = Notification.objects.get()
    told = traced.one("send message").told
    assert told["guardian.message"] == row.pk
    assert told["guardian.incident"] == row.incident_id
    assert (told["guardian.channel"], told["guardian.attempt"]) == ("console", 1)


def test_a_trace_begun_by_the_sender_goes_on(traced: Traced) -> None:
    post(HTTP_TRACEPARENT=SENT)
    assert (traced.one("assess").trace, traced.one("POST /transaction").parent) == (
        "a" * 32,
        "b" * 16,
    )


def test_a_trace_that_the_sender_does_not_keep_leaves_no_mark(traced: Traced) -> None:
    post(HTTP_TRACEPARENT=SENT[:-1] + "0")
    assert (traced.spans(), TraceMark.objects.count()) == ([], 0)


@pytest.mark.parametrize("header", ["", "x", "00-0-0-0", "\0" * 55, SENT * 100, "é"])
def test_a_header_that_is_no_trace_begins_a_new_one(traced: Traced, header: str) -> None:
    post(HTTP_TRACEPARENT=header)
    assert traced.one("POST /transaction").parent == ""


def test_a_normal_report_leaves_no_mark(traced: Traced) -> None:
    post(level="NORMAL")
    assert traced.one("assess").told["guardian.level"] == "NORMAL"
    assert TraceMark.objects.count() == 0


def test_what_outsiders_put_into_an_address_names_no_span(traced: Traced) -> None:
    post("/no/such/4000001234567899")
    post("/health/live")
    assert [one.name for one in traced.spans() if one.name != "assess"] == ["POST unknown"]
    assert "4000001234567899" not in str(traced.spans())


def test_a_task_goes_on_in_the_trace_of_its_sender(traced: Traced) -> None:
    headers: dict[str, Any] = {}
    with tracer().start_as_current_span("sender"):
        tasks._sent(headers=headers)
    assert say_something.apply(headers=headers).get() == headers["traceparent"].split("-")[1]
    ran = traced.one(f"run {say_something.name}")
    assert ran.parent == traced.one("sender").id
    assert ran.told["celery.state"] == "SUCCESS"


def test_a_message_is_linked_to_the_task_that_wrote_or_sent_it(traced: Traced) -> None:
    post()
    make_anomaly(source=make_source("acquirer"))
    with tracer().start_as_current_span("the task"):
        absorb_anomalies(now=at(1))
        send_due_notifications(now=at(1))
    task = traced.one("the task")
    assert traced.one("write message").links == traced.one("send message").links == (task.id,)


def test_a_message_about_what_nobody_reported_belongs_to_its_task(traced: Traced) -> None:
    make_anomaly(source=make_source("acquirer"), family="silence")
    with tracer().start_as_current_span("the task"):
        absorb_anomalies(now=at(1))
    assert traced.one("write message").parent == traced.one("the task").id


def test_a_send_that_failed_says_why(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    make_anomaly(source=make_source("acquirer"))
    absorb_anomalies(now=at(1))

    def refuse(*_: Any) -> None:
        raise ChannelError("the vendor is away")

    monkeypatch.setattr("alerts.services.sending._send", refuse)
    send_due_notifications(now=at(1))
    assert len(traced.spans("send message")) == 1
    assert Notification.objects.get().last_error == "the vendor is away"


def test_log_lines_name_the_trace(traced: Traced) -> None:
    with tracer().start_as_current_span("work"):
        line = json.loads(JsonFormatter().format(logging.makeLogRecord({"msg": "x"})))
    span = traced.one("work")
    assert (line["trace_id"], line["span_id"]) == (span.trace, span.id)
    assert "trace_id" not in JsonFormatter().format(logging.makeLogRecord({"msg": "x"}))


def test_a_mark_that_cannot_be_kept_undoes_nothing(traced: Traced) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TraceMark._meta.db_table}")
    post()
    make_anomaly(source=make_source("acquirer"))
    absorb_anomalies(now=at(1))
    assert send_due_notifications(now=at(1))
    assert len(traced.spans("send message")) == 1


def test_marks_are_forgotten_after_a_day(traced: Traced) -> None:
    post()
    assert forget_trace_marks(now=timezone.now()) == 0
    assert forget_trace_marks(now=timezone.now() + timedelta(days=2)) == 1


def started(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "guardian_site.settings_test"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


LOADED = """
import sys, guardian_site.wsgi, guardian_site.urls, guardian_site.celery
import alerts.services, alerts.tasks
print(sorted(name for name in sys.modules if name.startswith(("opentelem", "guardian_site.trac"))))
"""


def test_nothing_is_imported_while_traces_are_off() -> None:
    assert started(LOADED).stdout == "[]\n"
    off = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}
    assert started(LOADED, **off).stdout == "[]\n"


def test_a_missing_library_stops_the_start_and_says_what_to_install() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import guardian_site.wsgi"
    found = started(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert found.returncode != 0
    assert "pip install -r requirements-otel.txt" in found.stderr


def test_a_protocol_nobody_speaks_stops_the_start() -> None:
    found = started(
        "import guardian_site.wsgi",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
    )
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in found.stderr


@pytest.mark.processes
@pytest.mark.timeout(400)
def test_the_real_processes_tell_one_trace_from_the_report_to_slack(tmp_path: Path) -> None:
    with running_collector() as collector, stand_in() as slack:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "GUARDIAN_LOG_FORMAT": "json",
            "SLACK_WEBHOOK_URL": f"{slack.url}/hook",
        }
        with running(tmp_path, **settings) as product:
            until(lambda: product.get("/health")["components"]["tasks"] == "ok")
            minute = datetime.now(UTC).replace(second=0, microsecond=0)
            product.post("/transactions/batch", {"transactions": traffic(minute)})
            until(lambda: slack.asked)
            until(lambda: [one for one in collector.spans("send message") if one.parent])
            assert product.stop() == 0
    (request,) = collector.spans("POST /transactions/batch")
    (assess,) = collector.spans("assess")
    (written,) = [
        one for one in collector.spans("write message") if one.told["guardian.channel"] != "console"
    ]
    (sent,) = [one for one in collector.spans("send message") if one.parent == written.id]
    assert {one.trace for one in (assess, written, sent)} == {request.trace}
    assert (assess.parent, written.parent) == (request.id, assess.id)
    tasks_of_worker = {one.id: one.name for one in collector.spans() if one.name.startswith("run ")}
    assert [tasks_of_worker[link] for link in written.links] == [
        "run alerts.tasks.absorb_anomalies"
    ]
    assert [tasks_of_worker[link] for link in sent.links] == ["run alerts.tasks.send_channel"]
    (send_task,) = [one for one in collector.spans() if one.id == sent.links[0]]
    assert send_task.parent in tasks_of_worker
