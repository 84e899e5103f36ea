import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from conftest import missing
from guardian_site.settings_database import database_at
from guardian_site.tests.composed import (
    COMPOSE,
    MANUAL,
    ONE_SHOT,
    ROOT,
    make_secrets,
    read_secrets,
    services,
    stack,
    stack_in,
)
from guardian_site.tests.documented import (
    documented,
    read_from_the_environment,
    set_by_the_image,
)

PORTS = {
    "web": "8001",
    "grafana": "3002",
    "prometheus": "9091",
    "alertmanager": "9093",
    "redis-commander": "8081",
    "pgadmin": "5050",
    "metabase": "3003",
}
# Its own rows and those it asks about, each by a pool of fifteen.
METABASE_CONNECTIONS = 30
KEPT_FOR_SUPERUSERS = 3
# Has no door to be asked at; it ends when it cannot go on.
UNASKED = {"watch"}
FORMER = ("guardian_secure_2024", "guardian-api-key-2024", "cloudwalk2024", "admin123")


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
    assert stack()["networks"]["inside"]["internal"] is True


def test_no_secret_and_no_former_password_is_in_the_files() -> None:
    text = "\n".join(path.read_text() for path in COMPOSE.iterdir() if path.is_file())
    assert not [former for former in FORMER if former in text]
    for service in services().values():
        for variable, value in (service.get("environment") or {}).items():
            secret = variable.endswith(("PASSWORD", "TOKEN", "SECRET_KEY", "WEBHOOK_URL"))
            assert not (secret and value), variable


@pytest.mark.parametrize("script", ["metabase.sh", "redis-commander.sh"])
def test_a_start_script_reads_secrets_that_are_made(script: str, tmp_path: Path) -> None:
    make_secrets(tmp_path)
    wanted = re.findall(r"/run/secrets/guardian/(\w+)", (COMPOSE / script).read_text())
    assert wanted
    assert {f"{script.removesuffix('.sh')}/{name}" for name in wanted} <= set(
        read_secrets(tmp_path)
    )


def test_whoever_opens_the_port_asks_for_keys() -> None:
    opened = stack(GUARDIAN_BIND="0.0.0.0")["services"]["web"]
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
    found = stack(**given)["services"]
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
    make_secrets(tmp_path, **{name: f"given-{name}" for name in wanted})
    assert {"GUARDIAN_OIDC_CLIENT_SECRET", "GUARDIAN_OLD_SECRET_KEYS"} < set(wanted)
    for name in wanted:
        file = Path(services()["web"]["environment"][f"{name}_FILE"]).name
        assert (tmp_path / "app" / file).read_text() == f"given-{name}"


def test_a_line_of_the_file_of_settings_reaches_guardian(tmp_path: Path) -> None:
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copytree(COMPOSE, tmp_path / "deploy" / "compose")
    (tmp_path / ".env").write_text("GUARDIAN_PUBLIC_METRICS=off\nGUARDIAN_DATA_DIR=/home/me\n")
    environment = stack_in(tmp_path)["services"]["web"]["environment"]
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


def test_volumes_are_called_the_same_wherever_the_project_lies() -> None:
    found = stack()
    assert found["name"] == "guardian"
    assert {volume["name"] for volume in found["volumes"].values()} == {
        f"guardian_{name}" for name in found["volumes"]
    }
    assert stack(COMPOSE_PROJECT_NAME="before")["volumes"]["database"]["name"].startswith("bef")


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


def test_a_deployment_has_nothing_to_be_warned_of(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    opened = {
        "GUARDIAN_BIND": "0.0.0.0",
        "GUARDIAN_HTTPS": "on",
        "GUARDIAN_URL": "https://guardian.example.com",
        "GUARDIAN_ALLOWED_HOSTS": "guardian.example.com",
    }
    environment = {
        name: value.replace("/run/secrets/guardian", str(tmp_path / "app"))
        for name, value in stack(**opened)["services"]["web"]["environment"].items()
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
