"""A finding names the status that it is about, and what of it is out of place, where known."""

import pytest

from detection.models import Anomaly
from detection.services.sweep import sweep_closed_minutes
from detection.tests.makers import SHARES, at, make_counts, make_source, set_count

pytestmark = pytest.mark.django_db


USUAL = {**SHARES, ("failed", "00"): 0.01, ("backend_reversed", "00"): 0.005}


def found(share_of: dict[tuple[str, str], float]) -> set[tuple[str, str]]:
    """Return family and status of what was found in an hour with other shares than before."""
    source = make_source()
    make_counts(source, range(600), rate=300, shares=USUAL)
    make_counts(source, range(600, 660), rate=300, seed=2, shares={**USUAL, **share_of})
    while sweep_closed_minutes(now=at(661)).minutes:
        pass
    return set(Anomaly.objects.values_list("family", "status"))


def test_denials_that_add_up_over_an_hour_are_denials_in_each_of_its_minutes() -> None:
    rise = {key: 1.7 * share for key, share in SHARES.items() if key[0] == "denied"}
    assert {status for family, status in found(rise) if family == "decline"} == {"denied"}


def test_failures_are_failures() -> None:
    assert ("technical_failure", "failed") in found({("failed", "00"): 0.2})


def test_what_an_alarm_cost_that_is_about_to_end_is_unknown_and_not_nothing() -> None:
    source = make_source()
    make_counts(source, range(340))
    for place, count in enumerate([13, 13, 5, 4, 3, 1, 5, 5, 4, 5, 3, 5, 5]):
        set_count(source, 300 + place, "denied", "51", count)
    sweep_closed_minutes(now=at(340.5), seconds=60)
    spans = Anomaly.objects.values_list("onset", "excess", "excess_low", "excess_high")
    ending = [costs for onset, *costs in spans if onset is None]
    assert ending
    assert {tuple(costs) for costs in ending} == {(None, None, None)}
    assert all(excess is not None for onset, excess, _, _ in spans if onset is not None)
