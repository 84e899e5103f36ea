"""A vendor on this machine, and databases that really commit and that threads share."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings as site_settings
from django.core.management import call_command
from django.db.models.signals import post_save
from pytest_django import DjangoDbBlocker

from alerts.messages.timeline import OWN
from alerts.models import IncidentEvent, Notification
from alerts.tests.standin import StandIn, stand_in
from ingest.tests.conftest import default_database, pooled


@pytest.fixture(autouse=True)
def own_words() -> Iterator[list[str]]:
    """Collect what Guardian stores in this test; fail when a sentence of it has no Portuguese."""
    said: list[str] = []

    def hear(instance: IncidentEvent | Notification, **_: Any) -> None:
        if isinstance(instance, Notification):
            said.append(instance.reason if instance.incident_id else "")
        elif not instance.who:
            said.append(instance.why)

    for model in (IncidentEvent, Notification):
        post_save.connect(hear, sender=model)
    yield said
    for model in (IncidentEvent, Notification):
        post_save.disconnect(hear, sender=model)
    unknown = {text for text in said if text and all(one.told(text) is None for one in OWN)}
    assert not unknown, "add its Portuguese to alerts/messages/timeline.py"


@pytest.fixture
def vendor() -> Iterator[StandIn]:
    with stand_in() as found:
        yield found


@pytest.fixture
def sqlite_config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path_factory.mktemp("alerts") / "guardian.sqlite3"),
        "OPTIONS": dict(site_settings.SQLITE_OPTIONS),
    }


@pytest.fixture
def postgresql_config(request: pytest.FixtureRequest, postgres_url: str) -> dict[str, Any]:
    name = f"alerts_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
    return {**pooled(postgres_url, most=16), "NAME": name}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Give the vendor of an empty database that really commits and that threads share."""
    config = request.getfixturevalue(f"{request.param}_config")
    with django_db_blocker.unblock(), default_database(config):
        call_command("migrate", verbosity=0)
        yield request.param
