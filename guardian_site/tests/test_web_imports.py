"""A web process holds no library that it may never need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# What each is for, and so why a process that answers reports does without.
HEAVY = {
    "sklearn": "training",
    "scipy.stats": "training",
    "httpx": "calling channels",
    "jwt": "tokens of people who sign in through the API",
    "pyarrow": "exports",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
        "GUARDIAN_DATA_DIR": str(tmp_path_factory.mktemp("web")),
        "GUARDIAN_TRACING": "off",
    }
    script = "import sys, guardian_site.wsgi; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(said.stdout.split())


@pytest.mark.parametrize("library", HEAVY)
def test_a_web_process_does_without(loaded: set[str], library: str) -> None:
    assert "numpy" in loaded
    assert library not in loaded
