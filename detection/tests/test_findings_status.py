"""A finding names the status that it is about."""

import pytest

from detection.models import Anomaly
from detection.services.sweep import sweep_closed_minutes
from detection.tests.makers import SHARES, at, make_counts, make_source

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
