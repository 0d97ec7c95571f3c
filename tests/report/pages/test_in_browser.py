"""The page in a real browser: what it draws, asks for and lets its reader do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import browser
from bench.report import theme
from bench.report.pages.html import render_page
from bench.report.text import visible
from report.pages.made_page import HOSTILE, made_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BACKGROUNDS = {"light": theme.LIGHT_SCHEME.background, "dark": theme.DARK_SCHEME.background}
pytestmark = pytest.mark.slow  # a browser starts


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_draws_complains_of_nothing_asks_for_nothing_and_axe_finds_nothing_grave(
    chromium: Browser, path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    with browser.opened(path, width=width, scheme=scheme, browser=chromium) as shown:
        browser.wait_drawn(shown.page, scheme)
        assert (
            browser.background(shown.page) == (theme.DARK_SCHEME if scheme == "dark" else theme.LIGHT_SCHEME).background
        )
        shown.page.locator("#about summary").first.click()
        shown.page.locator("#picture-calls summary").click()
        browser.wait_drawn(shown.page, scheme)
        assert shown.page.locator(".chart svg").count() == 3
        assert browser.serious_violations(shown.page) == []
        assert not browser.scrolls_sideways(shown.page)
        assert shown.faults == []


def test_charts_follow_the_width_of_the_window_and_a_wide_one_scrolls_within_itself(
    chromium: Browser, path: Path
) -> None:
    with browser.opened(path, width=1280, browser=chromium) as shown:
        for width in (1280, 360, 800):
            shown.page.set_viewport_size({"width": width, "height": 800})
            room = shown.page.locator("#picture-calls .chart").evaluate("chart => chart.clientWidth")
            shown.page.wait_for_function(
                "room => Math.abs(document.querySelector('#picture-calls svg').clientWidth - room) < 2", arg=room
            )
            wide = shown.page.locator("#picture-map .chart")
            assert wide.evaluate("chart => chart.scrollWidth > chart.clientWidth") == (width == 360)
            reached = "[tabindex]" if width == 360 else ":not([tabindex])"
            shown.page.locator(f"#picture-map .chart{reached}").wait_for()
        assert shown.faults == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text_in_tables_charts_and_tooltips(chromium: Browser, name: str) -> None:
    with browser.opened(render_page(made_page((name, "other"))), browser=chromium) as shown:
        browser.wait_drawn(shown.page)
        shown.page.locator("#about summary").first.click()
        browser.wait_drawn(shown.page)
        assert shown.page.locator("#table-results").locator("tbody th").first.text_content() == visible(name)
        assert shown.page.locator("#agreement h2").text_content() == visible(name)
        assert shown.page.locator(".cautions strong").first.text_content() == visible(name)
        label = shown.page.locator("#picture-map .role-axis-label").get_by_text(visible(name)[:8]).first.text_content()
        assert visible(name).startswith((label or "").removesuffix("…"))  # a long one is cut; the tooltip has it all
        assert visible(name) in shown.page.locator("#picture-calls .role-legend-label").all_text_contents()
        shown.page.locator("#picture-calls .mark-symbol.role-mark path").first.hover(force=True)
        tooltip = shown.page.locator("#vg-tooltip-element.visible")
        tooltip.wait_for()
        assert visible(name) in (tooltip.text_content() or "")
        assert shown.faults == []


def test_paper_is_light_unfolded_and_without_controls(chromium: Browser, path: Path) -> None:
    with browser.opened(path, scheme="dark", browser=chromium) as shown:
        browser.wait_drawn(shown.page, "dark")
        shown.page.get_by_role("radio", name="Dark").check()
        shown.page.emulate_media(media="print")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        browser.wait_drawn(shown.page, "light")
        assert browser.background(shown.page) == theme.LIGHT_SCHEME.background
        assert shown.page.locator("details:not([open])").count() == 0
        for hidden in (".theme", "nav", ".reset", ".copy", "input[type=search]"):
            assert not shown.page.locator(hidden).first.is_visible()
        assert shown.page.locator("#table-versions").is_visible()
        assert not browser.scrolls_sideways(shown.page)
        shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
        shown.page.emulate_media(media="screen")
        browser.wait_drawn(shown.page, "dark")
        assert shown.page.locator("details[open]").count() == 0


def test_a_chart_drawn_again_because_paper_is_narrower_is_light(chromium: Browser, path: Path) -> None:
    state = "document.querySelector('#picture-calls .chart').dataset.state"
    with browser.opened(path, scheme="dark", browser=chromium) as shown:
        browser.wait_drawn(shown.page, "dark")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        browser.wait_drawn(shown.page, "light")
        before = shown.page.evaluate(state)
        shown.page.set_viewport_size({"width": 360, "height": 800})
        shown.page.wait_for_function(f"before => {state} !== before", arg=before)
        assert shown.page.evaluate(state).startswith("light ")
        browser.wait_drawn(shown.page, "light")


def test_of_drawings_begun_at_once_the_last_one_stays(chromium: Browser, path: Path) -> None:
    late = """() => {
        const drawn = vegaEmbed;
        window.counts = {begun: 0, ended: 0};
        window.vegaEmbed = async (place, spec, options) => {
            counts.begun++;
            if (options.tooltip.theme === "light") await new Promise(resolve => setTimeout(resolve, 300));
            const made = await drawn(place, spec, options);
            counts.ended++;
            return made;
        };
        dispatchEvent(new Event('beforeprint'));
        dispatchEvent(new Event('afterprint'));
    }"""
    with browser.opened(path, scheme="dark", browser=chromium) as shown:
        browser.wait_drawn(shown.page, "dark")
        shown.page.evaluate(late)
        shown.page.wait_for_function("() => counts.begun >= 2 && counts.begun === counts.ended")
        browser.wait_drawn(shown.page, "dark")
        assert shown.page.locator("#picture-calls .chart svg, #picture-calls .chart canvas").count() == 1


def test_a_real_print_has_its_charts_in_light(chromium: Browser, path: Path) -> None:
    keep = "print => { if (print.matches) window.printed = document.querySelector('.chart').dataset.drawn }"
    with browser.opened(path, scheme="dark", browser=chromium) as shown:
        browser.wait_drawn(shown.page, "dark")
        shown.page.evaluate(f"() => matchMedia('print').addEventListener('change', {keep})")
        assert len(shown.page.pdf()) > 10_000
        assert shown.page.evaluate("window.printed") == "light"
        browser.wait_drawn(shown.page, "dark")


def test_without_a_script_every_text_and_number_is_there(chromium: Browser, path: Path) -> None:
    with browser.opened(path, script=False, browser=chromium) as shown:
        numbers = shown.page.locator("#picture-calls table")
        assert numbers.is_visible()
        assert shown.page.locator("#table-results").locator("table").is_visible()
        for hidden in (".chart", ".theme", ".controls", ".copy"):
            assert not shown.page.locator(hidden).first.is_visible()
        shown.page.locator("#about summary").first.click()
        assert shown.page.locator("#table-versions").is_visible()


def test_a_chart_that_cannot_be_drawn_says_so_and_shows_its_numbers(chromium: Browser) -> None:
    document = render_page(made_page()).replace('"type":"point"', '"type":"no such mark"')
    with browser.opened(document, browser=chromium) as shown:
        shown.page.get_by_text("could not be drawn").first.wait_for()
        assert shown.page.locator("#picture-calls table").is_visible()
        assert shown.complaints


def test_twenty_thousand_marks_are_painted_and_not_built_of_elements(chromium: Browser) -> None:
    with browser.opened(render_page(made_page(samples=20_000)), browser=chromium) as shown:
        browser.wait_drawn(shown.page)
        assert shown.page.locator("#picture-calls canvas").count() == 1
        assert shown.faults == []


def test_a_missing_browser_skips_unless_one_is_expected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BENCH_EXPECT_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"), browser.started():
        pass
    monkeypatch.setenv("BENCH_EXPECT_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="no browser here"), browser.started():
        pass
