"""Secrets of the compose stack: made once, saved whole, read by whoever is told of them."""

import re
import stat
import subprocess
from pathlib import Path

from guardian_site.tests.composed import (
    COMPOSE,
    MANUAL,
    ONE_SHOT,
    make_secrets,
    read_secrets,
    services,
)


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    first = read_secrets(tmp_path)
    make_secrets(tmp_path)
    assert read_secrets(tmp_path) == first
    assert len(first["app/secret_key"]) == 64
    assert first["database/owner_password"] in first["app/database_url"]


def test_the_service_that_saves_secrets_has_all_of_them() -> None:
    mounted = {one["source"]: one["target"] for one in services()["secrets"]["volumes"]}
    used = {
        volume["source"]
        for service in services().values()
        for volume in service.get("volumes", [])
        if volume["source"].startswith("secrets-")
    }
    assert {name: mounted[name] for name in used} == {
        name: f"/secrets/{name.removeprefix('secrets-')}" for name in used
    }
    assert "docker compose run --rm -T secrets tar c -C /secrets . > secrets.tar" in MANUAL
    assert "docker compose run --rm -T secrets tar x -C /secrets < secrets.tar" in MANUAL


def _saved(folder: Path) -> str:
    subprocess.run(["tar", "cf", "secrets.tar", "-C", "secrets", "."], cwd=folder, check=True)
    command = re.search(r"^    (tar tf secrets\.tar .*)$", MANUAL, re.MULTILINE)
    assert command
    return subprocess.run(
        ["sh", "-c", command[1]], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


def test_saved_secrets_are_good_only_if_what_matters_is_among_them(tmp_path: Path) -> None:
    root = tmp_path / "secrets"
    root.mkdir()
    assert _saved(tmp_path) == ""
    make_secrets(root)
    assert _saved(tmp_path) == "good\n"
    (root / "app").chmod(0o700)
    (root / "app" / "secret_key").unlink()
    assert _saved(tmp_path) == ""


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for root in (one, other):
        root.mkdir()
        make_secrets(root)
    made = {name: value for name, value in read_secrets(one).items() if value}
    assert not [name for name, value in read_secrets(other).items() if value == made.get(name)]


def test_an_address_given_later_reaches_its_readers(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    make_secrets(tmp_path, SLACK_WEBHOOK_URL="https://hooks.slack.com/services/x")
    found = read_secrets(tmp_path)
    assert found["app/slack_webhook_url"] == found["alertmanager/slack_webhook_url"] != ""


def test_whoever_runs_is_started_anew_when_a_secret_of_the_settings_changes() -> None:
    # What they read is a file: by their own settings compose sees no change.
    script = (COMPOSE / "secrets.sh").read_text()
    given = set(re.findall(r'^put "\$ROOT/([\w-]+)/\w+" "\$\{', script, re.MULTILINE))
    readers = {
        name
        for name, service in services().items()
        if name not in ONE_SHOT
        and {one["source"].removeprefix("secrets-") for one in service.get("volumes", [])} & given
    }
    assert {"web", "worker", "watch", "alertmanager"} < readers
    for name in readers:
        assert services()[name]["depends_on"]["secrets"]["restart"] is True, name


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o500 if path.is_dir() else 0o400)


def test_each_part_finds_the_secret_files_it_is_told_of(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    made = set(read_secrets(tmp_path))
    folders = {
        "web": "app",
        "timescaledb": "database",
        "grafana": "grafana",
        "metabase": "metabase",
    }
    for name, folder in folders.items():
        for variable, value in services()[name]["environment"].items():
            if variable.endswith("_FILE"):
                assert f"{folder}/{Path(value).name}" in made
