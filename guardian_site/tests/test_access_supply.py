"""What is installed is pinned, hashed, licensed and the same in every list."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from conftest import missing
from deploy.supply import __main__ as supply
from deploy.supply.__main__ import LICENCES, UNWANTED, told
from deploy.supply.packages import LOCK, OPTIONAL, ROOT, hashes, normal, pinned


def test_the_lock_holds_what_the_requirements_ask_for() -> None:
    asked, locked = pinned(ROOT / "requirements.txt"), pinned(LOCK)
    assert {name: locked.get(name) for name in asked} == asked


def test_every_package_of_the_lock_has_its_hashes() -> None:
    assert [name for name, count in hashes(LOCK).items() if not count] == []
    assert hashes(LOCK).keys() == pinned(LOCK).keys()


def test_the_image_holds_what_the_lock_holds_by_its_hashes() -> None:
    steps = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert "pip install --require-hashes -r /tmp/requirements.lock" in steps
    assert "requirements.txt" not in steps


def _steps(target: str) -> str:
    """Return what `make` would run to set up a folder that is not there."""
    return subprocess.run(
        ["make", "--dry-run", "VENV=nowhere", target],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("target", ["install", "demo", "run", "test"])
def test_an_environment_made_by_make_holds_what_the_lock_holds(target: str) -> None:
    installed = [line for line in _steps(target).splitlines() if " pip install " in line]
    assert installed[0].endswith(" --require-hashes -r requirements.lock")
    assert all(line.endswith(" -c nowhere/constraints.txt") for line in installed[1:])
    assert len(installed) == (2 if target == "test" else 1)


def test_what_is_installed_here_is_what_the_lock_says() -> None:
    if not (Path(sys.prefix) / ".locked").exists():
        missing("an environment made by make", "make install")
    here = {normal(one.metadata["Name"]): one.version for one in metadata.distributions()}
    locked = pinned(LOCK)
    assert {name: here[name] for name in locked.keys() & here.keys()} == {
        name: version for name, version in locked.items() if name in here
    }


def test_every_line_of_the_requirements_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", *(path.name for path in OPTIONAL)):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        assert [line for line in lines if line and line[0] != "-" and "==" not in line] == []


def test_the_licence_of_every_package_is_listed_and_wanted() -> None:
    text = LICENCES.read_text()
    assert [name for name in pinned(LOCK, *OPTIONAL) if f"| {name} |" not in text] == []
    assert [word for word in UNWANTED if word in text.replace("LGPL", "")] == []


def test_a_known_vulnerability_fails_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    found = [{"name": "a", "version": "1.0", "vulns": [fault]}, {"name": "b", "vulns": []}]
    assert told(json.dumps({"dependencies": found}), "") == 1
    assert "a 1.0: PYSEC-1, mended in 2.0" in capsys.readouterr().out


def test_an_audit_without_data_says_so_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("", "connection refused") == 0
    assert "SKIPPED" in capsys.readouterr().err


def test_a_package_without_data_was_not_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    found = [{"name": "a", "skip_reason": "a was not found"}, {"name": "b", "vulns": []}]
    assert told(json.dumps({"dependencies": found}), "") == 0
    told_so = capsys.readouterr()
    assert "1 packages looked up" in told_so.out
    assert "SKIPPED: no data could be had on 1 packages." in told_so.err


def test_the_list_of_parts_holds_what_an_image_may_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "SBOM", tmp_path / "sbom.json")
    assert supply.sbom() == 0
    parts = json.loads((tmp_path / "sbom.json").read_text())["components"]
    listed = {normal(part["name"]): part["version"] for part in parts}
    assert listed == pinned(LOCK, *OPTIONAL)
