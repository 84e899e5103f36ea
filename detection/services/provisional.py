"""Anomalies of minutes that are still filling: found with every report, stored when it is news.

During an incident every report of a source finds what the one before it found. What has changed is
how many transactions it is about; that the sweep puts right when the minute is over.
"""

import math
import time
from collections.abc import Sequence

from detection import conf
from detection.models import Anomaly
from detection.services.storing import store_provisional

_Key = tuple[int, object, str]


class Stored:
    """Which anomalies this process stored a moment ago, and at which level."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._at: dict[_Key, tuple[float, str]] = {}

    def news(self, anomalies: Sequence[Anomaly]) -> list[Anomaly]:
        """Return those that are new, have another level, or were stored a while ago."""
        limit = time.monotonic() - conf.STORE_AGAIN_SECONDS
        return [one for one in anomalies if self._is_news(one, limit)]

    def _is_news(self, one: Anomaly, limit: float) -> bool:
        at, level = self._at.get(_key(one), (-math.inf, ""))
        return level != one.level or at <= limit or not one.provisional

    def remember(self, anomalies: Sequence[Anomaly]) -> None:
        """These are stored."""
        if len(self._at) > self._most:
            self._at.clear()
        now = time.monotonic()
        self._at.update((_key(one), (now, one.level)) for one in anomalies)

    def forget(self) -> None:
        """Nothing is stored: for whoever deleted what was found."""
        self._at.clear()


stored = Stored()


def store_news(*, found: Sequence[Anomaly]) -> None:
    """What is news of these anomalies is stored."""
    news = stored.news(found)
    if news:
        store_provisional(fresh=news)
        stored.remember(news)


def _key(one: Anomaly) -> _Key:
    return one.source_id, one.minute, one.family
