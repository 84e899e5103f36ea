"""A setting that cannot work stops the start, and the one line told names it."""

import os
import runpy
import sqlite3
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from kombu import Connection

from guardian_site.environment import SettingError, folder
from guardian_site.settings_database import database_at, parts_of
from guardian_site.tests.processes import ROOT

MODULES = ("settings", "settings_access", "settings_storage")
BAD = [
    ("GUARDIAN_TIME_ZONE", "Sao_Paulo"),
    ("GUARDIAN_TIME_ZONE", ""),
    ("GUARDIAN_TIME_ZONE", "../etc/passwd"),
    ("GUARDIAN_TIME_ZONE", "localtime"),
    ("GUARDIAN_LOG_LEVEL", "LOUD"),
    ("GUARDIAN_LOG_FORMAT", "xml"),
    ("GUARDIAN_LANGUAGE", "tlh"),
    ("GUARDIAN_TRUSTED_PROXIES", "x"),
    ("GUARDIAN_TRUSTED_PROXIES", "10.0.0.1,10.0.0.0/33"),
    ("GUARDIAN_TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
    ("GUARDIAN_TRUSTED_ORIGINS", "guardian.example.com"),
    ("GUARDIAN_TRUSTED_ORIGINS", "https://guardian.example.com/live"),
    ("GUARDIAN_HOST", ""),
    ("GUARDIAN_HOST", "[::1]"),
    ("GUARDIAN_HOST", "127.0.0.1:8001"),
    ("GUARDIAN_HOST", "http://localhost"),
    ("GUARDIAN_URL", "foo"),
    ("GUARDIAN_URL", "https://"),
    ("GUARDIAN_HEARTBEAT_URL", "foo"),
    ("GUARDIAN_METRICS_PORT", "x"),
    ("GUARDIAN_TOKEN_MINUTES", "0"),
    ("GUARDIAN_TOKEN_MINUTES", "1441"),
    ("GUARDIAN_BROKER_URL", "foo"),
    ("GUARDIAN_STREAM_URL", "amqp://broker"),
    ("GUARDIAN_OIDC_TOKEN_URL", "provider/token"),
    ("DATABASE_URL", "mysql://x"),
    ("DATABASE_URL", "guardian"),
    ("DATABASE_URL", "postgres://db:port/guardian"),
    ("DATABASE_URL", "postgres://db:5432"),
    ("DATABASE_URL", "postgres://db/guardian?conn_max_age=60"),
    ("DATABASE_URL", "postgres://db/guardian?autocommit=false"),
    ("DATABASE_URL", "sqlite:////dev/null/guardian.sqlite3"),
    ("REDIS_URL", "http://redis:6379"),
    ("REDIS_URL", "redis://redis:port"),
    ("REDIS_URL", "redis://redis:6379/cache"),
    ("REDIS_URL", "redis://redis:6379/0/"),
    ("REDIS_URL", "redis://redis:6379/-1"),
    ("REDIS_URL", "redis://redis:6379?db=cache"),
    ("REDIS_URL", "redis://one:6379,two:6379/0"),
    ("REDIS_URL", "redis://redis:6379/0?socket_timeout=soon"),
    ("REDIS_URL", "unix://"),
    ("GUARDIAN_STREAM_URL", "redis://redis:6379/reports"),
    ("GUARDIAN_STREAM_URL", "kafka://"),
    ("GUARDIAN_STREAM_URL", "kafka://:9092"),
    ("SLACK_WEBHOOK_URL", "https://[hooks"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
    ("GUARDIAN_DATA_DIR", "/dev/null/var"),
    ("PROMETHEUS_MULTIPROC_DIR", "/dev/null/metrics"),
    ("SLACK_BOT_TOKEN_FILE", "/nowhere/token"),
    ("GUARDIAN_SECRET_KEY_FILE", "/nowhere/key"),
    ("GUARDIAN_JWT_KEYS_FILE", "/"),
    ("GUARDIAN_JWT_KEYS", f"{'k' * 40},short"),
    ("GUARDIAN_OLD_SECRET_KEYS", f"{'k' * 40},short"),
]
GOOD = [
    ("GUARDIAN_TIME_ZONE", "America/Sao_Paulo"),
    ("GUARDIAN_LOG_LEVEL", "debug"),
    ("GUARDIAN_TRUSTED_ORIGINS", "https://*.example.com, http://localhost:8001"),
    ("GUARDIAN_TRUSTED_PROXIES", "10.0.0.1, 10.0.0.1/8, fd00::/8"),
    ("GUARDIAN_HEARTBEAT_URL", ""),
    ("GUARDIAN_HOST", "Localhost"),
    ("GUARDIAN_HOST", "::1"),
    ("GUARDIAN_STREAM_URL", "kafka://one:9092,two:9092"),
    ("GUARDIAN_STREAM_URL", "kafka://one:9092,two:9092?sasl.username=a&sasl.password=p%26s"),
    ("GUARDIAN_TOKEN_MINUTES", "1440"),
    ("DATABASE_URL", "postgres://user:p%40ss@one:5432,two:5433/guardian"),
    ("DATABASE_URL", "postgres:///guardian"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("REDIS_URL", "unix:///run/redis.sock"),
    ("REDIS_URL", "redis://redis/"),
    ("REDIS_URL", "redis://:p%2Fss@[::1]:6379/15?socket_timeout=2"),
    ("REDIS_URL", ""),
    ("GUARDIAN_BROKER_URL", "filesystem://"),
    ("GUARDIAN_OLD_SECRET_KEYS", f"{'k' * 40}, {'l' * 40}"),
    ("GUARDIAN_OLD_SECRET_KEYS", ""),
]


def read(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, value: str) -> dict[str, Any]:
    """Return the settings that this environment makes."""
    monkeypatch.setenv("GUARDIAN_DATA_DIR", str(folder / "var"))
    monkeypatch.delenv(name.removesuffix("_FILE"), raising=False)
    monkeypatch.setenv(name, value)
    found: dict[str, Any] = {}
    for module in MODULES:
        found |= runpy.run_path(str(ROOT / "guardian_site" / f"{module}.py"))
    return found


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_setting_that_cannot_work_is_refused_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=f"{name}\\b"):
        read(monkeypatch, tmp_path, name, value)


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_setting_that_can_work_is_read(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read(monkeypatch, tmp_path, name, value)


@pytest.mark.parametrize(
    ("address", "reached_by"),
    [
        ("redis://:secret@redis:6379/2", redis.Connection),
        ("rediss://:secret@redis:6379/2", redis.SSLConnection),
        ("unix://:secret@/run/redis.sock?db=2", redis.UnixDomainSocketConnection),
        ("redis://redis:6379?db=2&password=s%2Fcret&socket_timeout=5", redis.Connection),
        ("rediss://guardian:secret@redis:6379/1?db=2&protocol=3", redis.SSLConnection),
    ],
)
def test_tasks_wait_where_the_cache_is(
    address: str, reached_by: type[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "REDIS_URL", address)
    monkeypatch.setattr(redis.Redis, "ping", lambda _self: True)
    channel: Any = Connection(found["CELERY_BROKER_URL"]).channel()
    cached = redis.ConnectionPool.from_url(found["CACHES"]["default"]["LOCATION"])
    assert issubclass(channel.pool.connection_class, reached_by)
    told, wanted = channel.pool.connection_kwargs, cached.connection_kwargs
    for name in ("password", "db", "host", "path"):
        assert told.get(name) == wanted.get(name)


@pytest.mark.parametrize(("asked", "checked"), [("", True), ("?ssl_cert_reqs=none", False)])
def test_the_certificate_of_the_broker_is_looked_at_unless_the_address_says_otherwise(
    asked: str, checked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "REDIS_URL", f"rediss://redis:6379/0{asked}")
    told: Any = Connection(found["CELERY_BROKER_URL"]).ssl
    assert (told["ssl_cert_reqs"] is ssl.CERT_REQUIRED) is checked


@pytest.mark.parametrize(("name", "value"), [BAD[0], BAD[3], ("DATABASE_URL", "mysql://x:s3cr3t@")])
def test_the_start_stops_with_one_line(name: str, value: str, tmp_path: Path) -> None:
    stopped = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={
            **os.environ,
            "GUARDIAN_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "guardian_site.settings",
            name: value,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"Setting refused: {name}")
    assert stopped.stderr.count("\n") == 1
    assert "s3cr3t" not in stopped.stderr


def test_the_folder_is_made_before_the_database_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = read(monkeypatch, tmp_path, "GUARDIAN_SECRET_KEY", "k" * 40)
    assert Path(found["DATABASES"]["default"]["NAME"]).parent.is_dir()


@pytest.mark.parametrize("form", ["", "sqlite:///{folder}/elsewhere/kept.sqlite3"])
def test_a_database_in_a_file_is_for_its_owner_alone(
    form: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "DATABASE_URL", form.format(folder=tmp_path))
    path = Path(found["DATABASES"]["default"]["NAME"])
    with closing(sqlite3.connect(path)) as database:
        # What stands beside it takes its rights from it.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE sessions (secret TEXT)")
        made = [one.stat().st_mode & 0o777 for one in path.parent.glob(f"{path.name}*")]
    assert made == [0o600] * 3


def test_a_folder_may_be_named_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GUARDIAN_DATA_DIR", "~/guardian")
    assert folder("GUARDIAN_DATA_DIR", Path("var")) == tmp_path / "guardian"
    monkeypatch.setenv("GUARDIAN_DATA_DIR", "~nobody-of-that-name/guardian")
    with pytest.raises(SettingError, match="no such home"):
        folder("GUARDIAN_DATA_DIR", Path("var"))


def test_sums_by_hour_are_kept_as_long_as_what_they_sum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "GUARDIAN_KEEP_COUNTS_DAYS", "3650")
    assert found["GUARDIAN_KEEP_HOURS_DAYS"] == 3650


@pytest.mark.parametrize(
    ("name", "value", "workers"),
    [("DATABASE_URL", "postgres://db/guardian", 1), ("REDIS_URL", "redis://redis:6379/0", 2)],
)
def test_a_database_alone_is_served_by_one_process(
    name: str, value: str, workers: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for other in ("GUARDIAN_WEB_WORKERS", "REDIS_URL"):
        monkeypatch.delenv(other, raising=False)
    assert read(monkeypatch, tmp_path, name, value)["GUARDIAN_WEB_WORKERS"] == workers


def test_the_disk_of_a_server_is_unknown_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    embedded = read(monkeypatch, tmp_path, "GUARDIAN_DISK_PATH", "")
    assert embedded["GUARDIAN_DISK_PATH"] == embedded["DATA_DIR"]
    full = read(monkeypatch, tmp_path, "DATABASE_URL", "postgres://db/guardian")
    assert full["GUARDIAN_DISK_PATH"] is None
    named = read(monkeypatch, tmp_path, "GUARDIAN_DISK_PATH", "/mnt/database")
    assert named["GUARDIAN_DISK_PATH"] == Path("/mnt/database")


def test_it_is_reached_from_here_where_it_listens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "GUARDIAN_HOST", "::1")
    assert found["GUARDIAN_OWN_ADDRESS"] == f"http://[::1]:{found['GUARDIAN_PORT']}"


def test_a_page_is_served_at_the_address_that_is_listened_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUARDIAN_SECRET_KEY", "k" * 40)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = read(monkeypatch, tmp_path, "GUARDIAN_HOST", "2001:db8::5")
    assert "[2001:db8::5]" in found["ALLOWED_HOSTS"]


def test_a_trusted_origin_is_written_as_a_browser_tells_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "GUARDIAN_TRUSTED_ORIGINS", "https://Guardian.Example.com/")
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://guardian.example.com"]


def test_a_stream_without_a_name_is_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, tmp_path, "GUARDIAN_STREAM_NAME", "")
    assert found["GUARDIAN_STREAM_NAME"] == "guardian:reports"


def test_addresses_of_proxies_are_compared_as_they_come(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(
        monkeypatch, tmp_path, "GUARDIAN_TRUSTED_PROXIES", "10.0.0.1, 2001:DB8::1,::ffff:a00:2"
    )
    assert found["GUARDIAN_TRUSTED_PROXIES"] == ["10.0.0.1", "2001:db8::1", "10.0.0.2"]


def test_the_address_of_a_restore_is_read_by_the_same_rule() -> None:
    with pytest.raises(SettingError, match="GUARDIAN_RESTORE_URL: write postgres://"):
        parts_of("GUARDIAN_RESTORE_URL", "nope")


@pytest.mark.parametrize("password", ["s3cr3t/x", "s3cr3t?x", "s3cr3t[x/"])
def test_nothing_of_a_password_that_cannot_be_read_is_told(password: str) -> None:
    with pytest.raises(SettingError, match="%2F for /") as told:
        parts_of("DATABASE_URL", f"postgres://guardian:{password}@db:5432/guardian")
    assert "s3cr3t" not in str(told.value)


def test_a_host_that_is_none_is_told_in_words() -> None:
    with pytest.raises(CommandError, match="GUARDIAN_HOST=no such host"):
        call_command("run", host="no such host", skip_checks=True)


def test_a_stream_that_is_none_is_told_in_words() -> None:
    with pytest.raises(CommandError, match="redis://"):
        call_command("consume_stream", url="http://stream", skip_checks=True)


@pytest.mark.parametrize("options", [{"count": 0}, {"stale": 0.0}])
def test_a_stream_is_not_read_by_halves(options: dict[str, float]) -> None:
    with pytest.raises(CommandError, match="--count must be 1 or more"):
        call_command("consume_stream", url="redis://stream", skip_checks=True, **options)


@pytest.mark.parametrize("port", [0, 99999])
def test_a_port_that_none_has_is_refused(port: int) -> None:
    with pytest.raises(CommandError, match=f"--port {port}"):
        call_command("run", port=port, skip_checks=True)


@pytest.mark.parametrize(
    ("found", "kept"), [(0o644, 0o600), (0o666, 0o600), (0o640, 0o640), (0o660, 0o660)]
)
def test_what_a_former_version_left_open_to_all_is_shut(
    tmp_path: Path, found: int, kept: int
) -> None:
    path = tmp_path / "guardian.sqlite3"
    files = [path, *(tmp_path / f"{path.name}{end}" for end in ("-wal", "-shm", ".before"))]
    for file in files:
        file.touch()
        file.chmod(found)
    database_at("", otherwise=path)
    assert {file.stat().st_mode & 0o777 for file in files} == {kept}
