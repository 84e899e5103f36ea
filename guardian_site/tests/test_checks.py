import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve
from pytest_django import Settings

from guardian_site.checks import (
    FORMER_SETTINGS,
    no_former_setting_is_ignored,
    settings_can_run,
)
from guardian_site.tests.processes import ROOT

BAD: list[tuple[str, dict[str, Any]]] = [
    ("guardian.E001", {"GUARDIAN_RATE_LIMIT": "100"}),
    ("guardian.E001", {"GUARDIAN_RATE_LIMIT": "0/m"}),
    ("guardian.E001", {"GUARDIAN_RATE_LIMIT": "fast"}),
    ("guardian.E005", {"DATABASE_URL": "postgres://db/g", "GUARDIAN_WEB_WORKERS": 2}),
    ("guardian.E005", {"GUARDIAN_WEB_WORKERS": 2}),
    ("guardian.E006", {"SLACK_WEBHOOK_URL": "http://hooks.slack.com/services/x"}),
    ("guardian.E006", {"SLACK_WEBHOOK_URL": "hooks.slack.com"}),
    ("guardian.E007", {"SLACK_BOT_TOKEN": "xoxb-1"}),
    ("guardian.E007", {"SLACK_CHANNEL": "C1"}),
    ("guardian.E008", {"GUARDIAN_HOST": "192.168.1.5"}),
    ("guardian.E010", {"GUARDIAN_WARNING_WAIT_MINUTES": 61}),
    ("guardian.E010", {"GUARDIAN_WARNING_WAIT_MINUTES": -1}),
    ("guardian.E010", {"GUARDIAN_WARNING_WAIT_MINUTES": "3"}),
    ("guardian.E011", {"GUARDIAN_GRACE_SECONDS": 800}),
    ("guardian.E011", {"GUARDIAN_PAST_MINUTES": 2}),
    ("guardian.E012", {"GUARDIAN_DISK_PATH": Path("/nowhere")}),
    ("guardian.E013", {"ALLOWED_HOSTS": ["https://guardian.example.com"]}),
    ("guardian.E013", {"ALLOWED_HOSTS": ["guardian.example.com:8001"]}),
    ("guardian.E013", {"ALLOWED_HOSTS": ["[::1]:8001"]}),
    ("guardian.E013", {"ALLOWED_HOSTS": ["2001:db8::5"]}),
    ("guardian.E013", {"ALLOWED_HOSTS": ["*.example.com"]}),
    ("guardian.E013", {"ALLOWED_HOSTS": ['"guardian.example.com"']}),
    (
        "guardian.E014",
        {"DEBUG": True, "GUARDIAN_HOST": "0.0.0.0", "GUARDIAN_REQUIRE_API_KEY": True},
    ),
]


def _ids() -> list[str | None]:
    return [message.id for message in settings_can_run(None)]


def test_the_defaults_can_run(settings: Settings) -> None:
    assert _ids() == []


def test_a_disk_that_is_not_known_is_no_fault(settings: Settings) -> None:
    settings.GUARDIAN_DISK_PATH = None
    assert _ids() == []


@pytest.mark.parametrize(("identifier", "changes"), BAD)
def test_it_refuses_a_bad_setting_and_says_what_to_set(
    identifier: str, changes: dict[str, Any], settings: Settings
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    found = [message for message in settings_can_run(None) if message.id == identifier]
    assert found
    assert all(message.hint for message in found)


def test_a_local_stand_in_for_slack_may_be_plain_http(settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = "http://127.0.0.1:9/hook"
    assert _ids() == []


def test_it_refuses_a_folder_it_cannot_write_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guardian_site.checks.os.access", lambda path, mode: False)
    assert _ids() == ["guardian.E009"]


def test_hosts_may_be_names_and_addresses(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["guardian.example.com", ".Example.com", "*", "[::1]", "10.0.0.1"]
    assert _ids() == []


@pytest.mark.parametrize(("former", "new"), FORMER_SETTINGS.items())
def test_a_setting_of_the_former_system_is_told_with_what_took_its_place(
    former: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(new, raising=False)
    monkeypatch.setenv(former, "given")
    [told] = no_former_setting_is_ignored(None)
    assert told.msg.startswith(f"{former} ")
    assert new in str(told.hint)
    monkeypatch.setenv(new, "given")
    assert no_former_setting_is_ignored(None) == []


def test_the_command_names_the_new_setting(tmp_path: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "GUARDIAN_DATA_DIR": str(tmp_path), "TELEGRAM_TOKEN": "1:a"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "TELEGRAM_BOT_TOKEN" in checked.stderr


COMING_OVER = (ROOT / "deploy" / "docs" / "former-system.md").read_text()


def test_the_page_of_the_former_system_names_every_setting() -> None:
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", COMING_OVER))
    assert {*FORMER_SETTINGS, *FORMER_SETTINGS.values()} <= told
    assert "deploy/docs/former-system.md" in (ROOT / "README.md").read_text()


def test_whatever_the_page_sends_a_client_to_is_there() -> None:
    rows = [line.split("|") for line in COMING_OVER.splitlines() if line.startswith("| `")]
    route = re.compile(r"`(?:GET|POST|DELETE) (/[^`]*)`")
    sent_to = [path for row in rows for path in route.findall(row[2])]
    same = [
        path for row in rows if row[2].startswith(" the same") for path in route.findall(row[1])
    ]
    assert len(same) > len(sent_to) > 5
    for path in (*sent_to, *same):
        resolve(path)
