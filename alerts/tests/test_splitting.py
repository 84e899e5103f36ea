from typing import Any

import pytest

from alerts import services
from alerts.lifecycle import IllegalTransition
from alerts.messages.stored import line_told
from alerts.models import Incident, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, judge, make_anomaly, make_channel, make_source, open_incident

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": "ana", "via": "web"}


def merged() -> tuple[Incident, Incident]:
    """Two failures of two sources, the second merged into the first; both were told."""
    whole = open_incident()
    part = open_incident(source=make_source("other"), minute=1)
    Notification.objects.update(state="sent")
    services.merge(incident_id=part.pk, into_id=whole.pk, now=at(2), **BY)
    return whole, part


def split(part: Incident, minute: float = 3, **more: Any) -> Incident:
    services.split(incident_id=part.pk, now=at(minute), **BY, **more)
    part.refresh_from_db()
    return part


def test_what_was_merged_is_as_it_was_before() -> None:
    whole, part = merged()
    split(part, why="two causes")
    assert (part.state, part.parent) == ("open", None)
    mine, theirs = part.events.get(kind="split"), whole.events.get(kind="split")
    assert (mine.who, mine.via, mine.why) == ("ana", "web", f"from #{whole.pk}: two causes")
    assert (mine.state_from, mine.state_to, theirs.why) == ("merged", "open", f"#{part.pk}")
    assert line_told(mine, "pt-br") == f"de #{whole.pk}: two causes"


def test_who_heard_of_it_hears_nothing_new() -> None:
    _whole, part = merged()
    split(part)
    assert not Notification.objects.filter(
        state="pending", kind__in=("opened", "reopened")
    ).exists()


def test_what_was_acknowledged_still_is() -> None:
    whole = open_incident()
    part = open_incident(source=make_source("other"), minute=1)
    services.acknowledge(incident_id=part.pk, now=at(1.5), **BY)
    services.merge(incident_id=part.pk, into_id=whole.pk, now=at(2), **BY)
    split(part)
    assert (part.state, part.acknowledged_by, part.step_due) == ("acknowledged", "ana", None)


def test_what_leaves_a_whole_that_is_over_is_over_too() -> None:
    whole, part = merged()
    services.resolve(incident_id=whole.pk, now=at(2.5), **BY)
    split(part)
    assert (part.state, part.resolved, part.resolved_by) == ("resolved", at(2.5), "ana")


def test_a_part_that_guardian_linked_is_told_for_itself() -> None:
    whole = open_incident()
    part = open_incident(family="reversal")
    assert part.parent == whole
    Notification.objects.update(state="sent")
    split(part)
    assert (part.state, part.parent_id, part.announced) == ("open", None, at(3))
    told = Notification.objects.get(state="pending", incident=part)
    assert told.kind == "opened"
    make_anomaly(4, family="reversal")
    judge(4)
    absorb_anomalies(now=at(4.5))
    part.refresh_from_db()
    assert part.parent is None


def test_what_ends_twice_is_told_twice() -> None:
    make_channel("ours").sources.add(make_source("other"))
    whole, part = merged()

    def told() -> list[str]:
        waiting = part.notifications.filter(channel__name="ours", state="pending")
        kinds = list(waiting.values_list("kind", flat=True))
        waiting.update(state="sent")
        return kinds

    services.resolve(incident_id=whole.pk, now=at(3), **BY)
    assert told() == ["resolved"]
    services.reopen(incident_id=whole.pk, now=at(4), **BY)
    split(part, minute=5)
    assert told() == ["reopened"]
    services.resolve(incident_id=part.pk, now=at(6), **BY)
    assert told() == ["resolved"]


def test_what_stands_for_itself_is_split_off_nothing() -> None:
    with pytest.raises(IllegalTransition, match="not part of another"):
        split(open_incident())


def test_who_was_slower_is_told() -> None:
    whole, part = merged()
    split(part)
    with pytest.raises(IllegalTransition, match="not part of another"):
        split(part)
    other = open_incident(source=make_source("third"), minute=2)
    services.merge(incident_id=part.pk, into_id=other.pk, now=at(4), **BY)
    with pytest.raises(IllegalTransition, match="no longer of that one"):
        split(part, from_id=whole.pk)
    part.refresh_from_db()
    assert part.parent == other


def test_it_does_not_go_on_beside_its_successor() -> None:
    _whole, part = merged()
    twin = Incident.objects.get(pk=part.pk)
    twin.pk, twin.state, twin.parent = None, "open", None
    twin.save(force_insert=True)
    with pytest.raises(IllegalTransition, match=f"#{twin.pk} of the same kind"):
        split(part)
    part.refresh_from_db()
    assert part.state == "merged"
