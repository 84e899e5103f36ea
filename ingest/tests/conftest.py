"""The same tests on both databases: a SQLite file and a PostgreSQL, each as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings as site_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from conftest import missing
from ingest.models import (
    ApiKey,
    FileImport,
    LateHour,
    LateMark,
    MinuteCount,
    Report,
    Source,
    Transaction,
)
from ingest.repeats.answers import known_marks
from ingest.services import forget_keys, forget_sources
from ingest.tests.streams import KafkaDoor

TABLES = (LateMark, LateHour, FileImport, MinuteCount, Report, Transaction, ApiKey, Source)


def pooled(url: str, most: int = 8) -> dict[str, Any]:
    """Return the settings of a PostgreSQL as in production: our backend, with a pool."""
    config: dict[str, Any] = environ.Env.db_url_config(url)
    pool = {"min_size": 1, "max_size": most}
    options = {**config.get("OPTIONS", {}), "pool": pool}
    return {**config, "ENGINE": "ingest.postgresql", "OPTIONS": options}


@contextmanager
def default_database(config: dict[str, Any]) -> Iterator[None]:
    """Let every thread find another database under the name default."""
    original, before = connections["default"], connections.settings["default"]
    connections.settings["default"] = connections.configure_settings({"default": config})["default"]
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        if hasattr(connections["default"], "close_pool"):
            connections["default"].close_pool()
        connections.settings["default"], connections["default"] = before, original


@pytest.fixture(scope="session")
def sqlite_config(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sqlite") / "guardian.sqlite3"
    config = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": dict(site_settings.SQLITE_OPTIONS),
    }
    with django_db_blocker.unblock(), default_database(config):
        call_command("migrate", verbosity=0)
    return config


@pytest.fixture(scope="session")
def postgresql_config(postgres_url: str, django_db_blocker: DjangoDbBlocker) -> dict[str, Any]:
    config = pooled(postgres_url)
    with django_db_blocker.unblock(), default_database(config):
        call_command("migrate", verbosity=0)
    return config


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Give the vendor of an empty database that really commits and that threads share."""
    config = request.getfixturevalue(f"{request.param}_config")
    with django_db_blocker.unblock(), default_database(config):
        forget_sources()
        yield request.param
        # Rows of other apps are not made here, so no cascade is looked for.
        for model in TABLES:
            model.objects.all()._raw_delete("default")


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Forget what earlier tests left in this process."""
    cache.clear()
    known_marks.forget()
    forget_sources()
    forget_keys()


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "counts.csv"


@pytest.fixture(autouse=True)
def ingest_alone(settings: Settings) -> None:
    """Ingest is tested without what the site puts around it."""
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]


@pytest.fixture
def kafka_door() -> KafkaDoor:
    try:
        return KafkaDoor()
    except ImportError:
        missing("confluent-kafka", "pip install -r requirements-dev.txt")
        raise
