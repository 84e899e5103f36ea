"""What the charts draw and say: real server, real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from guardian_site.tests.browser import Site, chromium, live, looking, site

__all__ = ["chromium", "site"]
pytestmark = pytest.mark.browser
# Some pixel of the line's colour stands in the canvas: it was drawn, not only laid out.
DRAWN = """() => {
  const canvas = document.querySelector('[data-chart="total"] canvas');
  if (!canvas) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 2] > 180 && data[at] < 90 && data[at + 3] > 200) return true;
  return false;
}"""
# Inside the plot, right under the strip that marks an incident, above every line.
BACKGROUND = """() => {
  const canvas = document.querySelector('[data-chart="total"] canvas');
  const { data } = canvas.getContext("2d").getImageData(canvas.width / 2 | 0, 16, 1, 1);
  return [...data];
}"""
KEEP_DRAWN_WORDS = """window.drawnWords = new Set();
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function keep(words, ...more) {
  window.drawnWords.add(words);
  return fillText.call(this, words, ...more);
};"""


def test_the_chart_is_drawn_and_read_by_keyboard(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address)
        live(look.page)
        look.page.wait_for_function(DRAWN)
        plot = look.page.locator('[data-chart="total"] .plot')
        assert "last" in (plot.get_attribute("aria-label") or "")
        reading = look.page.locator('[data-chart="total"] .reading')
        before = reading.inner_text()
        plot.focus()
        plot.press("ArrowLeft")
        plot.press("ArrowLeft")
        expect(reading).not_to_have_text(before)
        expect(reading).to_contain_text("80–120")


def shade(page: Page, site: Site, incidents: int) -> Any:
    """Return the colour behind the chart when so many incidents went on all the time."""
    span = {"from": 0, "to": 2**31, "level": "WARNING", "family": "decline"}

    def answer(route: Route) -> None:
        told = route.fetch()
        windows = [{**span, "id": number} for number in range(incidents)]
        route.fulfill(response=told, json={**told.json(), "windows": windows})

    page.route("**/live.json*", answer)
    page.goto(site.address)
    live(page)
    page.wait_for_function(DRAWN)
    return page.evaluate(BACKGROUND)


def test_what_stands_behind_many_incidents_can_still_be_seen(site: Site, chromium: Browser) -> None:
    shades = []
    for incidents in (0, 1, 30):
        with looking(chromium) as look:
            shades.append(shade(look.page, site, incidents))
    assert shades[0] != shades[1] == shades[2]


@pytest.mark.parametrize(("hours", "dated"), [(3, False), (72, True)])
def test_a_chart_of_several_days_says_which_day_it_speaks_of(
    site: Site, chromium: Browser, hours: int, dated: bool
) -> None:
    with looking(chromium) as look:
        look.page.add_init_script(KEEP_DRAWN_WORDS)
        look.page.goto(f"{site.address}/?hours={hours}")
        live(look.page)
        look.page.wait_for_function("() => window.drawnWords.size > 3")
        at = look.page.locator('[data-chart="total"] .reading [data-field="at"]').inner_text()
        assert bool(re.match(r"[A-Z][a-z]+ \d+, ", at)) is dated
        drawn = look.page.evaluate("() => [...window.drawnWords]")
        assert dated is False or any(re.fullmatch(r"[A-Z][a-z]+ \d+", one) for one in drawn)


def test_the_page_of_an_incident_draws_what_was_expected(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(f"{site.address}/incidents/1/")
        expect(look.page.locator("#incident-chart canvas")).to_be_visible()
        expect(look.page.locator("#incident-chart .reading")).to_contain_text("2.5–10")
        expect(look.page.locator("#chart-failed")).to_be_hidden()
