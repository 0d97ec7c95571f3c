from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest

import browser
from bench.report.pages.html import render_page
from bench.report.profile_cells import views_of
from bench.report.profile_page import page_of
from bench.report.profile_pictures import profile_pictures
from profile_fakes import MS, case, kernel, profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\"'"
CONV = kernel("conv", "FusedConv", (0, 1, 2), [6 * MS, 5 * MS, 7 * MS])
DENSE = kernel(HOSTILE, HOSTILE, (3,), [1 * MS] * 3)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as one:
        yield one


@pytest.fixture(scope="module")
def page() -> str:
    wrong = case([CONV], [9 * MS] * 3, "tensorflow", row={"agreement": "disagrees"})
    bare = case([], [], "litert", reason="it tells no operator times")
    made = profile(case([CONV, DENSE], [10 * MS] * 3, row={"model": HOSTILE}), wrong, bare)
    views = views_of(made)
    return render_page(page_of(made, views, profile_pictures(made, views)))


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_well_in_both_schemes_on_phone_and_desktop(
    chromium: Browser, page: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    with browser.opened(page, width=width, scheme=scheme, browser=chromium) as shown:
        browser.wait_drawn(shown.page, scheme)
        assert shown.faults == []
        assert browser.serious_violations(shown.page) == []
        assert not browser.scrolls_sideways(shown.page)


def test_every_case_has_its_sentence_and_its_tables_or_why_it_has_none(chromium: Browser, page: str) -> None:
    with browser.opened(page, browser=chromium) as shown:
        text = shown.page.inner_text("body")
        assert "Conv2D 1x1 60 % of a profiled call, 25 % of multiply-adds" in text
        assert "No speed without agreement" in text
        assert "it tells no operator times" in text
        assert shown.page.locator("table").count() >= 4
