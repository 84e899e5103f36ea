"""Each role at each door of the running site: 401 for the unknown, 403 for too small a role."""

import pytest
from django.test import Client
from pytest_django import Settings

from guardian_site.tests.people import make_person, token_client
from ingest.models import Source
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def closed(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    settings.GUARDIAN_REQUIRE_API_KEY = True


def key_client(*scopes: str, source: str = "") -> Client:
    row = Source.objects.get_or_create(name=source)[0] if source else None
    _key, secret = issue_key(name="a key", scopes=scopes, source=row)
    return Client(headers={"X-API-Key": secret})


READING = ["/anomalies", "/stats", "/live.json", "/incidents/", "/cache/stats"]
REPORT = {"status": "approved", "count": 3, "source": "acquirer"}


@pytest.mark.parametrize("path", READING)
def test_the_unknown_are_asked_who_they_are(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize("path", READING)
def test_a_viewer_reads(path: str) -> None:
    assert token_client("viewer").get(path).status_code == 200


@pytest.mark.parametrize("path", READING)
def test_a_key_that_only_reports_does_not_read(path: str) -> None:
    answer = key_client("report").get(path)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer["WWW-Authenticate"]


def test_a_browser_is_led_to_the_sign_in() -> None:
    answer = Client().get("/incidents/", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=/incidents/"


@pytest.mark.parametrize(
    ("role", "status"), [(None, 403), ("viewer", 403), ("operator", 403), ("admin", 200)]
)
def test_only_an_administrator_flushes_the_cache(role: str | None, status: int) -> None:
    assert token_client(role).delete("/cache/flush").status_code == status


def test_the_unknown_flush_nothing() -> None:
    assert Client().delete("/cache/flush").status_code == 401


def test_a_report_needs_a_key_or_an_operator() -> None:
    Source.objects.create(name="acquirer")

    def post(client: Client) -> int:
        return client.post("/transaction", REPORT, content_type="application/json").status_code

    assert post(Client()) == 401
    assert post(token_client("viewer")) == 403
    assert post(key_client("read")) == 403
    assert post(key_client("report")) == 200
    assert post(token_client("operator")) == 200


def test_a_wrong_key_is_refused_even_where_none_is_needed(settings: Settings) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = False
    client = Client(headers={"X-API-Key": "tg_wrong"})
    assert client.post("/transaction", REPORT, content_type="application/json").status_code == 401


def test_a_method_without_a_rule_is_not_allowed() -> None:
    answer = token_client("admin").put("/anomalies")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET"


def test_the_form_of_another_site_changes_nothing_through_the_browser_of_an_admin() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_person("admin"), backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.delete("/cache/flush")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "kind"), [("application/json", "application/json"), ("text/html", "text/html")]
)
def test_a_form_without_its_token_is_refused_in_the_form_that_was_asked_for(
    accept: str, kind: str
) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"Accept": accept})
    answer = browser.post("/login", {"username": "ana", "password": "x"})
    assert answer.status_code == 403
    assert answer["Content-Type"].partition(";")[0] == kind


def test_health_is_open_and_tells_no_figures() -> None:
    answer = Client().get("/health/live")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive"}


def test_the_pages_of_the_admin_follow_the_roles() -> None:
    browser = Client()
    browser.force_login(make_person("viewer"), backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/admin/alerts/incident/").status_code == 200
    assert browser.get("/admin/auth/user/").status_code == 403
    assert browser.get("/admin/alerts/silence/add/").status_code == 403
    assert browser.post("/admin/alerts/silence/add/").status_code == 403
