"""What is labelled long after it happened, when no checkpoint is left to judge it again from."""

from datetime import timedelta

import pytest

from detection import conf
from detection.models import Anomaly, Band, Recheck
from detection.services import late
from detection.services.labels import label_deviation
from detection.services.sweep import sweep_closed_minutes
from detection.tests.makers import at, make_counts, make_source, set_count
from ingest.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    """A surge of denials and one of failures, before all checkpoints."""
    monkeypatch.setattr(conf, "CHECKPOINTS_KEPT", timedelta(hours=1))
    monkeypatch.setattr(late, "YOUNG", 60)
    source = make_source()
    make_counts(source, range(300))
    for minute in range(140, 150):
        set_count(source, minute, "denied", "51", 45)
    for minute in range(145, 155):
        set_count(source, minute, "failed", "96", 30)
    sweep_closed_minutes(now=at(300.5), seconds=60)
    return source


def expect(source: Source, family: str = "") -> None:
    label_deviation(
        source=source, kind="expected", starts=at(140.9), ends=at(175), family=family, now=at(301)
    )
    sweep_closed_minutes(now=at(301.5), seconds=60)
    assert not Recheck.objects.exists()


def families() -> set[str]:
    found = Anomaly.objects.filter(withdrawn=None, minute__range=(at(135), at(175)))
    return set(found.values_list("family", flat=True))


def loud() -> list[int]:
    minutes = (
        Band.objects.exclude(level="NORMAL").order_by("minute").values_list("minute", flat=True)
    )
    return [(one - at(0)) // conf.MINUTE for one in minutes]


def test_what_was_planned_is_withdrawn(source: Source) -> None:
    Anomaly.objects.filter(minute=at(146)).update(absorbed=at(147))
    assert {"decline", "technical_failure"} <= families()
    expect(source)
    assert (families(), loud()) == (set(), [])
    kept = Anomaly.objects.filter(minute=at(146))
    assert set(kept.values_list("withdrawn", flat=True)) == {at(301.5)}


def test_what_was_planned_of_one_family_leaves_the_others(source: Source) -> None:
    before = families()
    expect(source, "technical_failure")
    assert families() == before - {"technical_failure"}
    assert loud()
