"""A Redis that hangs is not waited for by every report, and is asked again when it is back."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from guardian_site import cache_connections
from guardian_site.cache_connections import Absence, WatchedPool
from guardian_site.tests.processes import ROOT

HANGS = 0.2


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_connections, "absence", Absence())


@pytest.fixture
def hung() -> Iterator[Redis]:
    """Give the client of a Redis that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield Redis(connection_pool=WatchedPool.from_url(address, socket_timeout=HANGS))


def there(url: str) -> Redis:
    return Redis(connection_pool=WatchedPool.from_url(url, socket_timeout=5))


def test_only_the_first_waits_for_a_redis_that_hangs(hung: Redis) -> None:
    with pytest.raises(TookTooLong):
        hung.get("a")
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(Lost, match="away a moment ago"):
            hung.get("a")
    assert time.monotonic() - began < HANGS


def test_it_is_asked_again_when_it_may_be_back(
    hung: Redis, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_connections, "PAUSE_SECONDS", 0.3)
    back = there(valkey_url)
    with pytest.raises(TookTooLong):
        hung.get("a")
    with pytest.raises(Lost):
        back.get("a")
    time.sleep(0.31)
    assert back.ping()
    assert there(valkey_url).ping()


def test_an_open_connection_that_hangs_is_no_other_case(valkey_url: str) -> None:
    client = there(valkey_url)
    line = client.connection_pool.get_connection()
    line.send_command("BLPOP", "nothing", 1)
    with pytest.raises(TookTooLong):
        line.read_response(timeout=0.05)
    with pytest.raises(Lost, match="away a moment ago"):
        there(valkey_url).ping()


def test_an_outage_is_told_once_and_so_is_what_is_refused(
    hung: Redis, valkey_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        with pytest.raises((TookTooLong, Lost)):
            hung.get("a")
    cache_connections.absence.ends()
    cache_connections.absence.ends()
    client = there(valkey_url)
    for _ in range(5):
        with pytest.raises(ResponseError):
            client.execute_command("NOSUCHCOMMAND")
    told = [(one.levelno, one.message.split("; ")[0].split(", ")[0]) for one in caplog.records]
    assert told == [
        (logging.WARNING, "Redis does not answer"),
        (logging.WARNING, "Redis answers again"),
        (logging.WARNING, "Redis refuses what it is asked for: unknown command 'NOSUCHCOMMAND'"),
    ]


@pytest.mark.parametrize("address", ["redis://h/0", "rediss://h/0", "unix:///run/redis.sock?db=1"])
def test_the_site_uses_them_whatever_the_address(address: str) -> None:
    environment = {**os.environ, "REDIS_URL": address, "GUARDIAN_SECRET_KEY": "k" * 40}
    environment["DJANGO_SETTINGS_MODULE"] = "guardian_site.settings"
    asked = "from django_redis import get_redis_connection as get; import django; django.setup();"
    asked += "print(get('default').connection_pool.connection_class.__name__)"
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert told.stdout.startswith(b"Watched")
