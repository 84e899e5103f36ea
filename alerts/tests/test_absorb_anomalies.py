from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.models import Incident, Notification
from alerts.services import absorb_anomalies, settle_incidents, settling
from alerts.tests.makers import at, judge, live, make_anomaly, make_source, open_incident
from detection.models import Anomaly

pytestmark = pytest.mark.django_db


def kinds(state: str = "pending") -> list[str]:
    rows = Notification.objects.filter(state=state).order_by("id")
    return list(rows.values_list("kind", flat=True))


def test_an_anomaly_opens_an_incident_and_writes_its_message() -> None:
    anomaly = make_anomaly()
    written = absorb_anomalies(now=at(1))
    incident = Incident.objects.get()
    assert (incident.state, incident.family, incident.level) == ("open", "decline", "CRITICAL")
    assert [row.pk for row in Notification.objects.all()] == written
    anomaly.refresh_from_db()
    assert anomaly.absorbed == at(1)


def test_absorbing_again_changes_nothing() -> None:
    make_anomaly()
    absorb_anomalies(now=at(1))
    assert absorb_anomalies(now=at(1.05)) == []
    assert Incident.objects.count() == Notification.objects.count() == 1


def test_later_minutes_join_the_same_incident() -> None:
    live(4, bad={0, 1, 2, 3})
    incident = Incident.objects.get()
    assert (incident.anomaly_count, incident.last_anomaly) == (4, at(3))
    assert kinds() == ["opened"]


def test_all_that_one_more_minute_changes_is_stored() -> None:
    live(1, bad={0})
    worst = make_anomaly(
        1,
        score=0.95,
        status="failed",
        auth_code="96",
        count=80,
        expected=5.0,
        lower=1.0,
        upper=10.0,
        excess=90.0,
        excess_low=80.0,
        excess_high=99.0,
        violations=["MANY"],
        reasons=["80 denials in 1 min, 5 expected."],
        contributions=[{"auth_code": "96", "share": 1.0}],
        owner="network",
        recommendation="Call the network.",
    )
    absorb_anomalies(now=at(2))
    incident = Incident.objects.get()
    same = (
        *("status", "auth_code", "expected", "lower", "upper", "excess", "excess_low"),
        *("excess_high", "violations", "reasons", "contributions", "owner", "recommendation"),
    )
    assert {name: getattr(incident, name) for name in same} == {
        name: getattr(worst, name) for name in same
    }
    assert (incident.peak_score, incident.seen) == (0.95, 80)
    assert (incident.anomaly_count, incident.last_anomaly) == (2, at(1))


def test_a_late_minute_in_between_says_nothing_of_all_that_is_missing_by_now() -> None:
    live(4, bad={0, 3})
    make_anomaly(1, excess=4.0, excess_low=1.0, excess_high=7.0)
    absorb_anomalies(now=at(5))
    incident = Incident.objects.get()
    assert (incident.anomaly_count, incident.last_anomaly) == (3, at(3))
    assert (incident.excess, incident.excess_low, incident.excess_high) == (36.0, 28.0, 44.0)


def test_what_ends_later_does_not_hide_what_more_the_incident_has_cost() -> None:
    live(3, bad={0, 1, 2}, family="technical_failure", status="failed", excess=680.0, score=1.0)
    ending = {"family": "technical_failure", "status": "backend_reversed", "score": 0.9}
    live(1, bad={3}, first=3, excess=370.0, **ending)
    assert Incident.objects.get().excess == 680.0
    live(1, bad={4}, first=4, excess=700.0, **ending)
    assert Incident.objects.get().excess == 700.0


def test_each_run_of_a_failure_that_comes_and_goes_counts_in_what_it_has_cost() -> None:
    for onset, counted in ((0, (20.0, 50.0)), (10, (30.0, 40.0)), (20, (5.0, 10.0))):
        for minute, excess in enumerate(counted, onset + 1):
            make_anomaly(minute, onset=at(onset), excess=excess)
    make_anomaly(23, onset=at(22), excess=12.0)
    for minute in range(24):
        judge(minute)
    absorb_anomalies(now=at(24))
    incident = Incident.objects.get()
    assert incident.excess == 50.0 + 40.0 + 12.0
    assert (incident.excess_low, incident.excess_high) == (3 * 28.0, 3 * 44.0)


def test_it_resolves_after_enough_quiet_judged_minutes() -> None:
    live(5, bad={0})
    assert Incident.objects.get().state == "open"
    live(1, bad=set(), first=5)
    incident = Incident.objects.get()
    assert (incident.state, incident.resolved, incident.ended) == ("resolved", at(6), at(1))


def test_minutes_that_nobody_judged_resolve_nothing() -> None:
    make_anomaly()
    absorb_anomalies(now=at(1))
    absorb_anomalies(now=at(600))
    assert Incident.objects.get().state == "open"


def test_one_opened_and_one_resolved_message_when_it_was_sent_between() -> None:
    live(2, bad={0, 1})
    Notification.objects.update(state="sent")
    live(10, bad=set(), first=2)
    assert list(Notification.objects.order_by("id").values_list("kind", flat=True)) == [
        "opened",
        "resolved",
    ]


def test_an_incident_over_before_it_was_told_makes_one_message() -> None:
    live(12, bad={0, 1})
    assert kinds("suppressed") == ["opened"]
    assert kinds() == ["resolved"]


def test_two_families_that_begin_together_make_one_message() -> None:
    make_anomaly(family="technical_failure")
    make_anomaly(family="reversal")
    absorb_anomalies(now=at(1))
    root, part = Incident.objects.order_by("id")
    assert part.parent == root
    assert kinds() == ["opened"]


def test_what_explains_the_others_is_the_root() -> None:
    make_anomaly(family="code_mix")
    make_anomaly(family="decline")
    absorb_anomalies(now=at(1))
    assert Incident.objects.get(parent=None).family == "decline"


@pytest.mark.parametrize("at_once", [1, settling.AT_ONCE])
def test_the_root_waits_for_its_parts(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", at_once)
    make_anomaly(family="technical_failure")
    live(10, bad=set(range(10)), family="reversal")
    states = dict(Incident.objects.values_list("family", "state"))
    assert states == {"reversal": "open", "technical_failure": "open"}
    live(10, bad=set(), first=10)
    assert set(Incident.objects.values_list("state", flat=True)) == {"resolved"}
    assert Notification.objects.filter(kind="resolved").count() == 1


def test_of_many_only_some_are_locked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was settled before a fault stays so: it was let go of before."""
    monkeypatch.setattr(settling, "AT_ONCE", 2)
    incidents = [open_incident(source=make_source(f"shop-{number}")) for number in range(5)]
    Incident.objects.update(last_anomaly=at(0), parent=None)

    def through(sources: set[int]) -> dict[int, datetime]:
        if incidents[-1].source_id in sources:
            raise RuntimeError("the last of them")
        return dict.fromkeys(sources, at(60))

    monkeypatch.setattr(settling, "judged_through", through)
    with pytest.raises(RuntimeError):
        settle_incidents(now=at(60))
    states = list(Incident.objects.order_by("id").values_list("state", flat=True))
    assert states == ["resolved"] * 4 + ["open"]


def test_a_rise_in_severity_is_told_once() -> None:
    make_anomaly(0, level="WARNING")
    absorb_anomalies(now=at(1))
    Notification.objects.update(state="sent")
    for minute in (1, 2):
        make_anomaly(minute, level="CRITICAL")
        absorb_anomalies(now=at(minute + 1))
    assert kinds() == ["escalated"]


@pytest.mark.parametrize("wait", [0, 3, 10])
def test_a_warning_waits_as_long_as_the_setting_says(wait: int, settings: Settings) -> None:
    settings.GUARDIAN_WARNING_WAIT_MINUTES = wait
    make_anomaly(0, level="WARNING")
    absorb_anomalies(now=at(1))
    assert Notification.objects.get().due == at(1 + wait)


def test_a_warning_that_becomes_critical_waits_no_more() -> None:
    make_anomaly(0, level="WARNING")
    absorb_anomalies(now=at(1))
    make_anomaly(1, level="CRITICAL")
    absorb_anomalies(now=at(2))
    message = Notification.objects.get()
    assert (message.level, message.due) == ("CRITICAL", at(2))


def test_the_worst_minute_is_remembered_though_it_returns_milder_and_rises_again() -> None:
    live(8, bad={0}, count=60, score=1.0)
    live(1, bad={8}, first=8, level="WARNING", count=9, score=0.2)
    live(1, bad={9}, first=9, level="CRITICAL", count=8, score=0.3)
    incident = Incident.objects.get()
    assert (incident.reopened, incident.level, incident.seen) == (1, "CRITICAL", 60)


def test_a_failure_that_returns_soon_reopens_its_incident() -> None:
    live(8, bad={0})
    live(3, bad={8}, first=8)
    incident = Incident.objects.get()
    assert (incident.state, incident.reopened) == ("open", 1)


def test_a_failure_that_returns_late_is_a_new_incident() -> None:
    live(50, bad={0, 45})
    assert Incident.objects.count() == 2


def test_a_part_that_returns_hangs_under_what_goes_on_by_then() -> None:
    open_incident()
    make_anomaly(family="reversal")
    live(60, bad=set(range(1, 61)), first=1, family="reversal")
    live(20, bad=set(), first=61)
    again = open_incident(minute=81)
    live(1, bad={82}, first=82, family="reversal")
    part = Incident.objects.get(family="reversal")
    assert (part.state, part.parent, again.pk) == ("open", again, 3)
    live(1, bad={83}, first=83)
    assert not Anomaly.objects.filter(absorbed=None).exists()


def live_through_a_stop(back: int) -> tuple[Incident, Incident]:
    """Too few transactions for ten minutes, denials among them, and later denials alone."""
    make_anomaly(3)
    live(10, bad=set(range(10)), family="volume_low", excess=-50.0, excess_high=-40.0)
    live(back - 10, bad=set(), first=10)
    Notification.objects.update(state="sent")
    live(3, bad={back, back + 1, back + 2}, first=back)
    return Incident.objects.get(family="volume_low"), Incident.objects.get(family="decline")


def test_a_part_that_returns_long_after_its_root_is_told_as_what_it_is() -> None:
    root, part = live_through_a_stop(back=24)
    assert (root.state, part.state, part.parent) == ("resolved", "open", None)
    told = Notification.objects.get(state="pending")
    assert (told.incident, told.kind) == (part, "opened")
    make_anomaly(25, family="code_mix")
    absorb_anomalies(now=at(27))
    assert Incident.objects.get(family="code_mix").parent == part
    assert Notification.objects.filter(state="pending").count() == 1


def test_a_part_that_returns_soon_brings_its_root_back() -> None:
    root, part = live_through_a_stop(back=17)
    assert (root.state, part.state, part.parent) == ("open", "open", root)
    told = Notification.objects.get(state="pending")
    assert (told.incident, told.kind) == (root, "reopened")


def test_what_was_quiet_for_long_hides_nothing_that_begins_then() -> None:
    live(62, bad={0, 10, 30}, family="volume_low", excess=-50.0, excess_high=-40.0)
    low = Incident.objects.get()
    Incident.objects.filter(pk=low.pk).update(state="open", resolved=None, reopened=3)
    Notification.objects.update(state="sent")
    live(1, bad={62}, first=62)
    found = Incident.objects.get(family="decline")
    assert Incident.objects.get(family="volume_low").state == "open"
    assert found.parent is None
    told = Notification.objects.get(state="pending")
    assert (told.incident, told.kind) == (found, "opened")


def test_many_parts_that_nobody_hears_of_apart_cost_little(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    root = make_source("root")
    open_incident(source=root)
    for number in range(20):
        make_anomaly(source=make_source(f"shop-{number}", parent=root))
    absorb_anomalies(now=at(0.6))
    assert Incident.objects.exclude(parent=None).count() == 20
    with django_assert_max_num_queries(6 * 20 + 15):
        settle_incidents(now=at(0.7))


def test_past_anomalies_are_kept_and_nobody_is_called() -> None:
    for minute in (0, 1, 2, 30):
        make_anomaly(minute, past=True)
    assert absorb_anomalies(now=at(5000)) == []
    first, second = Incident.objects.order_by("onset")
    assert (first.historical, first.state, first.anomaly_count) == (True, "resolved", 3)
    assert second.onset == at(30)
    assert not Notification.objects.exists()
    assert not Anomaly.objects.filter(absorbed=None).exists()


@pytest.mark.parametrize("levels", [("WARNING", "CRITICAL", "WARNING"), ("CRITICAL", "WARNING")])
def test_a_past_incident_is_as_grave_as_its_worst_minute(levels: tuple[str, ...]) -> None:
    for minute, level in enumerate(levels):
        make_anomaly(minute, past=True, level=level)
    absorb_anomalies(now=at(5000))
    assert Incident.objects.get().level == "CRITICAL"


def test_what_was_found_ahead_of_the_clock_and_taken_back_does_not_last_until_then() -> None:
    for minute in range(60):
        make_anomaly(minute, family="silence")
    absorb_anomalies(now=at(61))
    Anomaly.objects.filter(minute__gt=at(2)).update(withdrawn=at(7))
    judge(6)
    absorb_anomalies(now=at(8))
    assert Incident.objects.get().state == "open"
    judge(7)
    absorb_anomalies(now=at(9))
    incident = Incident.objects.get()
    assert (incident.state, incident.last_anomaly) == ("resolved", at(2))


def test_what_was_found_ahead_of_the_clock_alone_is_over_when_it_is_taken_back() -> None:
    for minute in range(30, 60):
        make_anomaly(minute, family="silence")
    absorb_anomalies(now=at(61))
    Anomaly.objects.update(withdrawn=at(7))
    judge(6)
    absorb_anomalies(now=at(8))
    incident = Incident.objects.get()
    assert (incident.state, incident.last_anomaly) == ("resolved", at(6))


@pytest.mark.parametrize("size", [1, 3, 60])
def test_a_worker_that_catches_up_decides_as_one_that_was_there(size: int) -> None:
    bad = [0, 1, 2, 20, 21, 55]
    for minute in range(60):
        if minute in bad:
            make_anomaly(minute)
        if minute % size == size - 1:
            for judged in range(minute - size + 1, minute + 1):
                judge(judged)
            absorb_anomalies(now=at(minute + 1))
    incident = Incident.objects.get(reopened=1)
    assert (incident.onset, incident.last_anomaly) == (at(0), at(21))
    assert Incident.objects.count() == 2


def test_a_source_that_flaps_sends_at_most_three_messages() -> None:
    for minute in range(60):
        live(1, bad={minute} if minute % 2 == 0 else set(), first=minute)
        Notification.objects.filter(state="pending").update(state="sent")
    live(70, bad=set(), first=60)
    Notification.objects.filter(state="pending").update(state="sent")
    assert Incident.objects.get().state == "resolved"
    assert kinds("sent") == ["opened", "resolved"]


@pytest.mark.parametrize("period", [3, 6, 7, 8, 12])
def test_however_slowly_it_flaps_the_messages_stay_few(period: int) -> None:
    for minute in range(60):
        live(1, bad={minute} if minute % period == 0 else set(), first=minute)
        Notification.objects.filter(state="pending").update(state="sent")
    assert len(kinds("sent")) <= 5
