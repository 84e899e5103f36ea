"""The site that is fuzzed starts."""

from pathlib import Path

from deploy.bench.stack import manage
from deploy.fuzz.__main__ import SETTINGS


def test_its_settings_are_taken(tmp_path: Path) -> None:
    told = manage({**SETTINGS, "GUARDIAN_DATA_DIR": str(tmp_path), "DATABASE_URL": ""}, "check")
    assert "no issues" in told
