"""One failure of many sources is told once, however many they are."""

import pytest
from pytest_django import DjangoAssertNumQueries

from alerts import conf, services
from alerts.models import Incident, IncidentEvent, Notification
from alerts.services import absorb_anomalies, settle_incidents
from alerts.tests.makers import at, judge, make_anomaly, make_channel, make_source, open_incident
from detection.models import Anomaly

pytestmark = pytest.mark.django_db
ENOUGH = conf.Rules().wave_sources


def fail_at(names: str, minute: float = 0, **values: object) -> list[Anomaly]:
    return [make_anomaly(minute, source=make_source(name), **values) for name in names]


def told() -> list[tuple[str, str]]:
    rows = Notification.objects.filter(state="pending").order_by("id")
    return list(rows.values_list("incident__source__name", "kind"))


def roots() -> list[str]:
    rows = Incident.objects.filter(parent=None).order_by("id")
    return list(rows.values_list("source__name", flat=True))


def test_what_begins_at_many_sources_is_told_once() -> None:
    fail_at("abcdefghij")
    absorb_anomalies(now=at(1))
    assert Incident.objects.count() == 10
    assert roots() == ["a"]
    assert told() == [("a", "opened")]


def test_two_or_three_sources_may_be_a_chance() -> None:
    fail_at("abc")
    absorb_anomalies(now=at(1))
    assert roots() == ["a", "b", "c"]
    assert len(told()) == ENOUGH


def test_who_was_told_of_the_first_few_hears_their_end_too() -> None:
    fail_at("abc")
    absorb_anomalies(now=at(1))
    Notification.objects.update(state="sent")
    fail_at("de", 1)
    absorb_anomalies(now=at(2))
    assert (roots(), told()) == (["a"], [])
    for minute in range(9):
        for name in "abcde":
            judge(minute, make_source(name))
    absorb_anomalies(now=at(10))
    assert sorted(told()) == [("a", "resolved"), ("b", "resolved"), ("c", "resolved")]


def test_what_begins_later_or_is_another_failure_is_told_for_itself() -> None:
    fail_at("abcd")
    fail_at("e", 30)
    fail_at("f", family="reversal")
    fail_at("g", excess_high=-4.0)
    absorb_anomalies(now=at(31))
    assert roots() == ["a", "e", "f", "g"]


def test_of_a_family_of_sources_that_fails_others_are_no_part() -> None:
    above = make_source("acquirer")
    for number in range(6):
        make_anomaly(source=make_source(f"shop-{number}", parent=above))
    fail_at("a", 1)
    absorb_anomalies(now=at(2))
    assert roots() == ["shop-0", "a"]


def test_what_else_breaks_at_a_source_of_the_wave_belongs_to_it() -> None:
    fail_at("abcde")
    absorb_anomalies(now=at(1))
    fail_at("e", 1, family="reversal")
    absorb_anomalies(now=at(2))
    assert (roots(), told()) == (["a"], [("a", "opened")])
    line = IncidentEvent.objects.filter(incident__family="reversal", kind="linked").get()
    assert (
        line.why == f"began together at the same source: #{Incident.objects.order_by('id')[0].pk}"
    )


def test_what_breaks_in_two_ways_at_many_sources_is_told_once() -> None:
    fail_at("abcd", family="technical_failure")
    fail_at("bcdefgh")
    absorb_anomalies(now=at(1))
    assert (roots(), told()) == (["a"], [("a", "opened")])


def test_what_began_long_before_at_one_of_the_sources_is_no_part_of_it() -> None:
    fail_at("a", -30, family="silence")
    absorb_anomalies(now=at(-29))
    fail_at("a", -1, family="silence")
    fail_at("abcdef")
    absorb_anomalies(now=at(1))
    assert roots() == ["a", "b"]
    assert sorted(told()) == [("a", "opened"), ("b", "opened")]


def test_a_silence_of_the_first_source_hides_no_other() -> None:
    services.create_silence(
        source=make_source("a"),
        family="",
        starts=at(0),
        ends=at(90),
        reason="known",
        actor="ana",
        now=at(0),
    )
    fail_at("abcdef")
    absorb_anomalies(now=at(1))
    assert roots() == ["b"]
    assert told() == [("b", "opened")]


def test_what_was_split_off_by_hand_stays_apart() -> None:
    fail_at("abcde")
    absorb_anomalies(now=at(1))
    part = Incident.objects.get(source__name="c")
    services.split(incident_id=part.pk, actor="ana", via="web", now=at(2))
    fail_at("fg", 2)
    absorb_anomalies(now=at(3))
    assert roots() == ["a", "c"]


def test_who_hears_of_one_source_alone_is_told_of_its_part() -> None:
    fail_at("abcd")
    absorb_anomalies(now=at(1))
    make_channel("team").sources.add(make_source("e"))
    fail_at("ef", 1)
    absorb_anomalies(now=at(2))
    assert sorted(told()) == [("a", "opened"), ("e", "opened")]


def test_a_warning_that_waits_is_not_told_beside_the_wave_that_it_is_part_of() -> None:
    fail_at("a", level="WARNING")
    fail_at("b", level="CRITICAL")
    absorb_anomalies(now=at(1))
    fail_at("cde", 1)
    absorb_anomalies(now=at(2))
    assert told() == [("a", "opened")]
    assert Incident.objects.get(source__name="a").level == "CRITICAL"


def test_very_many_that_go_on_are_asked_about_together(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(40):
        open_incident(source=make_source(f"shop-{number}"))
        judge(0, make_source(f"shop-{number}"))
    assert len(roots()) == 1
    with django_assert_max_num_queries(20):
        settle_incidents(now=at(2))


def test_one_more_bad_minute_costs_few_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    fail_at("abcde")
    absorb_anomalies(now=at(1))
    fail_at("abcde", 1)
    with django_assert_max_num_queries(13 + 5 * 9):
        absorb_anomalies(now=at(2))
    assert set(Incident.objects.values_list("anomaly_count", flat=True)) == {2}


def test_one_more_part_of_a_wave_costs_few_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    fail_at("abcde")
    absorb_anomalies(now=at(1))
    fail_at("f", 1)
    with django_assert_max_num_queries(13 + 28):
        absorb_anomalies(now=at(2))
    assert roots() == ["a"]
