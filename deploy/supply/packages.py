"""The packages of the requirement files."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
OPTIONAL = (ROOT / "requirements-otel.txt", ROOT / "requirements-kafka.txt")
_PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(*paths: Path) -> dict[str, str]:
    """Return the version of each package that requirements files pin, by normalised name."""
    return {
        normal(name): version
        for path in paths
        for name, version in _PINNED.findall(path.read_text())
    }


def normal(name: str) -> str:
    """Return a package's name as the index compares it (PEP 503).

    Examples
    --------
    >>> normal("ruamel.yaml_Clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes(path: Path) -> dict[str, int]:
    """Return how many hashes a lock file holds for each package."""
    text = path.read_text()
    starts = [(match.start(), normal(match.group(1))) for match in _PINNED.finditer(text)]
    ends = [start for start, _name in starts[1:]] + [len(text)]
    return {
        name: text[start:end].count("--hash=sha256:")
        for (start, name), end in zip(starts, ends, strict=True)
    }
