"""`python -m deploy.fuzz --examples 100`: every operation of the API, all checks, as each caller.

It runs the site on a database of its own, signs in as each role, and lets schemathesis make up
requests from the description at /openapi.json, right ones and wrong ones, and sequences of them.
With `--cases 20000` each caller goes on with other seeds until so many cases were made.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.bench.stack import free_ports, manage, postgres, web

(PORT,) = free_ports(1)
SITE = f"http://127.0.0.1:{PORT}"
SETTINGS = {
    "GUARDIAN_WEB_WORKERS": "1",
    "GUARDIAN_RATE_LIMIT": "off",
    "GUARDIAN_REQUIRE_API_KEY": "on",
    "GUARDIAN_PUBLIC_READ": "off",
    "GUARDIAN_LOG_LEVEL": "ERROR",
    # Tasks are put into this queue, and no worker takes them out.
    "GUARDIAN_BROKER_URL": "filesystem://",
}
PEOPLE = ("viewer", "operator", "admin")
KEYS = {"report": ["report"], "read": ["read"]}
PHASES = "examples,coverage,fuzzing,stateful"
# The first would end the sign-in that the rest of the run needs, the second lasts ten minutes.
LEFT_OUT = ("logout", "stream")
# Signing in is throttled on purpose: its refusals after five failures are 429 and documented.
# What is taken beyond the description (odd spellings of a moment, unknown fields of a report) is
# taken on purpose, for older clients; what matters is that nothing breaks or is undocumented.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,ignored_auth,use_after_free,"
    "unsupported_method"
)


@dataclass(frozen=True)
class Outcome:
    """What became of the rounds of one caller."""

    caller: str
    cases: int
    failed: int
    seconds: float


def ask(path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """POST a JSON body to the site and return what it answers."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(SITE + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextlib.contextmanager
def site(folder: Path, database: str) -> Iterator[str]:
    """Run the site with an account for each role; give their password."""
    password = secrets.token_urlsafe(24)
    environment = {
        **SETTINGS,
        "GUARDIAN_DATA_DIR": str(folder),
        "DATABASE_URL": database,
        "GUARDIAN_PASSWORD": password,
    }
    (folder / "broker" / "queue").mkdir(parents=True)
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
    for role in PEOPLE:
        manage(environment, "add_person", role, "--role", role)
    application = "guardian_site.wsgi:application"
    with web(application, environment, port=PORT, workers=1, threads=8):
        yield password


CALLERS = ("nobody", *PEOPLE, *(f"key: {name}" for name in KEYS))


class People:
    """One of each role, signed in before anything else, since made-up logins may lock accounts."""

    def __init__(self, password: str) -> None:
        self._refresh = {
            role: ask("/auth/login", {"username": role, "password": password})["refresh_token"]
            for role in PEOPLE
        }

    def token(self, role: str) -> str:
        """Return a fresh token, which lives for a quarter of an hour."""
        pair = ask("/auth/refresh", {"refresh_token": self._refresh[role]})
        self._refresh[role] = pair["refresh_token"]
        return str(pair["access_token"])


def credentials(caller: str, people: People) -> list[str]:
    """Return the arguments that make schemathesis act as the caller, made afresh for each round."""
    if caller == "nobody":
        return []
    if caller in PEOPLE:
        return ["-H", f"Authorization: Bearer {people.token(caller)}"]
    name = caller.removeprefix("key: ")
    asked = {"name": name, "scopes": KEYS[name]}
    key = ask("/auth/api-keys", asked, people.token("admin"))["api_key"]
    return ["-H", f"X-API-Key: {key}"]


def fuzz(
    name: str, arguments: list[str], described: Path, *, examples: int, seed: int
) -> tuple[int, int]:
    """Run schemathesis as one caller; return how many cases it made and its exit status."""
    command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(described)]
    command += ["--url", SITE, "--report-dir", str(described.parent)]
    command += ["-n", str(examples), "--seed", str(seed), "--phases", PHASES]
    # A wrong token beside a right key is forgiven, as the former system did.
    checks = CHECKS if "key" not in name else CHECKS.replace("ignored_auth,", "")
    command += ["--checks", checks, "--continue-on-failure", "--no-color", "--warnings", "off"]
    command += ["--generation-database", "none", "--suppress-health-check", "all"]
    for operation in LEFT_OUT:
        command += ["--exclude-operation-id", operation]
    finished = subprocess.run(
        [*command, *arguments],
        cwd=described.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    made = re.search(r"([\d,]+) generated", finished.stdout)
    print(f"== {name}: exit {finished.returncode}\n{tail(finished.stdout)}", flush=True)
    return (int(made.group(1).replace(",", "")) if made else 0), finished.returncode


def tail(output: str) -> str:
    """Return the failures and the summary of a run, without its progress."""
    start = output.find("= FAILURES =")
    start = output.find("= ERRORS =") if start < 0 else start
    return output[start - 40 :] if start >= 0 else output[output.find("= SUMMARY =") - 30 :]


def description(folder: Path) -> Path:
    """Return a file with the description of the API, which not every caller may ask for."""
    path = folder / "openapi.json"
    path.write_text(manage({}, "spectacular", "--format", "openapi-json"))
    return path


def rounds(caller: str, people: People, described: Path, asked: argparse.Namespace) -> Outcome:
    """Run schemathesis as one caller, again with the next seed until it made enough cases."""
    cases, failed, seed, started = 0, 0, asked.seed, time.monotonic()
    examples = asked.examples
    while not cases or cases < asked.cases:
        made, status = fuzz(
            caller, credentials(caller, people), described, examples=examples, seed=seed
        )
        cases, failed, seed = cases + made, failed or status, seed + 1
        if not made:
            break
        # The last round is as short as it may be.
        lacking = max(0, asked.cases - cases)
        examples = min(asked.examples, 1 + examples * lacking // made)
    return Outcome(caller, cases, failed, time.monotonic() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="Cases per operation and caller.")
    parser.add_argument("--cases", type=int, default=0, help="At least so many for each caller.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="On PostgreSQL, not on SQLite.")
    parser.add_argument("--as", dest="only", default="", help="Only this caller.")
    asked = parser.parse_args()
    outcomes = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guardian-fuzz-")))
        database = stack.enter_context(postgres()) if asked.postgres else ""
        password = stack.enter_context(site(folder, database))
        described, people = description(folder), People(password)
        for caller in CALLERS:
            if asked.only in ("", caller):
                outcomes.append(rounds(caller, people, described, asked))
    return told(outcomes)


def told(outcomes: Sequence[Outcome]) -> int:
    """Print the figures of each caller; return the exit status."""
    for one in outcomes:
        word = "FAILED" if one.failed else "ok"
        print(f"{one.caller:<12} {one.cases:>8,} cases {one.seconds:>7.0f} s  {word}")
    failed = any(one.failed for one in outcomes)
    total = sum(one.cases for one in outcomes)
    print(f"{total:,} cases; {'FAILED' if failed else 'nothing broke'}.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
