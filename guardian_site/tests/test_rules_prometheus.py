import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import missing

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
GROUPS = yaml.safe_load((FOLDER / "rules" / "alerts.yml").read_text())["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"]]
TESTS = "\n".join(path.read_text() for path in (FOLDER / "tests").glob("*.yml"))


def _promtool(*arguments: str) -> str:
    if shutil.which("promtool") is None:
        missing("promtool", "apt-get install prometheus")
    finished = subprocess.run(
        ["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def _files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(FOLDER)) for path in (FOLDER / folder).glob("*.yml"))


def test_prometheus_takes_the_configuration() -> None:
    _promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_prometheus_takes_the_rules() -> None:
    _promtool("check", "rules", *_files("rules"))


@pytest.mark.parametrize("file", _files("tests"))
def test_the_rules_fire_when_they_should_and_not_otherwise(file: str) -> None:
    assert "SUCCESS" in _promtool("test", "rules", file)


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in ALERTS}))
def test_each_alert_is_seen_to_fire_by_a_test(name: str) -> None:
    fires = re.escape(name) + r'[^}]*\}\'?, value: 1|alertname="' + re.escape(name) + '"'
    assert re.search(fires, TESTS)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_wrong_and_where_to_read_on(
    rule: dict[str, dict[str, str]],
) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"].endswith(f"/runbooks/{rule['alert']}")
