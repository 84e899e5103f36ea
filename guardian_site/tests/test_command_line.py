"""A command that has no database to work on says so in a line."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import OperationalError

from guardian_site.database_faults import in_words
from guardian_site.tests.processes import ROOT

# What the image runs before `manage.py migrate`.
REPORTING = ["-m", "deploy.timescaledb.reporting", "drop"]
CREATE = ["-m", "deploy.timescaledb.reporting", "create"]


def refused(command: str, **settings: str) -> str:
    return ended(["manage.py", *command.split()], **settings)


def ended(program: list[str], **settings: str) -> str:
    finished = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "guardian_site.settings", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    return finished.stderr


def test_before_the_first_migration_it_says_what_makes_the_tables(tmp_path: Path) -> None:
    told = refused("export incidents", GUARDIAN_DATA_DIR=str(tmp_path))
    assert told.count("\n") == 1
    assert "no such table" in told
    assert "manage.py migrate" in told


def test_a_database_that_does_not_answer_is_told_without_a_traceback() -> None:
    told = refused(
        "export incidents",
        DATABASE_URL="postgres://guardian:x@127.0.0.1:1/guardian",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    # Before it the pool names the cause of every attempt.
    assert told.splitlines()[-1].startswith("The database cannot be used: ")
    assert told.endswith("is DATABASE_URL right?\n")
    assert "Connection refused" in told
    assert "Traceback" not in told


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("program", "option", "asked"),
    [
        # A role that every server has, and that owns nothing.
        (["manage.py", "migrate"], "role=pg_monitor", "the owner of the database"),
        (CREATE, "role=pg_monitor", "the owner of the database"),
        (CREATE, "default_transaction_read_only=on", "a standby?"),
    ],
)
def test_what_the_database_forbids_is_told_with_what_to_look_at(
    postgres_url: str, program: list[str], option: str, asked: str
) -> None:
    mark = "&" if "?" in postgres_url else "?"
    address = f"{postgres_url}{mark}options=-c%20{quote(option)}"
    told = ended(program, DATABASE_URL=address, REDIS_URL="redis://127.0.0.1:1/0")
    # Before it the pool may tell of the connection that is given up.
    line = told.splitlines()[-1]
    assert line.startswith("The database does not allow it: ")
    assert asked in line
    assert "Traceback" not in told


@pytest.mark.parametrize("program", [["manage.py", "migrate"], REPORTING])
def test_a_wrong_setting_is_told_in_a_line(program: list[str]) -> None:
    told = ended(program, DATABASE_URL="mysql://db/guardian")
    assert told.startswith("Setting refused: DATABASE_URL")
    assert told.count("\n") == 1


def test_the_first_that_the_image_runs_tells_of_its_database_in_words() -> None:
    told = ended(REPORTING, DATABASE_URL="postgres://guardian:x@127.0.0.1:1/guardian")
    assert told.endswith("is DATABASE_URL right?\n")
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("fault", "asks"),
    [
        ("database or disk is full", True),
        ("disk I/O error", True),
        ("database is locked", False),
    ],
)
def test_a_full_disk_is_told_by_the_folder_it_holds(fault: str, asks: bool) -> None:
    told = in_words(OperationalError(fault)) or ""
    assert told.startswith(f"The database cannot be used: {fault}.")
    assert ("GUARDIAN_DATA_DIR" in told) is asks


def test_the_traceback_is_there_for_who_asks(tmp_path: Path) -> None:
    assert "Traceback" in refused("export incidents --traceback", GUARDIAN_DATA_DIR=str(tmp_path))


def test_one_that_is_ended_by_hand_says_so_in_a_line(tmp_path: Path) -> None:
    simulate = ["manage.py", "simulate", "--live", "--speed", "1", "--to-url", "http://x"]
    with subprocess.Popen(
        # Who runs the tests in the background has told them to ignore Ctrl-C.
        ["env", "--default-signal=INT", sys.executable, "-W", "ignore", *simulate],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
            "GUARDIAN_DATA_DIR": str(tmp_path),
        },
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        # The bar shows that it has begun.
        first = process.stderr.read(5)
        process.send_signal(signal.SIGINT)
        told = first + process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert told.endswith("Stopped before the end.\n")
    assert "Traceback" not in told


@pytest.mark.parametrize("command", ["access_table", "help --commands"])
def test_a_reader_of_a_list_that_has_seen_enough_breaks_nothing(
    tmp_path: Path, command: str
) -> None:
    finished = subprocess.run(
        ["bash", "-c", f"{sys.executable} -u manage.py {command} | (read -r line; exit 0)"],
        cwd=ROOT,
        env={**os.environ, "GUARDIAN_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stderr == ""


def test_a_reader_that_has_seen_enough_breaks_nothing(tmp_path: Path) -> None:
    settings = {**os.environ, "GUARDIAN_DATA_DIR": str(tmp_path)}
    settings["DJANGO_SETTINGS_MODULE"] = "guardian_site.settings"
    manage = f"{sys.executable} manage.py"
    many = f"{manage} simulate --days 1 -v0 > {os.devnull}; {manage} export reports | head -1"
    finished = subprocess.run(
        ["bash", "-c", f"{manage} migrate -v0; {many}"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.startswith("source,timestamp")
    assert finished.stderr == ""
