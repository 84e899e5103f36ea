from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from alerts import services
from alerts.messages import brief_of
from alerts.models import (
    EscalationPolicy,
    EscalationStep,
    Incident,
    Notification,
    Override,
    Rotation,
    RotationMember,
    Schedule,
)
from alerts.oncall import Standing, Turns, duty_day, on_duty
from alerts.selectors.incidents import Filters, incidents
from alerts.selectors.oncall import person_on_call
from alerts.services import absorb_anomalies, escalate_incidents
from alerts.tests.makers import at, make_anomaly, make_channel, make_source, open_incident

NEW_YORK = ZoneInfo("America/New_York")
ANA, BO, CY = 1, 2, 3


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def turns(**values: Any) -> Turns:
    facts: dict[str, Any] = {
        "name": "weekly",
        "members": [ANA, BO],
        "first_day": date(2026, 3, 2),
        "handover": time(9),
        "days": 7,
    }
    return Turns(**{**facts, **values})


def holder(at_: datetime, *rotations: Turns, zone: ZoneInfo = NEW_YORK) -> int | None:
    duty = on_duty(rotations, [], at_, zone)
    return None if duty is None else duty.user


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        (utc(2026, 3, 2, 13, 59), None),
        (utc(2026, 3, 2, 14, 0), ANA),
        # The clocks changed on the 8th: the hand-over stays at nine local time.
        (utc(2026, 3, 9, 12, 59), ANA),
        (utc(2026, 3, 9, 13, 0), BO),
        (utc(2026, 3, 16, 12, 59), BO),
        (utc(2026, 3, 16, 13, 0), ANA),
    ],
)
def test_a_rotation_hands_over_at_its_local_time(moment: datetime, who: int | None) -> None:
    assert holder(moment, turns()) == who


def test_nobody_gets_the_pager_back_in_the_hour_that_repeats() -> None:
    daily = turns(handover=time(1, 30), days=1, first_day=date(2026, 10, 31))
    moments = [utc(2026, 11, 1, 5, 29), utc(2026, 11, 1, 5, 30), utc(2026, 11, 1, 6, 10)]
    assert [holder(moment, daily) for moment in moments] == [ANA, BO, BO]


def test_a_handover_that_the_clocks_skip_happens_an_hour_later_by_the_clock() -> None:
    assert duty_day(utc(2026, 3, 8, 7, 29), time(2, 30), NEW_YORK) == date(2026, 3, 7)
    assert duty_day(utc(2026, 3, 8, 7, 30), time(2, 30), NEW_YORK) == date(2026, 3, 8)


def test_a_year_of_weekly_turns_has_no_gap_and_equal_shares() -> None:
    moment, counts = utc(2026, 3, 2, 14), {ANA: 0, BO: 0}
    for hour in range(24 * 7 * 50):
        who = holder(moment + timedelta(hours=hour), turns())
        assert who is not None
        counts[who] += 1
    assert abs(counts[ANA] - counts[BO]) <= 1


def test_a_rotation_for_nights_counts_from_the_evening_it_began() -> None:
    nights = turns(from_time=time(20), until_time=time(8), weekdays=frozenset({4}))
    friday, saturday = utc(2026, 3, 7, 3), utc(2026, 3, 7, 12)
    assert holder(friday, nights) == ANA
    assert holder(saturday, nights) == ANA
    assert holder(utc(2026, 3, 7, 14), nights) is None
    assert holder(utc(2026, 3, 8, 3), nights) is None


def test_nor_does_the_night_that_ends_in_that_hour_begin_anew() -> None:
    night = turns(members=[ANA], days=1, from_time=time(22), until_time=time(1, 30))
    day = turns(members=[BO], days=1, from_time=time(1, 30), until_time=time(22))
    first = utc(2026, 11, 1, 5, 15)
    moments = [first + timedelta(minutes=15 * step) for step in range(6)]
    assert [holder(moment, night, day) for moment in moments] == [ANA, BO, BO, BO, BO, BO]


def test_of_two_rotations_the_first_that_counts_holds() -> None:
    weekdays = turns(name="days", weekdays=frozenset(range(5)), members=[CY])
    assert holder(utc(2026, 3, 4, 16), weekdays, turns()) == CY
    assert holder(utc(2026, 3, 7, 16), weekdays, turns()) == ANA


def test_an_override_goes_before_everything_and_the_latest_wins() -> None:
    standing = [
        Standing(BO, utc(2026, 3, 4, 0), utc(2026, 3, 6, 0)),
        Standing(CY, utc(2026, 3, 5, 0), utc(2026, 3, 5, 12)),
    ]
    found = [
        on_duty([turns()], standing, utc(2026, 3, day, hour), NEW_YORK)
        for day, hour in ((4, 5), (5, 5), (5, 13), (6, 1))
    ]
    assert [duty.user if duty else None for duty in found] == [BO, CY, BO, ANA]


@pytest.mark.django_db
class TestEscalation:
    def policy(self, **values: Any) -> EscalationPolicy:
        return EscalationPolicy.objects.create(name="main", **values)

    def step(self, policy: EscalationPolicy, position: int, minutes: int, **target: Any) -> None:
        EscalationStep.objects.create(
            policy=policy, position=position, after_minutes=minutes, **target
        )

    def on_call(self, *users: User) -> Schedule:
        schedule = Schedule.objects.create(name="payments", time_zone="UTC")
        rotation = Rotation.objects.create(
            schedule=schedule, name="weekly", first_day=date(2026, 3, 2), handover=time(9)
        )
        for position, user in enumerate(users):
            RotationMember.objects.create(rotation=rotation, user=user, position=position)
        return schedule

    def told(self, kind: str) -> list[str]:
        rows = Notification.objects.filter(kind=kind).order_by("id")
        return list(rows.values_list("channel__name", flat=True))

    def test_who_is_on_call_comes_from_rotation_and_override(self) -> None:
        ana, bo = User.objects.create_user("ana"), User.objects.create_user("bo")
        schedule = self.on_call(ana, bo)
        assert person_on_call(schedule, at=at(0)).user == ana
        Override.objects.create(schedule=schedule, user=bo, starts=at(-5), ends=at(5))
        assert person_on_call(schedule, at=at(0)).user == bo

    def test_somebody_inactive_is_not_called(self) -> None:
        ana, bo = User.objects.create_user("ana"), User.objects.create_user("bo")
        schedule = self.on_call(ana, bo)
        User.objects.filter(pk=ana.pk).update(is_active=False)
        assert person_on_call(schedule, at=at(0)).user == bo

    def test_it_goes_on_calling_until_somebody_answers(self) -> None:
        ana = User.objects.create_user("ana")
        make_channel("ana's phone", owner=ana)
        make_channel("manager", standby=True)
        policy = self.policy()
        self.step(policy, 1, 5, schedule=self.on_call(ana))
        self.step(policy, 2, 10, channel=make_channel("second", standby=True))
        incident = open_incident()
        for minute in range(4):
            escalate_incidents(now=at(minute))
        assert self.told("escalated") == []
        escalate_incidents(now=at(5.5))
        assert self.told("escalated") == ["ana's phone"]
        escalate_incidents(now=at(15.5))
        assert self.told("escalated") == ["ana's phone", "second"]
        escalate_incidents(now=at(60))
        incident.refresh_from_db()
        assert (len(self.told("escalated")), incident.step_due) == (2, None)

    def test_for_a_telephone_that_is_broken_its_backup_rings(self) -> None:
        ana, spare = User.objects.create_user("ana"), make_channel("spare", standby=True)
        make_channel("ana's phone", owner=ana, disabled=at(-9), backup=spare)
        broken = make_channel("second", standby=True, disabled=at(-9), backup=spare)
        policy = self.policy()
        self.step(policy, 1, 5, schedule=self.on_call(ana))
        self.step(policy, 2, 10, channel=broken)
        open_incident()
        for minute in (5.5, 15.5):
            escalate_incidents(now=at(minute))
            Notification.objects.filter(state="pending").update(state="sent")
        assert self.told("escalated") == ["spare", "spare"]

    def test_what_is_split_off_is_called_for_anew(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        part, whole = open_incident(), open_incident(source=make_source("other"))
        escalate_incidents(now=at(5.6))
        Notification.objects.filter(state="pending").update(state="sent")
        assert self.told("escalated") == ["second", "second"]
        by: Any = {"incident_id": part.pk, "actor": "ana", "via": "web"}
        services.merge(into_id=whole.pk, now=at(6), **by)
        services.split(now=at(7), **by)
        escalate_incidents(now=at(12.1))
        assert Notification.objects.get(state="pending", kind="escalated").incident == part

    def test_an_answer_stops_it(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident()
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        escalate_incidents(now=at(10))
        assert self.told("escalated") == []

    def test_the_steps_are_repeated_as_often_as_the_policy_says(self) -> None:
        policy = self.policy(rounds=3)
        self.step(policy, 1, 5, channel=make_channel("second", standby=True))
        open_incident()
        for minute in range(60):
            escalate_incidents(now=at(minute + 0.6))
            Notification.objects.filter(state="pending").update(state="sent")
        assert self.told("escalated") == ["second"] * 3

    def test_nobody_on_call_is_said_and_loses_no_time(self) -> None:
        policy = self.policy()
        empty = Schedule.objects.create(name="empty")
        self.step(policy, 1, 5, schedule=empty)
        self.step(policy, 2, 10, channel=make_channel("second", standby=True))
        incident = open_incident()
        escalate_incidents(now=at(5.5))
        escalate_incidents(now=at(5.6))
        assert self.told("escalated") == ["second"]
        assert incident.events.filter(why__contains="nobody is on call").exists()

    def test_a_warning_does_not_meet_a_policy_for_critical_until_it_rises(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident(level="WARNING")
        assert incident.step_due is None
        make_anomaly(3)
        absorb_anomalies(now=at(4))
        incident.refresh_from_db()
        assert incident.step_due == at(9)

    def test_a_rise_after_an_answer_calls_again(self) -> None:
        ana = User.objects.create_user("ana")
        make_channel("ana's phone", owner=ana)
        self.step(self.policy(minimum_level="WARNING"), 1, 2, schedule=self.on_call(ana))
        incident = open_incident(level="WARNING")
        escalate_incidents(now=at(3))
        Notification.objects.update(state="sent")
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(3.5))
        make_anomaly(4)
        absorb_anomalies(now=at(5))
        Notification.objects.update(state="sent")
        escalate_incidents(now=at(8))
        assert self.told("escalated").count("ana's phone") == 2

    def test_who_answered_to_less_has_not_answered_to_the_rise(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident(level="WARNING")
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(3))
        assert incidents(Filters(holder="ana")).exists()
        make_anomaly(4)
        absorb_anomalies(now=at(4.5))
        escalate_incidents(now=at(9.5))
        incident.refresh_from_db()
        brief = brief_of(incident, kind="escalated", language="en", now=at(9.5))
        assert (brief.banner, brief.lines[0]) == ("CRITICAL", "Not acknowledged for 5 min")
        assert incident.holder == ""
        assert list(incidents(Filters(holder=""))) == [incident]
        assert not incidents(Filters(holder="ana")).exists()

    def test_a_part_calls_its_own_people_where_its_root_calls_others(self) -> None:
        parent = make_source("acquirer")
        first, second = make_source("first", parent=parent), make_source("second", parent=parent)
        for source in (first, second):
            policy = EscalationPolicy.objects.create(name=source.name, source=source)
            channel = make_channel(f"team of {source}", standby=True)
            self.step(policy, 1, 5, channel=channel)
        root = open_incident(source=first)
        part = open_incident(source=second, minute=1)
        assert part.parent_id == root.pk
        escalate_incidents(now=at(8))
        assert self.told("escalated") == ["team of first", "team of second"]

    def test_a_silence_holds_the_steps_back(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident()
        services.silence_incident(
            incident_id=incident.pk, minutes=10, actor="ana", via="web", now=at(1)
        )
        escalate_incidents(now=at(6))
        assert self.told("escalated") == []
        escalate_incidents(now=at(11.5))
        assert self.told("escalated") == ["second"]

    def test_who_acknowledged_is_reminded_three_times_at_most(self) -> None:
        policy = self.policy(remind_after_minutes=30)
        self.step(policy, 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident()
        Notification.objects.update(state="sent")
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        for minute in range(0, 300, 5):
            escalate_incidents(now=at(minute))
        assert self.told("reminder") == ["console"] * 3

    def test_who_acknowledges_it_anew_is_reminded_as_often(self) -> None:
        policy = self.policy(remind_after_minutes=30)
        self.step(policy, 1, 5, channel=make_channel("second", standby=True))
        by: Any = {"incident_id": open_incident().pk, "actor": "ana", "via": "web"}
        Notification.objects.update(state="sent")
        for begin in (0, 300):
            services.acknowledge(now=at(begin + 2), **by)
            for minute in range(begin, begin + 200, 5):
                escalate_incidents(now=at(minute))
            services.resolve(now=at(begin + 200), **by)
            services.reopen(now=at(begin + 201), **by)
            Notification.objects.filter(state="pending").update(state="sent")
        assert self.told("reminder") == ["console"] * 6

    def test_a_silence_holds_reminders_back(self) -> None:
        policy = self.policy(remind_after_minutes=30)
        self.step(policy, 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident()
        Notification.objects.update(state="sent")
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        services.silence_incident(
            incident_id=incident.pk, minutes=60, actor="ana", via="web", now=at(2)
        )
        escalate_incidents(now=at(40))
        assert self.told("reminder") == []
        escalate_incidents(now=at(63))
        assert self.told("reminder") == ["console"]

    def test_a_resolved_incident_reminds_nobody(self) -> None:
        self.step(self.policy(), 1, 5, channel=make_channel("second", standby=True))
        incident = open_incident()
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        services.resolve(incident_id=incident.pk, actor="ana", via="web", now=at(3))
        assert escalate_incidents(now=at(500)) == []

    def test_who_is_called_in_the_night_the_clocks_change_is_who_is_on_call_then(self) -> None:
        """New York, 8 March: 02:00 becomes 03:00; Bo takes over at 02:30, which is skipped."""
        ana, bo = User.objects.create_user("ana"), User.objects.create_user("bo")
        for user in (ana, bo):
            make_channel(f"{user}'s phone", owner=user)
        schedule = Schedule.objects.create(name="payments", time_zone="America/New_York")
        nights = Rotation.objects.create(
            schedule=schedule,
            name="nights",
            first_day=date(2026, 3, 7),
            handover=time(2, 30),
            days=1,
        )
        for position, user in enumerate((ana, bo)):
            RotationMember.objects.create(rotation=nights, user=user, position=position)
        policy = self.policy(rounds=4)
        self.step(policy, 1, 20, schedule=schedule)
        began = utc(2026, 3, 8, 6, 45)
        make_anomaly(minute_at=began)
        absorb_anomalies(now=began)
        called = []
        for minute in range(90):
            now = began + timedelta(minutes=minute)
            for number in escalate_incidents(now=now):
                name = Notification.objects.get(pk=number).channel.name
                called.append((now, name))
                Notification.objects.update(state="sent")
        # Every twenty minutes that passed, whatever the clock on the wall did: 01:45, then 03:05.
        assert called == [
            (utc(2026, 3, 8, 7, 5), "ana's phone"),
            (utc(2026, 3, 8, 7, 25), "ana's phone"),
            (utc(2026, 3, 8, 7, 45), "bo's phone"),
            (utc(2026, 3, 8, 8, 5), "bo's phone"),
        ]

    def test_steps_fall_due_after_elapsed_time_across_a_change_of_the_clocks(self) -> None:
        self.step(self.policy(), 1, 90, channel=make_channel("second", standby=True))
        incident = open_incident()
        began = utc(2026, 3, 8, 6, 30)
        Incident.objects.update(step_due=began + timedelta(minutes=90), step=0)
        assert escalate_incidents(now=began + timedelta(minutes=89)) == []
        assert len(escalate_incidents(now=began + timedelta(minutes=90))) == 1
        assert incident.pk == Incident.objects.get().pk
