"""`python -m deploy.supply licences | sbom | audit`."""

import argparse
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from deploy.supply.packages import LOCK, OPTIONAL, ROOT, pinned

LICENCES = ROOT / "LICENCES.md"
SBOM = ROOT / "var" / "sbom.json"
# What would bind our own code, or forbid selling a service made with it.
UNWANTED = ("AGPL", "GPL-2", "GPL-3", "GNU General Public", "SSPL", "BUSL", "Commons Clause")
HEAD = (
    "# Licences of what Guardian runs on\n\n"
    "Made by `make licences` from requirements.lock and, optional, requirements-otel.txt and\n"
    "requirements-kafka.txt.\n\n"
    "| package | version | licence |\n|---|---|---|\n"
)


def licence_of(name: str) -> str:
    """Return what an installed package says about its licence, in one line."""
    facts = dict(metadata.metadata(name).json)
    expression = facts.get("license_expression")
    if expression:
        return str(expression)
    named = [
        line.rsplit(" :: ", 1)[-1]
        for line in facts.get("classifier", ())
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    words = str(facts.get("license") or "unknown").strip().splitlines()[0]
    return "; ".join(named) or words[:60]


def licences() -> int:
    """Write the list; fail if one of them is unwanted."""
    rows, bad = [], []
    for name, version in sorted(pinned(LOCK, *OPTIONAL).items()):
        try:
            licence = licence_of(name)
        except metadata.PackageNotFoundError:
            licence = "needed on other systems only"
        rows.append(f"| {name} | {version} | {licence} |")
        plain = licence.replace("LGPL", "")
        if any(word in plain for word in UNWANTED):
            bad.append(f"{name}: {licence}")
    LICENCES.write_text(HEAD + "\n".join(rows) + "\n")
    print("\n".join(bad) or f"{len(rows)} packages, none with an unwanted licence: {LICENCES.name}")
    return bool(bad)


def sbom() -> int:
    """Write a CycloneDX list of the parts."""
    SBOM.parent.mkdir(exist_ok=True)
    tool = str(Path(sys.executable).parent / "cyclonedx-py")
    command = [tool, "requirements", "-", "--output-reproducible", "--of", "JSON"]
    asked = "\n".join(path.read_text() for path in (LOCK, *OPTIONAL))
    done = subprocess.run([*command, "-o", str(SBOM)], input=asked, text=True, check=False)
    return done.returncode


def audit() -> int:
    """Ask for known vulnerabilities; say loudly when the data cannot be had."""
    # The tool asks hashes of all it is given, or of none.
    return max([audit_of(LOCK), audit_of(*OPTIONAL)])


def audit_of(*paths: Path) -> int:
    """Ask for those of the packages that some requirements files pin."""
    tool = str(Path(sys.executable).parent / "pip-audit")
    files = [word for path in paths for word in ("-r", str(path))]
    command = [tool, *files, "--disable-pip", "--no-deps", "--format", "json"]
    done = subprocess.run(
        [*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    return told(done.stdout, done.stderr)


def told(output: str, errors: str) -> int:
    """Print what an audit found; the exit status is returned. No data is no fault of the code."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        print("SKIPPED: no data on known vulnerabilities could be had.", file=sys.stderr)
        print(errors[-600:], file=sys.stderr)
        return 0
    unknown = [one for one in found if "skip_reason" in one]
    if unknown:
        print(f"SKIPPED: no data could be had on {len(unknown)} packages.", file=sys.stderr)
        print(f"Of the first: {unknown[0]['skip_reason']}", file=sys.stderr)
    faulty = [one for one in found if one.get("vulns")]
    for one in faulty:
        for fault in one["vulns"]:
            mended = ", ".join(fault.get("fix_versions", ())) or "no version yet"
            print(f"{one['name']} {one['version']}: {fault['id']}, mended in {mended}")
    looked_up = len(found) - len(unknown)
    print(f"{looked_up} packages looked up, {len(faulty)} with known vulnerabilities.")
    return bool(faulty)


def main() -> int:
    tasks = {"licences": licences, "sbom": sbom, "audit": audit}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(tasks))
    return tasks[parser.parse_args().task]()


if __name__ == "__main__":
    sys.exit(main())
