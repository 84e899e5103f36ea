from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from alerts import services
from alerts.messages import brief_of
from alerts.models import Incident, MaintenanceWindow, Notification, Silence, StageAlarm
from alerts.services import absorb_anomalies
from alerts.suppression import Subject, held_back, occurrence_at, quiet_until
from alerts.tests.makers import at, live, make_anomaly, make_channel, make_source
from ingest.models import MinuteCount, Source

SUBJECT = Subject(frozenset({1}), "decline", "WARNING")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def window(**values: Any) -> MaintenanceWindow:
    facts: dict[str, Any] = {
        "pk": 4,
        "name": "core upgrade",
        "first_day": date(2026, 3, 2),
        "start_time": time(11, 30),
        "minutes": 60,
    }
    return MaintenanceWindow(**{**facts, **values})


def heard_from(source: Source, minute: float) -> None:
    MinuteCount.objects.create(source=source, minute=at(minute), status="approved", count=9)


def silence(**values: Any) -> Silence:
    facts: dict[str, Any] = {"pk": 3, "created_by": "ana", "starts": at(-5), "ends": at(5)}
    return Silence(**{**facts, **values})


def held(subject: Subject = SUBJECT, **more: Any) -> str | None:
    found = held_back(subject, now=at(0), **{"silences": [], "windows": [], **more})
    return None if found is None else found.reason


@pytest.mark.parametrize(
    ("matcher", "quiet"),
    [
        ({}, True),
        ({"source_id": 1}, True),
        ({"source_id": 2}, False),
        ({"family": "decline"}, True),
        ({"family": "reversal"}, False),
        ({"level": "WARNING"}, True),
        ({"level": "CRITICAL"}, True),
        ({"starts": at(1)}, False),
        ({"ends": at(0)}, False),
    ],
)
def test_what_a_silence_matches(matcher: dict[str, Any], quiet: bool) -> None:
    assert (held(silences=[silence(**matcher)]) is not None) is quiet


def test_a_window_of_any_length_is_looked_for_back_to_its_first_day() -> None:
    ages = 2_000_000_000
    assert occurrence_at(window(minutes=ages), at(0)) is not None
    assert occurrence_at(window(minutes=ages, first_day=date(2026, 3, 3)), at(0)) is None


def test_a_silence_for_warnings_lets_critical_through() -> None:
    grave = Subject(frozenset({1}), "decline", "CRITICAL")
    assert held(grave, silences=[silence(level="WARNING")]) is None


def test_the_reason_names_what_holds_back() -> None:
    assert held(silences=[silence()]) == "silence #3 by ana until 2026-03-02 12:05 UTC"
    told = "maintenance window #4 “core upgrade” until 2026-03-02 12:30 UTC"
    assert held(windows=[window()]) == told
    why = "link outage, ticket 4711"
    told = f"silence #3 by ana until 2026-03-02 12:05 UTC: {why}"
    assert held(silences=[silence(reason=why)]) == told
    assert held(windows=[window(reason=why)]).endswith(f" 12:30 UTC: {why}")  # type: ignore[union-attr]


def test_a_late_pipeline_hides_silence_only() -> None:
    silent = Subject(frozenset({1}), "silence", "CRITICAL")
    assert held(silent, late_stage="ingest") is not None
    assert held(late_stage="ingest") is None


@pytest.mark.parametrize(
    ("every", "more", "moment", "inside"),
    [
        ("once", {}, utc(2026, 3, 2, 12, 29), True),
        ("once", {}, utc(2026, 3, 2, 12, 30), False),
        ("once", {}, utc(2026, 3, 3, 12, 0), False),
        ("day", {}, utc(2026, 5, 9, 12, 0), True),
        ("day", {"last_day": date(2026, 3, 5)}, utc(2026, 3, 6, 12, 0), False),
        ("day", {"start_time": time(23, 30)}, utc(2026, 3, 9, 0, 15), True),
        ("day", {"minutes": 60 * 30}, utc(2026, 3, 3, 17, 0), True),
        ("week", {"weekdays": [0]}, utc(2026, 3, 9, 12, 0), True),
        ("week", {"weekdays": [0]}, utc(2026, 3, 10, 12, 0), False),
        ("month", {}, utc(2026, 4, 2, 12, 0), True),
        ("month", {"first_day": date(2026, 1, 31)}, utc(2026, 2, 28, 12, 0), True),
        ("month", {"first_day": date(2026, 1, 31)}, utc(2026, 3, 30, 12, 0), False),
    ],
)
def test_recurrence(every: str, more: dict[str, Any], moment: datetime, inside: bool) -> None:
    found = occurrence_at(window(every=every, **more), moment)
    assert (found is not None) is inside


class TestClockChanges:
    """New York: on 8 March 2026 02:00 becomes 03:00; on 1 November 02:00 becomes 01:00 again."""

    def span(self, start: time, moment: datetime) -> tuple[datetime, datetime] | None:
        daily = window(every="day", start_time=start, time_zone="America/New_York")
        return occurrence_at(daily, moment)

    @pytest.mark.parametrize("day", [7, 8, 9])
    def test_it_keeps_its_local_hour(self, day: int) -> None:
        hour = 14 if day == 7 else 13
        found = self.span(time(9), utc(2026, 3, day, hour, 30))
        assert found is not None
        assert found[0] == utc(2026, 3, day, hour)

    def test_an_hour_lasts_an_hour_in_the_night_it_repeats(self) -> None:
        found = self.span(time(1, 30), utc(2026, 11, 1, 5, 45))
        assert found == (
            utc(2026, 11, 1, 5, 30),
            utc(2026, 11, 1, 6, 30),
        )
        assert self.span(time(1, 30), utc(2026, 11, 1, 6, 31)) is None

    def test_a_start_that_is_skipped_happens_later(self) -> None:
        found = self.span(time(2, 30), utc(2026, 3, 8, 7, 45))
        assert found is not None
        assert found[0] == utc(2026, 3, 8, 7, 30)

    def test_quiet_hours_end_by_the_local_clock(self) -> None:
        night = utc(2026, 3, 8, 4, 0)
        end = quiet_until(night, zone="America/New_York", begin=time(22), end=time(7))
        assert end == utc(2026, 3, 8, 11, 0)

    def test_quiet_hours_that_are_over_do_not_begin_anew(self) -> None:
        ends = [
            quiet_until(moment, zone="America/New_York", begin=time(22), end=time(1, 30))
            for moment in (utc(2026, 11, 1, 5, 15), utc(2026, 11, 1, 6, 15))
        ]
        assert ends == [utc(2026, 11, 1, 5, 30), None]


@pytest.mark.django_db
class TestInTheProduct:
    def test_a_silenced_incident_is_kept_shown_and_not_told(self) -> None:
        services.create_silence(
            ends=at(60), actor="ana", now=at(0), source=make_source(), reason="known"
        )
        live(3, bad={0, 1, 2})
        incident = Incident.objects.get()
        assert incident.announced is None
        shown = Notification.objects.get()
        assert shown.state == "suppressed"
        assert shown.reason.startswith("silence #")
        assert incident.events.filter(kind="suppressed").count() == 1

    def test_a_held_message_that_was_sent_by_hand_leaves_room_for_the_next(self) -> None:
        services.create_silence(ends=at(1.5), actor="ana", now=at(0), source=make_source())
        services.create_silence(ends=at(60), actor="bo", now=at(1.4), source=make_source())
        live(1, bad={0})
        services.resend(notification_id=Notification.objects.get().pk, actor="bo", now=at(1.2))
        live(2, bad={1, 2}, first=1)
        held = Notification.objects.filter(state="suppressed")
        assert [row.reason for row in held] == ["silence #2 by bo until 2026-03-02 13:00 UTC"]

    def test_what_still_goes_on_when_the_silence_ends_is_told(self) -> None:
        services.create_silence(ends=at(2.5), actor="ana", now=at(0), reason="known")
        live(4, bad={0, 1, 2, 3})
        assert Notification.objects.get(state="pending").kind == "opened"

    def test_what_ends_within_the_silence_is_never_told(self) -> None:
        services.create_silence(ends=at(60), actor="ana", now=at(0), reason="known")
        live(12, bad={0, 1})
        assert Incident.objects.get().state == "resolved"
        assert not Notification.objects.exclude(state="suppressed").exists()

    def test_ending_a_silence_by_hand_tells_at_once(self) -> None:
        made = services.create_silence(ends=at(60), actor="ana", now=at(0), reason="known")
        live(2, bad={0, 1})
        services.end_silence(silence_id=made.pk, actor="bo", now=at(2))
        absorb_anomalies(now=at(2.1))
        assert Notification.objects.get(state="pending").kind == "opened"

    def test_a_rise_during_a_silence_for_warnings_is_told(self) -> None:
        services.create_silence(ends=at(60), actor="ana", now=at(0), level="WARNING")
        make_anomaly(0, level="WARNING")
        absorb_anomalies(now=at(1))
        make_anomaly(1, level="CRITICAL")
        absorb_anomalies(now=at(2))
        assert Notification.objects.get(state="pending").level == "CRITICAL"

    def test_a_silence_for_one_family_hides_no_other(self) -> None:
        services.create_silence(
            source=make_source(), family="decline", ends=at(120), actor="ana", now=at(0)
        )
        live(2, bad={0, 1}, level="WARNING")
        live(2, bad={2, 3}, first=2, family="technical_failure")
        told = Notification.objects.get(state="pending").incident
        assert told is not None
        assert (told.family, told.parent_id) == ("technical_failure", None)

    def test_a_silence_for_one_source_hides_no_sibling(self) -> None:
        parent = make_source("acquirer")
        moved, other = make_source("moved", parent=parent), make_source("other", parent=parent)
        services.create_silence(source=moved, ends=at(120), actor="ana", now=at(0))
        live(2, bad={0, 1}, source=moved)
        live(2, bad={2, 3}, first=2, source=other)
        told = Notification.objects.get(state="pending").incident
        assert told is not None
        assert told.source == other

    def test_a_part_that_becomes_critical_leaves_a_root_that_was_silenced(self) -> None:
        live(2, bad={0, 1}, level="WARNING")
        live(1, bad={2}, first=2, family="technical_failure", level="WARNING")
        root, part = Incident.objects.order_by("id")
        assert root.children.get() == part
        services.silence_incident(
            incident_id=root.pk, minutes=60, actor="ana", via="web", now=at(3)
        )
        live(1, bad={4}, first=4, family="technical_failure")
        assert not root.children.exists()
        assert Notification.objects.get(incident=part, state="pending").level == "CRITICAL"

    def test_what_a_silenced_outage_explains_is_not_told(self) -> None:
        live(2, bad={0, 1}, family="volume_low")
        root = Incident.objects.get()
        services.silence_incident(
            incident_id=root.pk, minutes=60, actor="ana", via="web", now=at(2)
        )
        live(2, bad={3, 4}, first=3)
        part = Incident.objects.latest("id")
        assert part.parent == root
        assert not part.notifications.exists()

    def test_who_silences_a_failure_hears_no_more_of_it_in_another_family(self) -> None:
        live(2, bad={0, 1}, level="WARNING")
        root = Incident.objects.get()
        services.silence_incident(
            incident_id=root.pk, minutes=60, actor="ana", via="web", now=at(2)
        )
        live(1, bad={3}, first=3, family="code_mix", level="WARNING")
        part = Incident.objects.latest("id")
        assert part.parent == root
        assert not part.notifications.exists()

    def test_who_hears_of_one_source_only_hears_of_its_part(self) -> None:
        parent = make_source("acquirer")
        first, second = make_source("first", parent=parent), make_source("second", parent=parent)
        team = make_channel("team of second")
        team.sources.set([second])
        live(2, bad={0, 1}, source=first)
        live(2, bad={2, 3}, first=2, source=second)
        part = Incident.objects.get(source=second)
        assert part.parent is not None
        assert [row.channel for row in part.notifications.all()] == [team]
        part.notifications.update(state="sent")
        live(8, bad=set(), first=4, source=second)
        assert list(part.notifications.values_list("kind", flat=True)) == ["resolved", "opened"]

    def test_silence_is_not_told_while_our_own_ingest_stands_still(self) -> None:
        StageAlarm.objects.create(stage="ingest", since=at(-10))
        make_anomaly(0, family="silence")
        absorb_anomalies(now=at(1))
        assert "our own ingest is late" in Notification.objects.get().reason

    @pytest.mark.parametrize("values", [{"ends": at(-1)}, {"ends": at(60 * 24 * 200)}, {}])
    def test_senseless_silences_are_refused(self, values: dict[str, Any]) -> None:
        facts: dict[str, Any] = {"ends": at(10), "actor": "ana", "now": at(0), **values}
        with pytest.raises(ValueError, match="silence"):
            services.create_silence(**facts)

    def test_a_channel_hears_only_from_its_level_upwards(self) -> None:
        make_channel("phone", minimum_level="CRITICAL")
        make_anomaly(0, level="WARNING")
        absorb_anomalies(now=at(1))
        phone = Notification.objects.get(channel__name="phone")
        assert (phone.state, phone.reason) == (
            "suppressed",
            "below the channel's minimum, CRITICAL",
        )
        make_anomaly(1, level="CRITICAL")
        absorb_anomalies(now=at(2))
        loud = Notification.objects.get(channel__name="phone", state="pending")
        assert loud.kind == "escalated"

    def test_a_warning_waits_for_the_morning_and_critical_does_not(self) -> None:
        make_channel("phone", quiet_from=time(11), quiet_until=time(13))
        make_anomaly(0, level="WARNING")
        absorb_anomalies(now=at(1))
        waiting = Notification.objects.get(channel__name="phone")
        assert (waiting.due, waiting.state) == (at(60), "pending")
        make_anomaly(0, source=make_source("other"), level="CRITICAL")
        absorb_anomalies(now=at(2))
        loud = Notification.objects.get(channel__name="phone", level="CRITICAL")
        assert loud.due == at(2)

    def test_a_channel_of_one_source_hears_nothing_of_others(self) -> None:
        channel = make_channel("phone")
        channel.sources.add(make_source("other"))
        make_anomaly(0)
        absorb_anomalies(now=at(1))
        assert not Notification.objects.filter(channel=channel).exists()

    def test_a_part_of_a_total_outage_is_not_told(self) -> None:
        live(31, bad=set(range(31)), family="silence")
        make_anomaly(30, family="decline")
        absorb_anomalies(now=at(31))
        assert Notification.objects.filter(kind="opened").count() == 1
        assert Incident.objects.get(family="decline").parent is not None

    def test_sources_of_one_parent_that_fail_together_are_told_once(self) -> None:
        parent = make_source("acquirer")
        for number in range(4):
            child = make_source(f"shop-{number}", parent=parent)
            make_anomaly(number, source=child)
            absorb_anomalies(now=at(number + 1))
        assert Notification.objects.filter(kind="opened").count() == 1
        assert Incident.objects.filter(parent=None).count() == 1

    @pytest.mark.parametrize(("third", "told"), [(-2, 1), (3, 2)])
    def test_sources_that_all_fall_silent_are_told_once_and_others_apart(
        self, third: int, told: int
    ) -> None:
        """Nothing arrives from anybody: that is one failure, and most likely ours."""
        for name, last in (("a", -1), ("b", 0), ("c", third)):
            heard_from(make_source(name), last)
        for number, name in enumerate("ab"):
            minute = 2 + number
            make_anomaly(minute, source=make_source(name), family="silence", onset=at(number))
            absorb_anomalies(now=at(minute + 1))
        assert Notification.objects.filter(kind="opened").count() == told

    def test_it_is_one_failure_too_where_the_last_minute_was_half_full(self) -> None:
        for name in "ab":
            heard_from(make_source(name), 0)
        for minute, family in ((1, "volume_low"), (2, "silence")):
            for name in "ab":
                make_anomaly(minute, source=make_source(name), family=family, onset=at(minute - 1))
            absorb_anomalies(now=at(minute + 1))
        root = Incident.objects.get(parent=None)
        assert Notification.objects.filter(kind="opened").count() == 1
        brief = brief_of(root, kind="opened", language="en", now=at(3))
        assert brief.headline == "Too few transactions at a and 1 more source"
        assert "our own side" in brief.first_action

    def test_of_a_common_silence_the_message_names_the_others_and_our_own_side(self) -> None:
        for name in "abc":
            heard_from(make_source(name), -1)
            make_anomaly(0, source=make_source(name), family="silence")
        absorb_anomalies(now=at(1))
        root = Incident.objects.get(parent=None)
        brief = brief_of(root, kind="opened", language="en", now=at(1))
        assert brief.headline == "Nothing reported at a and 2 more sources"
        assert "our own side" in brief.first_action

    def test_the_length_of_what_is_kept_is_bounded(self) -> None:
        services.create_silence(
            ends=at(10) + timedelta(days=1), actor="a" * 500, now=at(0), reason="r" * 900
        )
        assert len(Silence.objects.get().reason) == 200

    def test_who_was_not_told_of_it_hears_of_no_update(self) -> None:
        configuration = {"chat_id": "1", "token": "x"}
        make_channel("chat", "telegram", configuration=configuration, minimum_level="CRITICAL")
        make_anomaly(0, level="WARNING")
        absorb_anomalies(now=at(1))
        services.acknowledge(
            incident_id=Incident.objects.get().pk, actor="ana", via="web", now=at(2)
        )
        chat = Notification.objects.get(channel__name="chat")
        assert (chat.kind, chat.state) == ("opened", "suppressed")

    def test_nor_who_has_silenced_it_when_it_becomes_a_part(self) -> None:
        make_channel("chat", "telegram", configuration={"chat_id": "1", "token": "x"})
        services.create_silence(source=make_source(), ends=at(60), actor="ana", now=at(0))
        live(1, bad={0})
        live(1, bad={20}, first=20, source=make_source("other"))
        part, whole = Incident.objects.order_by("id")
        services.merge(incident_id=part.pk, into_id=whole.pk, actor="ana", via="web", now=at(21))
        assert {row.state for row in part.notifications.all()} == {"suppressed"}
