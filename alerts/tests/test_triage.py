from typing import Any

import pytest
from django.db import IntegrityError, transaction

from alerts import services
from alerts.lifecycle import IllegalTransition
from alerts.messages.stored import line_told
from alerts.models import Incident, IncidentEvent, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import (
    at,
    judge,
    live,
    make_anomaly,
    make_channel,
    make_source,
    open_incident,
)

pytestmark = pytest.mark.django_db
BY = {"actor": "ana", "via": "web"}


def last_event(incident: Incident) -> IncidentEvent:
    return incident.events.latest("id")


def test_acknowledging_says_who_when_and_from_where() -> None:
    incident = open_incident()
    services.acknowledge(incident_id=incident.pk, now=at(3), why="on it", **BY)
    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged) == ("acknowledged", at(3))
    assert incident.acknowledged_by == "ana"
    event = last_event(incident)
    assert (event.kind, event.who, event.via, event.why) == ("acknowledged", "ana", "web", "on it")
    assert (event.state_from, event.state_to) == ("open", "acknowledged")


def test_an_illegal_action_changes_nothing() -> None:
    incident = open_incident()
    services.resolve(incident_id=incident.pk, now=at(2), **BY)
    events = incident.events.count()
    with pytest.raises(IllegalTransition):
        services.acknowledge(incident_id=incident.pk, now=at(3), **BY)
    incident.refresh_from_db()
    assert (incident.state, incident.events.count()) == ("resolved", events)


def test_a_rise_opens_an_acknowledged_incident_again() -> None:
    incident = open_incident(level="WARNING")
    services.acknowledge(incident_id=incident.pk, now=at(1), **BY)
    make_anomaly(1, level="CRITICAL")
    absorb_anomalies(now=at(2))
    incident.refresh_from_db()
    assert (incident.state, incident.level) == ("open", "CRITICAL")
    message = Notification.objects.get()
    assert (message.kind, message.level, message.due) == ("opened", "CRITICAL", at(2))


def test_resolving_the_root_resolves_its_parts() -> None:
    root = open_incident(family="technical_failure")
    part = open_incident(family="reversal")
    services.resolve(incident_id=root.pk, now=at(2), **BY)
    part.refresh_from_db()
    assert part.state == "resolved"


def test_a_false_positive_is_closed_and_its_run_stays_quiet() -> None:
    incident = open_incident()
    services.mark_false_positive(incident_id=incident.pk, now=at(1), **BY)
    live(5, bad={1, 2, 3, 4, 5}, first=1)
    incident.refresh_from_db()
    assert (incident.state, incident.label) == ("closed", "false_positive")
    assert Incident.objects.count() == 1


def test_closing_a_resolved_incident_tells_nobody() -> None:
    incident = open_incident()
    services.resolve(incident_id=incident.pk, now=at(1), **BY)
    before = Notification.objects.count()
    services.close(incident_id=incident.pk, label="real", now=at(9), **BY)
    assert Notification.objects.count() == before


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(ValueError, match="not a label"):
        services.close(incident_id=open_incident().pk, label="odd", now=at(9), **BY)


def test_who_heard_only_of_what_was_merged_hears_its_end_and_its_return() -> None:
    mine, other = make_source("mine"), make_source("other")
    make_channel("ours").sources.add(mine)
    one = open_incident(source=mine)
    two = open_incident(source=other, family="reversal", minute=1)
    services.merge(incident_id=one.pk, into_id=two.pk, now=at(2), **BY)
    told = []
    for minute in (2, 20, 21, 45, 46):
        if minute in (21, 46):
            make_anomaly(minute, source=mine)
        judge(minute, mine)
        judge(minute, other)
        absorb_anomalies(now=at(minute + 0.5))
        waiting = Notification.objects.filter(channel__name="ours", state="pending")
        told += [(row.incident_id, row.kind) for row in waiting.order_by("id")]
        waiting.update(state="sent")
    kinds = ["opened", "resolved", "reopened", "resolved", "reopened"]
    assert told == [(one.pk, kind) for kind in kinds]


@pytest.mark.parametrize(("level", "state"), [("CRITICAL", "suppressed"), ("WARNING", "pending")])
def test_what_is_merged_before_it_was_told_is_told_with_the_other(level: str, state: str) -> None:
    whole = open_incident(level=level)
    part = open_incident(source=make_source("other"), minute=1)
    services.merge(incident_id=part.pk, into_id=whole.pk, now=at(2), **BY)
    assert part.notifications.get().state == state


def test_what_goes_on_joins_an_older_one_that_was_reopened_by_hand() -> None:
    older = open_incident()
    live(120, bad=set(), first=1)
    open_incident(minute=121)
    live(20, bad=set(), first=122)
    services.reopen(incident_id=older.pk, now=at(142), **BY)
    live(1, bad={143}, first=143)
    older.refresh_from_db()
    assert (older.state, older.last_anomaly) == ("open", at(143))


def test_a_part_reopened_by_hand_is_told_with_its_root() -> None:
    root, part = open_incident(), open_incident(family="reversal")
    services.resolve(incident_id=root.pk, now=at(1), **BY)
    Notification.objects.update(state="sent")
    services.reopen(incident_id=part.pk, now=at(2), **BY)
    root.refresh_from_db()
    assert root.state == "open"
    told = Notification.objects.get(state="pending")
    assert (told.incident, told.kind) == (root, "reopened")
    assert line_told(root.events.get(kind="reopened"), "pt-br") == f"#{part.pk} reaberto por ana"


def test_what_became_critical_before_an_end_that_nobody_heard_of_is_told() -> None:
    incident = open_incident(level="WARNING")
    Notification.objects.update(state="sent")
    make_anomaly(1)
    absorb_anomalies(now=at(1.5))
    services.resolve(incident_id=incident.pk, now=at(2), **BY)
    services.reopen(incident_id=incident.pk, now=at(3), **BY)
    told = Notification.objects.get(state="pending")
    assert (told.kind, told.level) == ("escalated", "CRITICAL")


def test_reopening_by_hand_is_told() -> None:
    incident = open_incident()
    Notification.objects.update(state="sent")
    services.resolve(incident_id=incident.pk, now=at(1), **BY)
    Notification.objects.update(state="sent")
    services.reopen(incident_id=incident.pk, now=at(2), **BY)
    assert Notification.objects.get(state="pending").kind == "reopened"


@pytest.mark.parametrize(("tries", "told"), [(0, []), (1, ["reopened"])])
def test_who_may_have_heard_of_an_end_hears_that_it_goes_on(tries: int, told: list[str]) -> None:
    incident = open_incident()
    Notification.objects.update(state="sent")
    services.resolve(incident_id=incident.pk, now=at(1), **BY)
    Notification.objects.filter(kind="resolved").update(attempts=tries)
    services.reopen(incident_id=incident.pk, now=at(2), **BY)
    waiting = Notification.objects.filter(state="pending")
    assert list(waiting.values_list("kind", flat=True)) == told


def test_it_cannot_be_reopened_beside_its_successor() -> None:
    first = open_incident()
    services.close(incident_id=first.pk, label="real", now=at(1), **BY)
    second = open_incident(minute=50)
    assert first.pk != second.pk
    with pytest.raises(IllegalTransition, match=f"#{second.pk}"):
        services.reopen(incident_id=first.pk, now=at(51), **BY)


def test_a_merged_incident_goes_on_under_the_other() -> None:
    other = make_source("other")
    into = open_incident()
    merged = open_incident(source=other, minute=1)
    services.merge(incident_id=merged.pk, into_id=into.pk, now=at(2), **BY)
    make_anomaly(2, source=other)
    absorb_anomalies(now=at(3))
    merged.refresh_from_db()
    assert (merged.state, merged.parent_id, merged.last_anomaly) == ("merged", into.pk, at(2))
    assert Incident.objects.count() == 2


def test_what_was_merged_keeps_its_root_open() -> None:
    other = make_source("other")
    into = open_incident()
    merged = open_incident(source=other, minute=8)
    services.merge(incident_id=merged.pk, into_id=into.pk, now=at(8), **BY)
    for minute in range(10):
        judge(minute)
    absorb_anomalies(now=at(10))
    into.refresh_from_db()
    assert into.state == "open"


@pytest.mark.parametrize("number", [0, 1])
def test_an_incident_cannot_be_merged_into_itself_or_its_part(number: int) -> None:
    root = open_incident(family="technical_failure")
    part = open_incident(family="reversal")
    with pytest.raises(IllegalTransition):
        services.merge(incident_id=root.pk, into_id=(root.pk, part.pk)[number], now=at(1), **BY)


def test_nothing_is_merged_into_what_is_closed_until_it_is_reopened() -> None:
    whole, incident = open_incident(), open_incident(source=make_source("other"), minute=1)
    services.close(incident_id=whole.pk, label="real", now=at(2), **BY)
    with pytest.raises(IllegalTransition, match=f"#{whole.pk} is closed: reopen it first"):
        services.merge(incident_id=incident.pk, into_id=whole.pk, now=at(3), **BY)
    services.reopen(incident_id=whole.pk, now=at(4), **BY)
    services.merge(incident_id=incident.pk, into_id=whole.pk, now=at(5), **BY)
    assert whole.children.get() == incident


def test_a_comment_is_kept_and_an_empty_one_refused() -> None:
    incident = open_incident()
    services.comment(incident_id=incident.pk, text="issuer says 10 min", now=at(1), **BY)
    assert last_event(incident).why == "issuer says 10 min"
    with pytest.raises(ValueError, match="empty"):
        services.comment(incident_id=incident.pk, text="  ", now=at(1), **BY)


def test_the_database_allows_one_open_incident_of_a_kind() -> None:
    incident = open_incident()
    incident.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        incident.save(force_insert=True)


def test_every_state_change_has_its_line_in_the_timeline() -> None:
    incident = open_incident()
    steps: list[tuple[Any, dict[str, Any]]] = [
        (services.acknowledge, {}),
        (services.mitigate, {}),
        (services.resolve, {}),
        (services.reopen, {}),
        (services.close, {"label": "real"}),
    ]
    for minute, (service, more) in enumerate(steps):
        service(incident_id=incident.pk, now=at(minute + 1), **BY, **more)
    lines = incident.events.exclude(state_to="").order_by("id").values_list("state_to", flat=True)
    assert list(lines) == ["open", "acknowledged", "mitigated", "resolved", "open", "closed"]


def returns(minutes: range, **values: Any) -> None:
    """The failure is there again, for these minutes."""
    for minute in minutes:
        make_anomaly(minute, **values)
        judge(minute)
        absorb_anomalies(now=at(minute + 1))


def merged_warnings() -> tuple[Incident, Incident]:
    """Two warnings of one source, the second merged into the first; both were told."""
    into = open_incident(family="volume_low", level="WARNING")
    merged = open_incident(minute=15, level="WARNING")
    Notification.objects.update(state="sent")
    services.merge(incident_id=merged.pk, into_id=into.pk, now=at(16), **BY)
    return into, merged


def test_what_was_merged_and_becomes_critical_raises_its_root() -> None:
    into, merged = merged_warnings()
    returns(range(16, 18))
    into.refresh_from_db()
    merged.refresh_from_db()
    assert (into.state, into.level) == ("open", "CRITICAL")
    assert (merged.state, merged.level) == ("merged", "CRITICAL")
    assert Notification.objects.filter(incident=into, kind="escalated").count() == 1


def test_what_was_merged_and_comes_back_after_its_root_ended_reopens_it() -> None:
    into, _merged = merged_warnings()
    live(13, bad=set(), first=16)
    Notification.objects.update(state="sent")
    returns(range(40, 42))
    into.refresh_from_db()
    assert (into.state, into.level, into.reopened) == ("open", "CRITICAL", 1)
    assert Notification.objects.get(incident=into, state="pending").level == "CRITICAL"


def test_what_was_merged_and_comes_back_much_later_is_a_new_incident() -> None:
    into, merged = merged_warnings()
    live(13, bad=set(), first=16)
    returns(range(90, 92))
    fresh = Incident.objects.latest("id")
    assert fresh.pk not in (into.pk, merged.pk)
    assert fresh.notifications.filter(kind="opened").exists()


def test_a_late_minute_wakes_no_incident_that_is_over() -> None:
    live(12, bad={0, 1, 5})
    services.close(incident_id=Incident.objects.get().pk, label="real", now=at(12), **BY)
    Notification.objects.update(state="sent")
    make_anomaly(3, detected=at(12))
    absorb_anomalies(now=at(12.5))
    incident = Incident.objects.get()
    assert (incident.state, incident.anomaly_count) == ("closed", 4)
    assert not Notification.objects.filter(state="pending").exists()


def test_a_past_incident_that_is_reopened_is_one_like_any_other() -> None:
    make_anomaly(0, past=True, detected=at(600))
    absorb_anomalies(now=at(600))
    incident = Incident.objects.get()
    services.reopen(incident_id=incident.pk, now=at(601), **BY)
    live(2, bad={601, 602}, first=601)
    incident.refresh_from_db()
    assert (Incident.objects.count(), incident.last_anomaly) == (1, at(602))


def test_who_reopens_by_hand_gets_the_quiet_minutes_anew() -> None:
    live(12, bad={0, 1})
    incident = Incident.objects.get()
    live(48, bad=set(), first=12)
    Notification.objects.update(state="sent")
    services.reopen(incident_id=incident.pk, now=at(60), **BY)
    absorb_anomalies(now=at(60.1))
    incident.refresh_from_db()
    assert incident.state == "open"
    assert Notification.objects.filter(kind="reopened", state="pending").exists()
    live(12, bad=set(), first=60)
    incident.refresh_from_db()
    assert incident.state == "resolved"
