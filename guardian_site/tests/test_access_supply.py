"""What is installed is pinned, hashed, licensed and the same in every list."""

import json

import pytest

from deploy.supply.__main__ import LICENCES, UNWANTED, told
from deploy.supply.packages import LOCK, OPTIONAL, ROOT, hashes, pinned


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


def test_every_line_of_the_requirements_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-otel.txt"):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        assert [line for line in lines if line and line[0] != "-" and "==" not in line] == []


def test_the_licence_of_every_package_is_listed_and_wanted() -> None:
    text = LICENCES.read_text()
    assert [name for name in pinned(LOCK) | pinned(OPTIONAL) if f"| {name} |" not in text] == []
    assert [word for word in UNWANTED if word in text.replace("LGPL", "")] == []


def test_a_known_vulnerability_fails_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    fault = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    found = [{"name": "a", "version": "1.0", "vulns": [fault]}, {"name": "b", "vulns": []}]
    assert told(json.dumps({"dependencies": found}), "") == 1
    assert "a 1.0: PYSEC-1, mended in 2.0" in capsys.readouterr().out


def test_an_audit_without_data_says_so_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("", "connection refused") == 0
    assert "SKIPPED" in capsys.readouterr().err
