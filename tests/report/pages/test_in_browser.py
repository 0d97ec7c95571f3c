"""The page in a real browser: what it draws, asks for and lets its reader do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import browser
from bench.report import theme
from bench.report.pages.html import render_page
from bench.report.text import visible
from report.pages.made_page import HOSTILE, made_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow  # a browser starts

SEEN = "[...document.querySelectorAll('.chart')].filter(chart => chart.checkVisibility())"
COLUMN = "(table, column) => [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[column].textContent)"
ASCENDING = ["1 ms", "9.5 ms", "9.50 ms", "10.25 ms", "100 ms", "-"]
DESCENDING = ["100 ms", "10.25 ms", "9.5 ms", "9.50 ms", "1 ms", "-"]
AS_WRITTEN = ["9.5 ms", "10.25 ms", "-", "9.50 ms", "100 ms", "1 ms"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(made_page()), encoding="utf-8")
    return path


def wait_drawn(page: Page, scheme: str = "light") -> None:
    page.wait_for_function(f"() => {SEEN}.every(chart => chart.dataset.drawn === '{scheme}')")


def results(page: Page) -> Locator:
    return page.locator("#table-results")


def column(page: Page, place: int = 1) -> list[str]:
    shown: list[str] = results(page).locator("table").evaluate(f"(table) => ({COLUMN})(table, {place})")
    return shown


def header(page: Page, name: str) -> Locator:
    return results(page).locator("thead th").filter(has_text=name)


def background(page: Page) -> str:
    parts = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_draws_complains_of_nothing_asks_for_nothing_and_axe_finds_nothing_grave(
    chromium: Browser, path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    with browser.opened(path, width=width, scheme=scheme, browser=chromium) as shown:
        wait_drawn(shown.page, scheme)
        assert background(shown.page) == (theme.DARK_SCHEME if scheme == "dark" else theme.LIGHT_SCHEME).background
        shown.page.locator("#about summary").first.click()
        shown.page.locator("#picture-calls summary").click()
        wait_drawn(shown.page, scheme)
        assert shown.page.locator(".chart svg").count() == 3
        assert browser.serious_violations(shown.page) == []
        assert not browser.scrolls_sideways(shown.page)
        assert shown.faults == []


def test_every_column_sorts_both_ways_the_unknown_last_and_equal_ones_as_written(chromium: Browser, path: Path) -> None:
    with browser.opened(path, browser=chromium) as shown:
        button = header(shown.page, "p50").get_by_role("button")
        assert column(shown.page) == AS_WRITTEN
        button.click()
        assert column(shown.page) == ASCENDING
        assert header(shown.page, "p50").get_attribute("aria-sort") == "ascending"
        button.press("Enter")
        assert column(shown.page) == DESCENDING
        assert header(shown.page, "p50").get_attribute("aria-sort") == "descending"
        for place, other in enumerate(results(shown.page).locator("thead th").all()):
            other.get_by_role("button").click()
            assert other.get_attribute("aria-sort") == "ascending"
            up = column(shown.page, place)
            other.get_by_role("button").click()
            down = column(shown.page, place)
            known = [text for text in up if text != "-"]
            assert sorted(up) == sorted(down)
            assert [text for text in (*up[len(known) :], *down[len(known) :]) if text != "-"] == []
        assert results(shown.page).locator('[aria-sort="none"]').count() == 10
        assert shown.faults == []


def test_the_filter_counts_what_it_leaves_and_reset_brings_back_rows_and_order(chromium: Browser, path: Path) -> None:
    with browser.opened(path, browser=chromium) as shown:
        count = results(shown.page).locator(".count")
        header(shown.page, "p50").get_by_role("button").click()
        shown.page.get_by_label("Filter").fill("ONNX  agre")
        assert column(shown.page) == []
        assert count.text_content() == "0 of 6 rows"
        shown.page.get_by_label("Filter").fill("ONNX 100")
        assert column(shown.page) == ["100 ms"]
        assert count.text_content() == "1 of 6 rows"
        results(shown.page).get_by_role("button", name="Reset").click()
        assert column(shown.page) == AS_WRITTEN
        assert count.text_content() == "6 of 6 rows"
        assert shown.page.get_by_label("Filter").input_value() == ""


def test_colours_follow_the_system_until_the_reader_chooses(chromium: Browser, path: Path) -> None:
    light, dark = theme.LIGHT_SCHEME.background, theme.DARK_SCHEME.background
    with browser.opened(path, browser=chromium) as shown:
        wait_drawn(shown.page)
        shown.page.emulate_media(color_scheme="dark")
        wait_drawn(shown.page, "dark")
        assert background(shown.page) == dark
        shown.page.get_by_role("radio", name="Light").check()
        wait_drawn(shown.page, "light")
        assert background(shown.page) == light
        shown.page.get_by_role("radio", name="Light").press("ArrowRight")
        wait_drawn(shown.page, "dark")
        shown.page.emulate_media(color_scheme="light")
        assert background(shown.page) == dark
        shown.page.get_by_role("radio", name="System").check()
        wait_drawn(shown.page, "light")
        assert background(shown.page) == light
        assert shown.page.locator("#picture-calls svg").count() == 1
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


def test_a_command_is_copied_and_selected_where_the_clipboard_is_closed(chromium: Browser, path: Path) -> None:
    with browser.opened(path, browser=chromium) as shown:
        command = shown.page.locator(".command code").text_content()
        shown.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        shown.page.get_by_role("button", name="Copy").click()
        shown.page.get_by_role("button", name="Copied").wait_for()
        assert shown.page.evaluate("navigator.clipboard.readText()") == command
        shown.page.get_by_role("button", name="Copy", exact=True).wait_for()
        shown.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        shown.page.evaluate("document.execCommand = () => false")
        shown.page.get_by_role("button", name="Copy").click()
        shown.page.get_by_role("button", name="Selected: copy it").wait_for()
        assert shown.page.evaluate("String(getSelection())") == command


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text_in_tables_charts_and_tooltips(chromium: Browser, name: str) -> None:
    with browser.opened(render_page(made_page((name, "other"))), browser=chromium) as shown:
        wait_drawn(shown.page)
        shown.page.locator("#about summary").first.click()
        wait_drawn(shown.page)
        assert results(shown.page).locator("tbody th").first.text_content() == visible(name)
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
        wait_drawn(shown.page, "dark")
        shown.page.get_by_role("radio", name="Dark").check()
        shown.page.emulate_media(media="print")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        wait_drawn(shown.page, "light")
        assert background(shown.page) == theme.LIGHT_SCHEME.background
        assert shown.page.locator("details:not([open])").count() == 0
        for hidden in (".theme", "nav", ".reset", ".copy", "input[type=search]"):
            assert not shown.page.locator(hidden).first.is_visible()
        assert shown.page.locator("#table-versions").is_visible()
        assert not browser.scrolls_sideways(shown.page)
        shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
        shown.page.emulate_media(media="screen")
        wait_drawn(shown.page, "dark")
        assert shown.page.locator("details[open]").count() == 0


def test_a_real_print_has_its_charts_in_light(chromium: Browser, path: Path) -> None:
    keep = "print => { if (print.matches) window.printed = document.querySelector('.chart').dataset.drawn }"
    with browser.opened(path, scheme="dark", browser=chromium) as shown:
        wait_drawn(shown.page, "dark")
        shown.page.evaluate(f"() => matchMedia('print').addEventListener('change', {keep})")
        assert len(shown.page.pdf()) > 10_000
        assert shown.page.evaluate("window.printed") == "light"
        wait_drawn(shown.page, "dark")


def test_without_a_script_every_text_and_number_is_there(chromium: Browser, path: Path) -> None:
    with browser.opened(path, script=False, browser=chromium) as shown:
        numbers = shown.page.locator("#picture-calls table")
        assert numbers.is_visible()
        assert results(shown.page).locator("table").is_visible()
        for hidden in (".chart", ".theme", ".controls", ".copy"):
            assert not shown.page.locator(hidden).first.is_visible()
        shown.page.locator("#about summary").first.click()
        assert shown.page.locator("#table-versions").is_visible()


def test_a_link_to_a_folded_part_opens_it(chromium: Browser, path: Path) -> None:
    with browser.opened(path, browser=chromium) as shown:
        assert not shown.page.locator("#table-versions").is_visible()
        shown.page.get_by_role("link", name="Versions").click()
        shown.page.locator("#table-versions").wait_for()


def test_every_control_is_reached_by_keyboard_and_shows_where_one_is(chromium: Browser, path: Path) -> None:
    with browser.opened(path, width=360, browser=chromium) as shown:
        wait_drawn(shown.page)
        reached: set[str] = set()
        for _ in range(60):
            shown.page.keyboard.press("Tab")
            reached.add(
                shown.page.evaluate("document.activeElement.className || document.activeElement.localName") or ""
            )
        assert {"skip", "input", "a", "summary", "chart wide", "reset", "scroll", "button", "copy"} <= reached
        shown.page.locator(".reset").focus()
        shown.page.keyboard.press("Shift+Tab")
        outline = shown.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_a_chart_that_cannot_be_drawn_says_so_and_shows_its_numbers(chromium: Browser) -> None:
    document = render_page(made_page()).replace('"type":"point"', '"type":"no such mark"')
    with browser.opened(document, browser=chromium) as shown:
        shown.page.get_by_text("could not be drawn").first.wait_for()
        assert shown.page.locator("#picture-calls table").is_visible()
        assert shown.complaints


def test_two_hundred_thousand_calls_of_which_thousands_are_drawn_are_painted(chromium: Browser) -> None:
    with browser.opened(render_page(made_page(samples=20_000)), browser=chromium) as shown:
        wait_drawn(shown.page)
        assert shown.page.locator("#picture-calls canvas").count() == 1
        assert shown.faults == []


def test_a_missing_browser_skips_unless_one_is_expected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BENCH_EXPECT_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"), browser.started():
        pass
    os.environ["BENCH_EXPECT_BROWSER"] = "1"
    with pytest.raises(pytest.fail.Exception, match="no browser here"), browser.started():
        pass
