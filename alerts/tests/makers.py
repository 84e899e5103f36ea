"""Makers of rows for tests; the clock is an argument everywhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.models import Channel, Incident
from alerts.services import absorb_anomalies
from detection.models import Anomaly, Band
from ingest.models import Source

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    """Return the moment so many minutes after the tests' noon."""
    return START + minutes * MINUTE


def make_source(name: str = "default", **values: Any) -> Source:
    values.setdefault("time_zone", "UTC")
    return Source.objects.get_or_create(name=name, defaults=values)[0]


def make_anomaly(minute: float = 0, **values: Any) -> Anomaly:
    source = values.pop("source", None) or make_source()
    moment = values.pop("minute_at", at(minute))
    facts: dict[str, Any] = {
        "source": source,
        "minute": moment,
        "family": "decline",
        "level": "CRITICAL",
        "score": 0.9,
        "status": "denied",
        "auth_code": "51",
        "count": 42,
        "expected": 6.0,
        "lower": 2.0,
        "upper": 12.0,
        "excess": 36.0,
        "excess_low": 28.0,
        "excess_high": 44.0,
        "reasons": ["42 denials in 1 min, 6 expected."],
        "contributions": [{"auth_code": "51", "share": 0.8}],
        "owner": "issuer",
        "recommendation": "Call the issuer.",
        "detected": moment,
    }
    return Anomaly.objects.create(**{**facts, **values})


def judge(minute: float, source: Source | None = None) -> None:
    """Detection has judged this minute."""
    Band.objects.get_or_create(source=source or make_source(), minute=at(minute))


def live(minutes: int, bad: set[int], first: int = 0, **values: Any) -> None:
    """Live through minutes as the tasks would: judge, absorb; the `bad` ones are anomalies."""
    source = values.get("source") or make_source()
    for minute in range(first, first + minutes):
        if minute in bad:
            make_anomaly(minute, **values)
        judge(minute, source)
        absorb_anomalies(now=at(minute + 1))


def open_incident(**values: Any) -> Incident:
    """Open an incident the way the product does."""
    make_anomaly(**values)
    absorb_anomalies(now=at(values.get("minute", 0) + 0.5))
    return Incident.objects.latest("id")


def make_channel(name: str = "phone", kind: str = "console", **values: Any) -> Channel:
    return Channel.objects.create(name=name, kind=kind, **values)
