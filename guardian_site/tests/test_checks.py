from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from guardian_site.checks import settings_can_run

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
    settings.ALLOWED_HOSTS = ["guardian.example.com", ".example.com", "*", "[::1]", "::1"]
    assert _ids() == []
