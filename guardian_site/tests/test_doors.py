import gc
import json
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings
from rest_framework.request import Request

from deploy.bench.in_process import ask
from guardian_site.web.doors import DOORS, with_doors
from guardian_site.web.utf8_request import Utf8Request
from guardian_site.wsgi import application
from ingest.models import Report
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db(transaction=True)


def _post(path: str, body: object, **environ: str) -> tuple[str, dict[str, str], Any]:
    answer = ask(application, json.dumps(body).encode(), path, **environ)
    return answer.status, answer.headers, answer.json()


def test_a_report_is_answered_on_the_short_way() -> None:
    status, headers, answer = _post("/transaction", {"status": "approved", "count": 5})
    assert status == "200 OK"
    assert answer["alert_level"] == "NORMAL"
    assert "X-Request-ID" in headers
    assert "Content-Security-Policy" not in headers


def test_a_report_leaves_nothing_for_the_garbage_collector() -> None:
    report = {"timestamp": "2026-01-01T00:00:00Z", "status": "approved", "count": 5}
    gc.collect()
    gc.disable()
    try:
        before = requests_in_memory()
        _post("/transaction", report)
        assert requests_in_memory() == before
    finally:
        gc.enable()


def requests_in_memory() -> int:
    return sum(type(one) in (Request, Utf8Request) for one in gc.get_objects())


BATCH = {"transactions": [{"status": "approved", "count": 5}]}


def test_a_door_opens_under_any_host_name_to_a_key() -> None:
    _key, secret = issue_key(name="k")
    _, _, answer = _post("/transactions/batch", BATCH, HTTP_HOST="whatever", HTTP_X_API_KEY=secret)
    assert answer["processed"] == 1


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example"])
def test_a_page_whose_name_was_made_to_lead_here_reports_nothing(host: str) -> None:
    for path, body in (("/transaction", BATCH["transactions"][0]), ("/transactions/batch", BATCH)):
        status, _, _ = _post(path, body, HTTP_HOST=host, HTTP_ORIGIN=f"http://{host}")
        assert status == "400 Bad Request"
    assert not Report.objects.exists()


@pytest.mark.parametrize("told", ["HTTP_ORIGIN", "HTTP_REFERER"])
def test_a_page_that_hides_where_it_is_from_reports_nothing(told: str) -> None:
    environ = {"HTTP_HOST": "evil.example", told: "null"}
    status, _, answer = _post("/transactions/batch", BATCH, **environ)
    assert status == "400 Bad Request"
    assert answer["errors"][0]["field"] == "Host"


@pytest.mark.parametrize("host", ["guardian", "x", "10.1.2.3:8001"])
def test_a_program_reports_under_whatever_name_it_found_the_site(host: str) -> None:
    _, _, answer = _post("/transactions/batch", BATCH, HTTP_HOST=host)
    assert answer["processed"] == 1


def test_whoever_brings_cookies_takes_the_long_way() -> None:
    _, headers, _ = _post("/transaction", {"status": "approved"}, HTTP_COOKIE="sessionid=none")
    assert "Content-Security-Policy" in headers


@pytest.mark.parametrize("path", DOORS)
def test_with_https_nothing_is_taken_in_clear(path: str, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    doors = with_doors(application)
    body = json.dumps(BATCH if path.endswith("batch") else BATCH["transactions"][0]).encode()
    clear = ask(doors, body, path)
    assert (clear.status[:3], clear.headers["Location"]) == ("301", f"https://localhost{path}")
    assert not Report.objects.exists()
    hidden = ask(doors, body, path, HTTP_X_FORWARDED_PROTO="https")
    assert hidden.status == "200 OK"
    assert hidden.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_bad_input_is_named_on_the_short_way_too() -> None:
    status, _, answer = _post("/transaction", {"status": "lost"})
    assert status.startswith("400")
    assert answer["errors"][0]["field"] == "status"


def test_the_rest_of_the_site_is_left_alone() -> None:
    asked: list[str] = []

    def rest(environ: dict[str, Any], start_response: object) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        return []

    site = with_doors(rest)
    site({"PATH_INFO": "/health"}, lambda *_: None)
    assert asked == ["/health"]


@pytest.mark.parametrize("path", DOORS)
def test_requests_are_counted_under_the_usual_names(path: str) -> None:
    labels = {"status": "400", "view": DOORS[path], "method": "POST"}
    name = "django_http_responses_total_by_status_view_method_total"
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    _post(path, [])
    assert REGISTRY.get_sample_value(name, labels) == before + 1
