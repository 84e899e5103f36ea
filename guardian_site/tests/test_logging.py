import json
import logging

import pytest
from celery import shared_task
from celery.app.log import Logging
from django.test import Client

from alerts.services.triage import acknowledge
from alerts.tests.makers import at, open_incident
from guardian_site.celery import app
from guardian_site.telemetry import incident_log
from guardian_site.telemetry.logging import JsonFormatter, LineFormatter, request_id


def _record(message: str = "It went wrong.", **extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "alerts", "levelname": "ERROR", "msg": message})
    record.__dict__.update(extra)
    return record


def test_a_line_is_one_json_object_with_what_extra_named() -> None:
    line = JsonFormatter().format(_record("Sent.\nTwice.", incident_id=7))
    assert "\n" not in line
    found = json.loads(line)
    assert found["message"] == "Sent.\nTwice."
    assert found["incident_id"] == 7
    assert found["level"] == "ERROR"


def test_an_error_keeps_its_traceback() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        record = _record(exc_info=(ValueError, error, error.__traceback__))
    assert "no such thing" in json.loads(JsonFormatter().format(record))["error"]


@pytest.mark.django_db
def test_nobody_writes_a_line_of_the_log(
    admin_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    forged = "2026-01-01 00:00:00,000 ERROR forged"
    admin_client.get("/admin/alerts/incident/", {"_to_field": f"x\n{forged}\x1b[2K"})
    [record] = [one for one in caplog.records if one.name.startswith("django.security")]
    line = LineFormatter().format(record)
    assert forged in line
    assert "\x1b" not in line
    assert all(one.startswith("    ") for one in line.splitlines()[1:])


def test_objects_do_not_leak_into_the_line() -> None:
    assert "request" not in json.loads(JsonFormatter().format(_record(request=object())))


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_a_line_written_for_a_request_carries_its_id(formatter: logging.Formatter) -> None:
    token = request_id.set("abc123")
    try:
        assert "abc123" in formatter.format(_record())
    finally:
        request_id.reset(token)


def test_an_answer_carries_the_id_the_caller_sent(client: Client) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": "order-17"})
    assert answer["X-Request-ID"] == "order-17"


@pytest.mark.parametrize("sent", ["", "two words", "x" * 65, "line\nbreak", "<script>"])
def test_an_unsound_id_is_replaced(client: Client, sent: str) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": sent})
    assert answer["X-Request-ID"] not in ("", sent)
    assert request_id.get() == ""


def test_a_line_written_in_a_task_names_the_task() -> None:
    @shared_task(name="guardian_site.tests.speak")
    def speak() -> str:
        return JsonFormatter().format(_record())

    found = json.loads(speak.apply().get())
    assert found["task"] == "guardian_site.tests.speak"
    assert found["task_id"]


@pytest.mark.parametrize("given", [logging.INFO, logging.ERROR])
def test_workers_and_beat_write_what_the_setting_says(
    given: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(given)
    monkeypatch.setattr(Logging, "_setup", False)
    app.log.setup_logging_subsystem(loglevel="WARNING")
    assert incident_log.logger.getEffectiveLevel() == given
    assert logging.getLogger("celery.worker.strategy").getEffectiveLevel() == logging.WARNING


@pytest.mark.django_db
def test_every_change_of_an_incident_is_a_line_with_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "guardian_site.telemetry.incident_log")
    incident = open_incident()
    acknowledge(incident_id=incident.pk, actor="ana\nERROR forged", via="api", now=at(1))
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    told = [line for line in lines if line["logger"] == "guardian_site.telemetry.incident_log"]
    assert {line["incident_id"] for line in told} == {incident.pk}
    assert [line["kind"] for line in told] == ["opened", "acknowledged"]
    assert told[-1]["who"] == "ana�ERROR forged"
