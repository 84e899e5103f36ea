from collections.abc import Iterator
from datetime import datetime

import pytest
from django.utils import timezone

from detection.selectors.declarations import forget_declarations
from detection.services.forests import forget_forest
from detection.services.forgetting import forget_memory
from detection.services.watch import watch
from detection.tests.makers import at
from ingest import steady_clock
from ingest.services.sources import forget_sources


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
