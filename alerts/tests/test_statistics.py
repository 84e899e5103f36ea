from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import services
from alerts.models import Incident, Notification
from alerts.selectors.reports import report
from alerts.selectors.statistics import means_of, period_statistics
from alerts.services import absorb_anomalies, queue_digests
from alerts.tests.makers import at, live, make_anomaly, make_channel, make_source, open_incident

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def content(number: int) -> dict[str, str]:
    found: dict[str, str] = Notification.objects.get(pk=number).content or {}
    return found


def test_unknown_is_none_and_not_zero() -> None:
    found = period_statistics(now=at(0)).total
    assert (found.incidents, found.mttd, found.mtta, found.mttr, found.mtbf) == (
        0,
        None,
        None,
        None,
        None,
    )


def test_all_that_the_means_need_is_read_at_once(django_assert_max_num_queries: Any) -> None:
    for number in range(5):
        incident = open_incident(source=make_source(f"shop{number}"))
        services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(2))
        services.resolve(incident_id=incident.pk, actor="ana", via="web", now=at(3))
    with django_assert_max_num_queries(1):
        found = period_statistics(now=at(200))
    assert found.total.incidents == len(found.by_source) == 5
    assert found.total.mtta == 90


def test_the_four_means() -> None:
    make_anomaly(0, onset=at(-3), detected=at(0.5))
    absorb_anomalies(now=at(1))
    services.acknowledge(incident_id=Incident.objects.get().pk, actor="ana", via="web", now=at(3))
    live(9, bad={1}, first=1)
    live(100, bad={60}, first=10)
    found = period_statistics(now=at(200)).total
    assert found.incidents == 2
    assert found.mttd == (3.5 * 60 + 0) / 2
    assert found.mtta == 120
    assert found.mttr == (5 * 60 + 60) / 2
    assert found.mtbf == 58 * 60
    assert found.downtime == 6 * 60


def test_of_two_reports_in_a_row_one_has_what_began_before_it_was_found() -> None:
    make_anomaly(5, onset=at(-20))
    live(10, bad=set(), first=5)
    assert Incident.objects.get().state == "resolved"
    before, after = (report(since=at(0) - DAY, until=at(0)), report(since=at(0), until=at(60)))
    assert (before.statistics.total.incidents, before.worst) == (0, [])
    assert (after.statistics.total.incidents, len(after.worst)) == (1, 1)


def test_a_report_has_what_was_found_in_past_minutes_when_it_began() -> None:
    make_anomaly(-90, past=True)
    absorb_anomalies(now=at(5))
    assert report(since=at(-120), until=at(0)).statistics.total.incidents == 1
    assert report(since=at(0), until=at(60)).statistics.total.incidents == 0


def test_false_positives_are_counted_apart() -> None:
    incident = open_incident()
    services.mark_false_positive(incident_id=incident.pk, actor="ana", via="web", now=at(1))
    found = period_statistics(now=at(10)).total
    assert (found.incidents, found.false_positives) == (0, 1)


def test_a_part_is_counted_with_its_whole_and_for_itself_where_that_is_not() -> None:
    parent = make_source("acquirer")
    first, second = make_source("first", parent=parent), make_source("second", parent=parent)
    whole, part = open_incident(source=first), open_incident(source=second, minute=1)
    assert part.parent == whole
    assert period_statistics(now=at(10)).total.incidents == 1
    assert period_statistics(now=at(10), source="second").total.incidents == 1
    assert period_statistics(now=at(10), sources=frozenset([second.pk])).total.incidents == 1


def test_a_part_is_reported_to_those_who_do_not_see_its_whole() -> None:
    parent = make_source("acquirer")
    first, second = make_source("first", parent=parent), make_source("second", parent=parent)
    whole, part = open_incident(source=first), open_incident(source=second, minute=1)
    for sources, seen in ((None, whole), (frozenset([second.pk]), part)):
        found = report(since=at(-1), until=at(10), sources=sources)
        assert (found.still_open, found.worst) == ([seen], [seen])


def test_a_period_ends_before_its_end() -> None:
    open_incident()
    assert period_statistics(now=at(0)).total.incidents == 0
    assert period_statistics(now=at(0.1)).total.incidents == 1
    assert period_statistics(now=at(0) + 31 * DAY).total.incidents == 0


def test_past_incidents_count_but_not_how_fast_we_were() -> None:
    make_anomaly(0, past=True, detected=at(600))
    absorb_anomalies(now=at(600))
    found = means_of(Incident.objects.all())
    assert (found.incidents, found.mttd, found.mttr) == (1, None, 60)


def test_sources_that_a_reader_may_not_see_are_left_out() -> None:
    open_incident()
    other = make_source("other")
    open_incident(source=other, minute=1)
    assert period_statistics(now=at(10), sources=frozenset({other.pk})).total.incidents == 1


class TestDigest:
    def test_it_comes_once_a_day_after_eight_local_time(self) -> None:
        make_channel("mail", digest="daily", time_zone="America/Sao_Paulo", language="pt-br")
        open_incident()
        eight_there = at(-60)
        assert queue_digests(now=eight_there - timedelta(minutes=1)) == []
        (first,) = queue_digests(now=eight_there)
        assert queue_digests(now=at(300)) == []
        assert len(queue_digests(now=eight_there + DAY)) == 1
        assert content(first)["title"].startswith("Resumo do dia")

    def test_the_weekly_one_comes_on_mondays(self) -> None:
        make_channel("mail", digest="weekly")
        assert at(0).weekday() == 0
        assert len(queue_digests(now=at(0))) == 1
        assert queue_digests(now=at(0) + DAY) == []

    def test_its_title_is_by_the_clock_of_the_channel(self) -> None:
        make_channel("mail", digest="daily", time_zone="America/Sao_Paulo")
        (number,) = queue_digests(now=at(0))
        span = "2026-03-01 09:00 – 2026-03-02 09:00 UTC-3"
        assert content(number)["title"] == f"Daily digest, {span}"

    def test_one_that_comes_late_leaves_nothing_out(self) -> None:
        make_channel("mail", digest="daily")
        queue_digests(now=at(-240))
        open_incident()
        (late,) = queue_digests(now=at(-240) + DAY + timedelta(hours=6))
        assert content(late)["title"].endswith("2026-03-02 08:00 – 2026-03-03 14:00 UTC")
        assert "1 incident," in content(late)["text"]
        (next_one,) = queue_digests(now=at(-240) + 2 * DAY)
        assert content(next_one)["title"].endswith("2026-03-03 14:00 – 2026-03-04 08:00 UTC")

    def test_one_sent_again_by_hand_moves_nothing(self) -> None:
        make_channel("mail", digest="daily")
        (number,) = queue_digests(now=at(0))
        Notification.objects.update(state="sent")
        services.sending.resend(notification_id=number, actor="ana", now=at(300))
        (following,) = queue_digests(now=at(0) + DAY)
        assert "2026-03-02 12:00 – 2026-03-03 12:00" in content(following)["title"]

    def test_a_night_of_25_hours_is_told_whole(self) -> None:
        make_channel("mail", digest="daily", time_zone="Europe/Lisbon")
        before = datetime(2026, 10, 24, 7, tzinfo=UTC)
        queue_digests(now=before)
        assert queue_digests(now=before + DAY) == []
        (number,) = queue_digests(now=before + DAY + timedelta(hours=1))
        span = "2026-10-24 08:00 UTC+1 – 2026-10-25 08:00 UTC"
        assert content(number)["title"] == f"Daily digest, {span}"

    def test_after_a_long_pause_it_tells_of_a_day(self) -> None:
        make_channel("mail", digest="daily")
        queue_digests(now=at(0))
        (number,) = queue_digests(now=at(0) + 30 * DAY)
        assert "2026-03-31 12:00 – 2026-04-01 12:00" in content(number)["title"]

    def test_a_monday_that_was_missed_is_made_up_for(self) -> None:
        make_channel("mail", digest="weekly")
        queue_digests(now=at(0))
        tuesday = at(0) + 8 * DAY
        (number,) = queue_digests(now=tuesday)
        assert "2026-03-02 12:00 – 2026-03-10 12:00" in content(number)["title"]
        assert queue_digests(now=tuesday + DAY) == []
        assert len(queue_digests(now=at(0) + 14 * DAY)) == 1

    def test_the_first_weekly_one_waits_for_its_monday(self) -> None:
        make_channel("mail", digest="weekly")
        assert queue_digests(now=at(0) + 2 * DAY) == []

    def test_it_says_how_grave_when_and_who_has_it(self) -> None:
        make_channel("mail", digest="daily")
        incident = open_incident()
        over = open_incident(source=make_source("shop"), level="WARNING")
        services.resolve(incident_id=over.pk, actor="ana", via="web", now=at(20))
        text = content(*queue_digests(now=at(60)))["text"]
        one = f"- #{incident.pk} Denials above normal at default: critical, 12:00 UTC"
        assert f"Still open:\n{one}, nobody has it" in text
        assert f"- #{over.pk} Denials above normal at shop: warning, 12:00 UTC, 1 min" in text
        services.acknowledge(incident_id=incident.pk, actor="bo", via="web", now=at(70))
        text = content(*queue_digests(now=at(60) + DAY))["text"]
        assert "critical, 2026-03-02 12:00 UTC, bo has it" in text

    def test_it_tells_what_happened(self) -> None:
        make_channel("mail", digest="daily")
        incident = open_incident()
        (number,) = queue_digests(now=at(60))
        text = content(number)["text"]
        assert "1 incident, 0 false positives" in text
        assert f"#{incident.pk} Denials above normal at default" in text

    def test_it_tells_the_sources_apart(self) -> None:
        make_channel("mail", digest="daily")
        for name in ("shop", "kiosk"):
            open_incident(source=make_source(name), minute=1)
        (number,) = queue_digests(now=at(60))
        text = content(number)["text"]
        assert "By source:\n- kiosk: 1 incident, MTTD 0 min" in text
        assert "- shop: 1 incident" in text

    def test_a_channel_of_some_sources_is_told_of_those(self) -> None:
        above = make_source("acquirer")
        channel = make_channel("mail", digest="daily")
        channel.sources.add(above, make_source("shop"))
        for name, parent in (("shop", None), ("kiosk", above), ("bakery", None)):
            open_incident(source=make_source(name, parent=parent), minute=1)
        (number,) = queue_digests(now=at(60))
        text = content(number)["text"]
        assert "2 incidents" in text
        assert "bakery" not in text
        assert "kiosk" in text

    def test_who_asked_for_none_gets_none(self) -> None:
        make_channel("mail")
        assert queue_digests(now=at(60)) == []
