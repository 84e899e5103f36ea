from collections.abc import Iterator
from datetime import datetime

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from detection.models import Anomaly, Backtest, Band, Baseline, Checkpoint, Recheck
from detection.selectors.declarations import forget_declarations
from detection.services.forests import forget_forest
from detection.services.forgetting import forget_memory
from detection.services.watch import watch
from detection.tests.makers import at
from ingest import steady_clock
from ingest.models import LateMark, MinuteCount, Report, Source, Transaction
from ingest.services.sources import forget_sources
from ingest.tests.conftest import default_database, pooled

WRITTEN = (Backtest, Recheck, Checkpoint, Anomaly, Band, Baseline)
COUNTED = (LateMark, MinuteCount, Report, Transaction, Source)


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """What a process keeps of the database ends with each test."""
    yield
    forget_memory()
    forget_declarations()
    forget_forest()
    forget_sources()


class Clock:
    """The time that detection reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now: datetime = at(0)
        # What models write by themselves, and what is decided.
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        monkeypatch.setattr(steady_clock, "now", lambda: self.now)

    def stand(self, minutes: float) -> None:
        """It is now so many minutes after the tests' first midnight."""
        self.now = at(minutes)
        watch.forget()
        forget_declarations()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def postgresql(postgres_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database is a PostgreSQL: empty, it really commits, and threads share it."""
    with django_db_blocker.unblock(), default_database(pooled(postgres_url)):
        call_command("migrate", verbosity=0)
        yield
        for model in (*WRITTEN, *COUNTED):
            model.objects.all()._raw_delete("default")
