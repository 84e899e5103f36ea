"""The settings that Guardian is said to have."""

import re

from guardian_site.tests.processes import ROOT

NAME = re.compile(r"`([A-Z][A-Z0-9_]+)`")
READ = re.compile(r"env\.\w+\(\s*\"([A-Z][A-Z0-9_]+)\"")
# Where the broker is another than REDIS_URL: for tests and embedded mode.
INTERNAL = {"GUARDIAN_BROKER_URL"}


def documented() -> set[str]:
    """Return the names in the table of settings of the README."""
    table = (ROOT / "README.md").read_text().split("## Settings")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in NAME.findall(row)}


def read_from_the_environment() -> set[str]:
    """Return the names that the modules of settings read, which the README may only hint at."""
    modules = (ROOT / "guardian_site").glob("settings*.py")
    found = {name for module in modules for name in READ.findall(module.read_text())}
    return (
        found | {f"GUARDIAN_OIDC_{role}S" for role in ("VIEWER", "OPERATOR", "ADMIN")}
    ) - INTERNAL


def set_by_the_image() -> set[str]:
    """Return the names that the image gives a value."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text().split("\nFROM ")[-1]
    return set(re.findall(r"^(?:ENV| )\s*([A-Z][A-Z_]+)=", text, re.MULTILINE))
