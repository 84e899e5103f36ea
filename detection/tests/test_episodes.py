"""People hear of a page at once and of a warning that lasts; both find a labelled incident."""

import pytest

from detection.episodes import Alarm, Patience, Window, episodes_of, reckon


def warning(*minutes: int, level: int = 1) -> list[Alarm]:
    return [Alarm(1, minute, "decline", level, 0.5) for minute in minutes]


@pytest.mark.parametrize(
    ("alarms", "wait", "told"),
    [
        (warning(10, 11, 12), 8, None),
        (warning(10, 11, 12, 13), 8, 18),
        (warning(10), 3, 13),
        (warning(10), 0, 10),
        (warning(10) + warning(11, level=2), 3, 11),
        (warning(10, 20) + warning(22, level=2), 3, 13),
    ],
)
def test_when_people_hear_of_an_episode(alarms: list[Alarm], wait: int, told: int | None) -> None:
    [episode] = episodes_of(alarms)
    assert episode.told(Patience(wait, quiet=5)) == told


def test_an_incident_is_found_by_a_warning_that_lasts() -> None:
    window = Window(1, "", "incident", 9, 20)
    short, lasting = episodes_of(warning(10, 11)), episodes_of(warning(10, 14))
    assert reckon(short, [window], Patience(wait=8, quiet=5)).lost == [window]
    found = reckon(lasting, [window], Patience(wait=8, quiet=5))
    assert (found.found, found.delays, found.pages) == ([window], [9], 0)
    assert (found.warnings, found.warnings_told) == (1, 1)


def test_an_incident_that_began_before_is_neither_found_nor_lost_and_its_page_not_false() -> None:
    window = Window(1, "", "incident", 9, 20)
    page = episodes_of([Alarm(1, minute, "decline", 2, 0.9) for minute in (12, 13)])
    whole = reckon(page, [window], Patience(wait=3, quiet=5), since=9)
    assert (whole.found, whole.delays) == ([window], [3])
    late = reckon(page, [window], Patience(wait=3, quiet=5), since=10)
    assert (late.found, late.lost, late.delays) == ([], [], [])
    assert (late.pages, late.unlabelled_pages) == (1, 0)


def test_a_page_of_what_became_the_normal_is_neither_false_nor_unlabelled() -> None:
    page = episodes_of(warning(10, 11, level=2))
    for kind, counted in (("new_level", (0, 0)), ("noise", (1, 0)), ("incident", (0, 0))):
        told = reckon(page, [Window(1, "", kind, 9, 20)], Patience(wait=3, quiet=5))
        assert (told.false_pages, told.unlabelled_pages) == counted
