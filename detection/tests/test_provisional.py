"""What every report of an incident finds again is not stored again with every report."""

from datetime import timedelta

import pytest

from detection import conf
from detection.models import Anomaly
from detection.services.provisional import Stored, store_news
from detection.tests.makers import at, make_source


def anomaly(level: str = "WARNING", count: int = 10, **values: object) -> Anomaly:
    fields = {"family": "decline", "status": "denied", "provisional": True, "detected": at(0)}
    return Anomaly(
        source_id=1, minute=at(0), level=level, score=0.9, count=count, **fields | values
    )


def test_it_is_news_once_and_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored()
    assert stored.news([anomaly()])
    stored.remember([anomaly()])
    assert not stored.news([anomaly(count=11)])
    monkeypatch.setattr(conf, "STORE_AGAIN_SECONDS", -1.0)
    assert stored.news([anomaly(count=12)])


@pytest.mark.parametrize(
    "other",
    [
        {"level": "CRITICAL"},
        {"family": "code_mix"},
        {"minute": at(0) + timedelta(minutes=1)},
        {"provisional": False},
    ],
)
def test_what_differs_in_more_than_its_counts_is_news(other: dict[str, object]) -> None:
    stored = Stored()
    stored.remember([anomaly()])
    changed = anomaly()
    for name, value in other.items():
        setattr(changed, name, value)
    assert stored.news([changed]) == [changed]


def test_only_so_many_are_remembered() -> None:
    stored = Stored(most=2)
    for family in ("decline", "reversal", "silence", "code_mix"):
        stored.remember([anomaly(family=family)])
    assert not stored.news([anomaly(family="code_mix")])
    assert stored.news([anomaly(family="decline")])


@pytest.mark.django_db
def test_a_worse_level_is_stored_at_once() -> None:
    source = make_source()
    for level, count in (("WARNING", 10), ("WARNING", 20), ("CRITICAL", 30), ("CRITICAL", 40)):
        one = anomaly(level, count)
        one.source_id = source.pk
        store_news(found=[one])
    kept = Anomaly.objects.get()
    assert (kept.level, kept.count) == ("CRITICAL", 30)
