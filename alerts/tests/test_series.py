"""What was expected of several sources together, against the same worked out slowly.

On both databases: what a moment is, and how JSON is read, is the business of each.
"""

import random
from typing import Any

import pytest

from alerts.selectors.series import NAMES, TOTAL, Series, series_between, series_of_each
from alerts.tests.makers import at, make_source
from alerts.tests.pages import count
from detection.models import Band
from ingest.models import Source

MINUTES = 30


@pytest.fixture
def sources(database: str) -> list[Source]:
    """Three that are known, one of them late and one without a status, and one that learns."""
    chance = random.Random(7)
    found = [make_source(name) for name in ("early", "late", "plain", "new")]
    for place, source in enumerate(found):
        for minute in range(MINUTES):
            count(source, at(minute), approved=chance.randrange(90), denied=chance.randrange(9))
            if place == 1 and minute < 10:
                continue
            middle = {name: chance.uniform(5, 90) for name in NAMES}
            bands = {name: [one, 0.4 * one, 1.7 * one] for name, one in middle.items()}
            whole = bands.pop(TOTAL)
            if place == 2:
                bands["refunded"] = [None, None, None]  # type: ignore[list-item]
            Band.objects.create(
                source=source, minute=at(minute), by_status=bands,
                expected=whole[0], lower=whole[1], upper=whole[2], learning=place == 3,
            )  # fmt: skip
    return found


def between(step: int) -> dict[str, Any]:
    return {"since": at(0), "until": at(MINUTES), "step": step}


def one_by_one(sources: list[Source], step: int) -> list[Series]:
    return [
        series_between(source_ids=[source.pk], first=at(0), **between(step)) for source in sources
    ]


def slowly(alone: list[Any], name: str, place: int) -> tuple[float, float, float] | None:
    known = [one for one in alone if one.expected[TOTAL][place] is not None]
    if not known or any(one.expected[name][place] is None for one in known):
        return None
    columns = [(one.expected, one.lower, one.upper) for one in known]
    bands = [[part[name][place] for part in column] for column in columns]
    bands += [[one.seen[name][place]] * 3 for one in alone if one not in known]
    expected = sum(band[0] for band in bands)
    below = sum((band[0] - band[1]) ** 2 for band in bands) ** 0.5
    above = sum((band[2] - band[0]) ** 2 for band in bands) ** 0.5
    return expected, max(0.0, expected - below), expected + above


def test_expectations_add_and_half_widths_in_squares(sources: list[Source]) -> None:
    ids = [source.pk for source in sources]
    for step in (1, 5):
        together = series_between(source_ids=ids, first=at(0), **between(step))
        alone = one_by_one(sources, step)
        assert set(alone[-1].expected[TOTAL]) == {None}
        assert together.expected["refunded"] == [None] * len(together.minutes)
        for name in NAMES:
            for place in range(len(together.minutes)):
                parts = (together.expected, together.lower, together.upper)
                found = tuple(part[name][place] for part in parts)
                wanted = slowly(alone, name, place) or (None, None, None)
                assert found == pytest.approx(wanted, abs=0.03), (step, name, place)


def test_each_by_itself_is_as_if_asked_alone(sources: list[Source]) -> None:
    first = {source.pk: at(0) for source in sources}
    for step in (1, 5):
        each = series_of_each(source_ids=list(first), first=first, **between(step))
        assert list(each.values()) == one_by_one(sources, step)
