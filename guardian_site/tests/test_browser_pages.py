"""What a person sees: real server, real browser."""

import time

import pytest
from playwright.sync_api import Browser, expect

from guardian_site.tests.browser import (
    Site,
    chromium,
    empty_site,
    live,
    looking,
    sign_in,
    site,
)

__all__ = ["chromium", "empty_site", "site"]
pytestmark = pytest.mark.browser
PAGES = ("/", "/incidents/", "/incidents/1/", "/sources/", "/sources/acquirer/", "/help/", "/login")
BUDGET = 150_000
TOO_WIDE = """() => [...document.querySelectorAll(".filters .field")]
  .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"""
CUT_OFF = """() => [...document.querySelectorAll(".panel")]
  .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"""
OVERFLOW = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1440])
def test_no_page_errs_leaves_the_host_or_scrolls_sideways(
    site: Site, chromium: Browser, width: int, scheme: str
) -> None:
    with looking(chromium, width=width, scheme=scheme) as look:
        for path in PAGES:
            look.page.goto(site.address + path)
            look.page.wait_for_load_state("networkidle")
            assert look.page.evaluate(OVERFLOW) <= 0, path
            assert look.page.evaluate(CUT_OFF) == [], path
        assert look.faults == []
        assert look.hosts == {f"127.0.0.1:{site.port}"}


@pytest.mark.parametrize("width", [360, 1024, 1280, 1440])
def test_no_field_of_a_filter_covers_another(site: Site, chromium: Browser, width: int) -> None:
    with looking(chromium, width=width) as look:
        look.page.goto(f"{site.address}/incidents/")
        wide = look.page.evaluate(TOO_WIDE)
    assert wide == []


@pytest.mark.parametrize(("path", "shown"), [("/docs", ".opblock"), ("/redoc", "h2")])
def test_the_description_of_the_api_asks_nobody_else(
    site: Site, chromium: Browser, path: str, shown: str
) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address + path)
        # The bundles are megabytes of script.
        expect(look.page.locator(shown).first).to_be_visible(timeout=30_000)
        look.page.wait_for_load_state("networkidle")
        assert look.faults == []
        # A worker made of the page's own script has no host.
        assert look.hosts - {""} == {f"127.0.0.1:{site.port}"}


def test_a_report_appears_without_reloading(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address)
        live(look.page)
        look.page.evaluate("() => { window.sameDocument = true; }")
        before = int(look.page.inner_text("#so-far"))
        site.report(source="acquirer", status="approved", count=77)
        expect(look.page.locator("#so-far")).not_to_have_text(str(before), timeout=8000)
        assert look.page.evaluate("() => window.sameDocument") is True
        assert look.faults == []


def test_everything_of_the_live_page_fits_the_budget(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address)
        live(look.page)
        look.page.wait_for_load_state("networkidle")
        assert 20_000 < look.bytes < BUDGET


def test_what_is_broken_is_there_before_the_first_answer(site: Site, chromium: Browser) -> None:
    with looking(chromium, width=390, height=844) as look:
        look.page.route("**/live.json*", lambda _route: None)
        look.page.goto(site.address)
        card = look.page.locator(".incident")
        expect(card).to_contain_text("About 400 more than normal")
        expect(card).to_be_in_viewport()
        look.page.unroute("**/live.json*")
        look.page.reload()
        live(look.page)
        expect(look.page.locator(".incident")).to_have_count(1)
        assert look.faults == []


def test_an_operator_acknowledges_from_the_live_page(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        sign_in(look.page, site.address)
        live(look.page)
        card = look.page.locator(".incident").first
        expect(card).to_contain_text("About 400 more than normal")
        card.get_by_role("button", name="Acknowledge").click()
        expect(card).to_contain_text("Acknowledged by ana", timeout=8000)
        expect(card.get_by_role("button", name="Acknowledge")).to_be_hidden()
        assert look.faults == []


def test_who_presses_later_is_told_at_once_and_stays_paused(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        sign_in(look.page, site.address)
        live(look.page)
        card = look.page.locator(".incident").first
        acknowledge = card.get_by_role("button", name="Acknowledge")
        if acknowledge.is_visible():
            acknowledge.click()
        expect(card).to_contain_text("Acknowledged by ana", timeout=8000)
        look.page.click("#pause")
        banner = look.page.locator("#banner")
        expect(banner).to_contain_text("Paused at")
        # It was acknowledged before, and this page has not heard of that.
        look.page.evaluate("() => { document.querySelector('.incident form').hidden = false; }")
        acknowledge.click()
        expect(look.page.locator("#refusal")).to_have_text("It is acknowledged already, by ana.")
        expect(banner).to_contain_text("Paused at")
        look.page.goto(f"{site.address}/sources/")
        expect(look.page.locator(".messages")).to_have_count(0)


def test_a_silence_is_seen_at_once_and_ended_from_the_incident(
    site: Site, chromium: Browser
) -> None:
    with looking(chromium) as look:
        sign_in(look.page, site.address)
        look.page.goto(f"{site.address}/incidents/1/")
        look.page.get_by_role("button", name="Silence 1 h").click()
        expect(look.page.locator("header .notice", has_text="Silenced until")).to_be_visible()
        look.page.goto(site.address)
        live(look.page)
        expect(look.page.locator(".incident").first).to_contain_text("Silenced until")
        look.page.goto(f"{site.address}/incidents/1/")
        look.page.get_by_role("button", name="End the silence").click()
        expect(look.page.locator("header .notice", has_text="Silenced until")).to_have_count(0)
        assert look.faults == []


def test_a_long_address_in_a_comment_does_not_widen_a_phone(site: Site, chromium: Browser) -> None:
    with looking(chromium, width=390) as look:
        sign_in(look.page, site.address)
        look.page.goto(f"{site.address}/incidents/1/")
        look.page.fill("[name=text]", "https://status.example.org/" + "incident-of-tonight/" * 9)
        look.page.get_by_role("button", name="Add comment").click()
        expect(look.page.locator(".timeline")).to_contain_text("status.example.org")
        for path in ("/incidents/1/", "/reports/handover"):
            look.page.goto(site.address + path)
            assert look.page.evaluate(OVERFLOW) <= 0, path


@pytest.mark.parametrize("width", [360, 1440])
def test_a_long_name_pushes_nothing_out_of_sight(
    empty_site: Site, chromium: Browser, width: int
) -> None:
    name = "merchant_" * 7
    empty_site.report(source=name, status="approved")
    with looking(chromium, width=width) as look:
        for path in ("/sources/", f"/sources/{name}/", f"/?source={name}"):
            look.page.goto(empty_site.address + path)
            assert look.page.evaluate(OVERFLOW) <= 0, path
            assert look.page.evaluate(CUT_OFF) == [], path


def test_a_reader_sees_no_button(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address)
        live(look.page)
        expect(look.page.locator(".incident").first).to_be_visible()
        expect(look.page.get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_the_page_of_an_incident_shows_what_others_do_meanwhile(
    site: Site, chromium: Browser
) -> None:
    with looking(chromium) as look, looking(chromium) as other:
        sign_in(look.page, site.address)
        sign_in(other.page, site.address)
        look.page.clock.install()
        look.page.goto(f"{site.address}/incidents/1/")
        look.page.fill("[name=text]", "half a thou")
        other.page.goto(f"{site.address}/incidents/1/")
        other.page.fill("[name=text]", "the acquirer is on it")
        other.page.get_by_role("button", name="Add comment").click()
        look.page.clock.run_for(16_000)
        expect(look.page.locator(".timeline")).to_contain_text("the acquirer is on it")
        expect(look.page.locator("[name=text]")).to_have_value("half a thou")
        # What is in use stays as it is.
        look.page.get_by_text("More", exact=True).click()
        other.page.get_by_role("button", name="Assign to me").click()
        look.page.clock.run_for(16_000)
        expect(look.page.locator(".timeline")).to_contain_text("to ana")
        expect(look.page.get_by_role("button", name="Assign to me")).to_be_visible()
        look.page.get_by_text("More", exact=True).click()
        look.page.locator("h1").click()
        look.page.clock.run_for(16_000)
        expect(look.page.get_by_role("button", name="Assign to me")).not_to_be_visible()
        other.page.get_by_text("More", exact=True).click()
        other.page.get_by_role("button", name="Assign to nobody").click()


def test_the_page_of_an_incident_says_that_it_is_out_of_date(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.clock.install()
        look.page.goto(f"{site.address}/incidents/1/")
        expect(look.page.locator("#stale")).to_be_hidden()
        look.page.route("**/incidents/1/", lambda route: route.abort())
        look.page.clock.run_for(16_000)
        expect(look.page.locator("#stale")).to_contain_text("This page shows the state at")
        look.page.unroute("**/incidents/1/")
        look.page.clock.run_for(16_000)
        expect(look.page.locator("#stale")).to_be_hidden()
        look.faults.clear()


def test_a_paused_page_stands_still(site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(site.address)
        live(look.page)
        look.page.click("#pause")
        expect(look.page.locator("#banner")).to_contain_text("Paused at")
        asked: list[str] = []
        look.page.on("request", lambda request: asked.append(request.url))
        look.page.wait_for_timeout(3500)
        assert not [url for url in asked if "live.json" in url]
        look.page.click("#pause")
        expect(look.page.locator("#banner")).to_be_hidden()


def test_the_chosen_colours_are_kept(site: Site, chromium: Browser) -> None:
    with looking(chromium, scheme="light") as look:
        look.page.goto(site.address)
        look.page.click("#theme")
        look.page.goto(f"{site.address}/help/")
        assert look.page.get_attribute("html", "data-theme") == "dark"


def in_a_young_minute() -> None:
    """What is counted in this minute is looked at in this minute."""
    second = time.time() % 60
    if second > 40:
        time.sleep(60 - second)


def test_an_empty_site_says_how_to_begin_and_begins(empty_site: Site, chromium: Browser) -> None:
    with looking(chromium) as look:
        look.page.goto(empty_site.address)
        expect(look.page.locator("#empty")).to_contain_text("curl -X POST")
        in_a_young_minute()
        empty_site.report(status="approved", count=118)
        expect(look.page.locator("#empty")).to_be_hidden(timeout=8000)
        expect(look.page.locator("#learning")).to_be_visible()
        expect(look.page.locator("#so-far")).to_have_text("118")
        assert look.faults == []


def test_a_server_that_does_not_answer_is_told_and_comes_back(
    empty_site: Site, chromium: Browser
) -> None:
    with looking(chromium) as look:
        look.page.goto(empty_site.address)
        live(look.page)
        empty_site.stop()
        banner = look.page.locator("#banner")
        expect(banner).to_contain_text("The server is not responding", timeout=10_000)
        empty_site.start()
        started = time.monotonic()
        expect(banner).to_be_hidden(timeout=35_000)
        assert time.monotonic() - started < 35


def test_one_of_many_sources_is_found_by_typing(empty_site: Site, chromium: Browser) -> None:
    sources = [{"status": "approved", "count": 1, "source": f"kiosk{at}"} for at in range(300)]
    empty_site.report_all(sources)
    with looking(chromium) as look:
        look.page.goto(empty_site.address)
        live(look.page)
        field = look.page.locator("#source")
        field.press_sequentially("sk29")
        offered = look.page.locator("#source-names option")
        expect(offered).to_have_count(11)
        field.fill("kiosk29")
        field.press("Enter")
        look.page.wait_for_url("**/?source=kiosk29&**")
        expect(field).to_have_value("kiosk29")
        field.fill("")
        field.press("Enter")
        look.page.wait_for_url("**/?source=&**")
        assert look.faults == []


def test_the_seldom_acts_of_an_incident_fit_a_phone(site: Site, chromium: Browser) -> None:
    with looking(chromium, width=390) as look:
        sign_in(look.page, site.address)
        look.page.goto(f"{site.address}/incidents/1/")
        look.page.locator("details.more summary").click()
        expect(look.page.locator("select[name=to]")).to_be_visible()
        expect(look.page.get_by_text("There is no other ongoing incident")).to_be_visible()
        assert look.page.evaluate(OVERFLOW) <= 0
        look.page.get_by_role("button", name="Assign to me").click()
        expect(look.page.get_by_text("Assigned to you.")).to_be_visible()
        assert look.faults == []
