"""What a reader can do with a page, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from bench.report import theme

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow  # a browser starts

COLUMN = "(table, column) => [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[column].textContent)"
ASCENDING = ["1 ms", "9.5 ms", "9.50 ms", "10.25 ms", "100 ms", "-"]
DESCENDING = ["100 ms", "10.25 ms", "9.5 ms", "9.50 ms", "1 ms", "-"]
AS_WRITTEN = ["9.5 ms", "10.25 ms", "-", "9.50 ms", "100 ms", "1 ms"]


def results(page: Page) -> Locator:
    return page.locator("#table-results")


def column(page: Page, place: int = 1) -> list[str]:
    shown: list[str] = results(page).locator("table").evaluate(f"(table) => ({COLUMN})(table, {place})")
    return shown


def header(page: Page, name: str) -> Locator:
    return results(page).locator("thead th").filter(has_text=name)


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
        browser.wait_drawn(shown.page)
        shown.page.emulate_media(color_scheme="dark")
        browser.wait_drawn(shown.page, "dark")
        assert browser.background(shown.page) == dark
        shown.page.get_by_role("radio", name="Light").check()
        browser.wait_drawn(shown.page, "light")
        assert browser.background(shown.page) == light
        shown.page.get_by_role("radio", name="Light").press("ArrowRight")
        browser.wait_drawn(shown.page, "dark")
        shown.page.emulate_media(color_scheme="light")
        assert browser.background(shown.page) == dark
        shown.page.get_by_role("radio", name="System").check()
        browser.wait_drawn(shown.page, "light")
        assert browser.background(shown.page) == light
        assert shown.page.locator("#picture-calls svg").count() == 1
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


def test_a_link_to_a_folded_part_opens_it(chromium: Browser, path: Path) -> None:
    with browser.opened(path, browser=chromium) as shown:
        assert not shown.page.locator("#table-versions").is_visible()
        shown.page.get_by_role("link", name="Versions").click()
        shown.page.locator("#table-versions").wait_for()


def test_every_control_is_reached_by_keyboard_and_shows_where_one_is(chromium: Browser, path: Path) -> None:
    with browser.opened(path, width=360, browser=chromium) as shown:
        browser.wait_drawn(shown.page)
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
