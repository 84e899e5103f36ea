"""What is odd at a source that is itself a part of a larger failure belongs to that failure."""

import pytest

from alerts import services
from alerts.messages import brief_of
from alerts.models import Incident, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, make_anomaly, make_source
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db


def heard_from(source: Source, minute: float) -> None:
    MinuteCount.objects.create(source=source, minute=at(minute), status="approved", count=9)


def test_sources_of_one_parent_that_fail_in_two_ways_are_told_once() -> None:
    parent = make_source("acquirer")
    for name in "ab":
        child = make_source(name, parent=parent)
        make_anomaly(0, source=child, family="technical_failure")
        make_anomaly(1, source=child, family="reversal")
    absorb_anomalies(now=at(2))
    assert [row.kind for row in Notification.objects.all()] == ["opened"]
    assert Incident.objects.filter(parent=None).count() == 1


def test_what_a_common_silence_leaves_behind_pages_nobody_after_it() -> None:
    for name in "ab":
        heard_from(make_source(name), 0)
        make_anomaly(1, source=make_source(name), family="silence")
    absorb_anomalies(now=at(2))
    Notification.objects.update(state="sent")
    for name in "ab":
        heard_from(make_source(name), 5)
        low = {"family": "volume_low", "excess_high": -9.0, "onset": at(0)}
        make_anomaly(5, source=make_source(name), **low)
    absorb_anomalies(now=at(6))
    assert not Notification.objects.filter(state="pending").exists()
    assert Incident.objects.filter(parent=None).count() == 1


def test_figures_of_one_source_say_so_where_the_headline_speaks_of_more() -> None:
    parent = make_source("acquirer")
    for name in "ab":
        make_anomaly(0, source=make_source(name, parent=parent))
    absorb_anomalies(now=at(1))
    root = Incident.objects.get(parent=None)
    brief = brief_of(root, kind="opened", language="en", now=at(1))
    assert brief.headline == "Denials above normal at a and 1 more source"
    assert brief.lines[2] == "a: about 36 more than normal so far (28 to 44)"
    root.state, root.resolved = "resolved", at(9)
    lines = brief_of(root, kind="resolved", language="pt-br", now=at(9)).lines
    assert lines[:2] == [
        "a: durou 1 min (12:00 a 12:01 UTC)",
        "a: cerca de 36 acima do normal no total (28 a 44)",
    ]


def test_what_is_silenced_makes_no_other_failure_graver() -> None:
    services.create_silence(family="decline", ends=at(60), actor="ana", now=at(0), reason="known")
    make_anomaly(0, family="technical_failure", level="WARNING")
    absorb_anomalies(now=at(1))
    Notification.objects.update(state="sent")
    make_anomaly(1, family="decline", level="CRITICAL")
    absorb_anomalies(now=at(2))
    assert not Notification.objects.filter(state="pending").exists()
    failure, silenced = Incident.objects.order_by("id")
    assert (failure.level, silenced.parent, silenced.announced) == ("WARNING", None, None)
    line = silenced.events.filter(kind="linked").last()
    assert line is not None
    assert line.why.startswith(f"stands apart from #{failure.pk}, as nobody may be told of it: sil")
    absorb_anomalies(now=at(61))
    assert Notification.objects.get(state="pending").incident == silenced


def test_a_minute_without_a_count_is_not_the_worst_of_a_rise() -> None:
    make_anomaly(0, score=1.0, count=20, expected=16.0)
    make_anomaly(1, score=1.0, count=0, expected=16.0)
    absorb_anomalies(now=at(2))
    assert Incident.objects.get().seen == 20
