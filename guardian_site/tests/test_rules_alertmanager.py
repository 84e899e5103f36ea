"""Routes and inhibition, asked of a real Alertmanager."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from conftest import missing
from guardian_site.tests.processes import free_port

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "alertmanager"
RULES = FOLDER.parent / "prometheus" / "rules" / "alerts.yml"
FILES = ("alertmanager.yml", "alertmanager-without-slack.yml")
RULE_LABELS = [
    {"alertname": rule["alert"], **rule["labels"]}
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
]


def _here(file: str, folder: Path) -> Path:
    """Return the configuration with the paths of this machine."""
    copy = folder / file
    text = (FOLDER / file).read_text()
    copy.write_text(text.replace("/etc/alertmanager", str(FOLDER)))
    return copy


def _amtool(*arguments: str) -> str:
    if shutil.which("amtool") is None:
        missing("amtool", "apt-get install prometheus-alertmanager")
    finished = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        missing("alertmanager", "apt-get install prometheus-alertmanager")
    assert program is not None
    folder = tmp_path_factory.mktemp("alertmanager")
    port = free_port()
    command = [
        program,
        f"--config.file={_here(FILES[1], folder)}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{address}/-/ready")
            yield address
        finally:
            process.terminate()


def _wait(address: str) -> None:
    for _attempt in range(100):
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def _inhibited(address: str, *alerts: dict[str, str]) -> set[str]:
    """Send alerts; return those held back, as alertname/severity."""
    body = json.dumps([{"labels": labels} for labels in alerts]).encode()
    request = urllib.request.Request(
        f"{address}/api/v2/alerts", body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=5).close()
    test = alerts[0]["test"]
    # Inhibition is worked out when a group is flushed (5 to 15 s) or the API is asked.
    answer = urllib.request.urlopen(f"{address}/api/v2/alerts?filter=test%3D{test}", timeout=5)
    return {
        f"{found['labels']['alertname']}/{found['labels']['severity']}"
        for found in json.load(answer)
        if found["status"]["inhibitedBy"]
    }


def _rule(name: str, severity: str, test: str, **more: str) -> dict[str, str]:
    """Return the labels with which a rule of ours really fires."""
    found = next(r for r in RULE_LABELS if (r["alertname"], r["severity"]) == (name, severity))
    return {**found, **more, "test": test}


@pytest.mark.parametrize("file", FILES)
def test_alertmanager_takes_the_configuration(file: str, tmp_path: Path) -> None:
    assert "SUCCESS" in _amtool("check-config", str(_here(file, tmp_path)))


def test_without_slack_the_routes_are_the_same() -> None:
    with_slack, without = (yaml.safe_load((FOLDER / file).read_text()) for file in FILES)
    assert with_slack["route"] == without["route"]
    assert with_slack["inhibit_rules"] == without["inhibit_rules"]
    assert "slack" not in json.dumps(without["receivers"]).replace("guardian-and-slack", "")


@pytest.mark.parametrize("labels", RULE_LABELS, ids=lambda r: f"{r['alertname']}-{r['severity']}")
def test_what_guardian_cannot_say_itself_goes_to_slack_as_well(
    labels: dict[str, str], tmp_path: Path
) -> None:
    given = [f"{name}={value}" for name, value in labels.items()]
    config = _here(FILES[0], tmp_path)
    receiver = _amtool("config", "routes", "test", f"--config.file={config}", *given)
    voiceless = {"web", "database", "worker", "beat", "tasks", "outbox", "canary"}
    straight = labels["severity"] == "critical" and labels["part"] in voiceless
    assert receiver.startswith("guardian-and-slack" if straight else "guardian")
    assert receiver.startswith("guardian-and-slack") is straight


def test_a_page_hides_its_own_warning(alertmanager: str) -> None:
    held = _inhibited(
        alertmanager,
        _rule("GuardianDetectionLag", "warning", "own"),
        _rule("GuardianDetectionLag", "critical", "own"),
        _rule("GuardianModelStale", "warning", "own"),
    )
    # The stale model needs workers, and they are not known to be away.
    assert held == {"GuardianDetectionLag/warning"}


def test_a_page_hides_no_warning_about_something_else(alertmanager: str) -> None:
    held = _inhibited(
        alertmanager,
        _rule("GuardianTasksFailing", "warning", "other", task="a"),
        _rule("GuardianTasksFailing", "warning", "other", task="b"),
        _rule("GuardianDiskFilling", "critical", "other"),
    )
    assert held == set()


def test_what_rests_on_the_database_is_quiet_while_it_is_down(alertmanager: str) -> None:
    held = _inhibited(
        alertmanager,
        _rule("GuardianDatabaseDown", "critical", "rest"),
        _rule("GuardianWorkerMissing", "critical", "rest"),
        _rule("GuardianMessagesWaiting", "critical", "rest"),
        _rule("GuardianAlertmanagerFailing", "warning", "rest"),
    )
    assert held == {"GuardianWorkerMissing/critical", "GuardianMessagesWaiting/critical"}
