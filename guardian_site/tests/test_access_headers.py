"""What browsers are told: no foreign script, no frame, no other site, cookies kept close."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as site
from django.test import Client

from guardian_site.tests.people import PASSWORD, make_person
from guardian_site.web.problems import FOREIGN_HOST
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db
PAGES = ["/", "/incidents/", "/sources/", "/help/", "/login", "/anomalies", "/nothing-here"]
DEPLOYMENT = {
    "DATABASE_URL": "postgres://guardian:a-long-one-7@db/guardian",
    "REDIS_URL": "redis://:another-8@redis:6379/0",
    "GUARDIAN_HOST": "0.0.0.0",
    "GUARDIAN_SECRET_KEY": "kQ3vX9tR2mW8bN5cZ7jL4hG6fD1sA0pYuEiOxCqBnTrHmWvKdPfJgS",
    "GUARDIAN_JWT_KEYS": "Zt8Yw2Xv6Uu4Ts0Rr1Qp9On7Ml5Kk3Jj8Ih2Gg6Ff",
    "GUARDIAN_HTTPS": "on",
    "GUARDIAN_REQUIRE_API_KEY": "on",
    "GUARDIAN_ALLOWED_HOSTS": "guardian.example",
}


@pytest.mark.parametrize("path", PAGES)
def test_our_pages_run_only_scripts_of_ours(path: str) -> None:
    answer = Client().get(path, headers={"Accept": "text/html"})
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/admin/"])
def test_pages_that_are_not_ours_keep_all_of_the_line_but_inline_scripts(path: str) -> None:
    browser = Client()
    browser.force_login(make_person("admin"), backend=site.AUTHENTICATION_BACKENDS[1])
    policy = browser.get(path)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy


def test_no_template_of_ours_holds_a_script_or_a_style_in_the_page() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son\w+=|\sstyle=", re.I)
    folder = Path(site.BASE_DIR) / "templates"
    found = [path.name for path in folder.rglob("*.html") if inline.search(path.read_text())]
    assert found == []


@pytest.mark.parametrize("path", ["/anomalies", "/stats", "/api/incidents", "/", "/stream"])
def test_what_a_key_reads_is_kept_by_no_cache_on_the_way(path: str) -> None:
    _key, secret = issue_key(name="k", scopes=("read",))
    kept = Client().get(path, headers={"X-API-Key": secret})["Cache-Control"]
    assert "private" in kept or path == "/stream"
    assert "no-cache" in kept


@pytest.mark.parametrize("path", ["/anomalies", "/transaction", "/auth/login"])
def test_no_other_site_may_ask_from_a_browser(path: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (Client().get(path, headers=headers), Client().options(path, headers=headers)):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_the_cookie_of_a_session_stays_with_the_browser_and_the_site() -> None:
    make_person()
    answer = Client().post("/login", {"username": "the-viewer", "password": PASSWORD})
    cookie = answer.cookies["guardian_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == ""


def test_a_session_gets_a_new_key_at_sign_in() -> None:
    make_person()
    browser = Client()
    browser.get("/login")
    session = browser.session
    session["before"] = 1
    session.save()
    before = session.session_key
    browser.cookies["guardian_session"] = before or ""
    browser.post("/login", {"username": "the-viewer", "password": PASSWORD})
    assert browser.session.session_key != before


def test_under_a_name_that_is_not_ours_nothing_is_served_and_a_person_is_told_why() -> None:
    headers = {"Host": "evil.example", "Accept": "text/html"}
    page = Client(headers=headers).get("/login")
    assert page.status_code == 400
    assert "GUARDIAN_ALLOWED_HOSTS" in page.text
    assert "evil.example" not in page.text


def test_a_program_is_told_which_header_names_another_site() -> None:
    answer = Client(headers={"Host": "10.1.2.3:8001"}).get("/stats")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "Host", "message": FOREIGN_HOST}]


def test_a_deployment_passes_every_check() -> None:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command,
        cwd=site.BASE_DIR,
        env={"PATH": "/usr/bin:/bin", **DEPLOYMENT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
