from __future__ import annotations

from typing import Literal

import pytest

import browser
from bench.report.pages.html import render_page
from bench.report.sweep_page import sweep_page
from bench.report.sweep_pictures import sweep_pictures
from report_fakes import environment
from sweep_fakes import swept

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_the_page_of_a_sweep_is_well(width: int, scheme: Literal["light", "dark"]) -> None:
    made = swept()
    html = render_page(sweep_page(made, environment(), sweep_pictures(made)))
    with browser.opened(html, width=width, scheme=scheme) as shown:
        browser.wait_drawn(shown.page, scheme)
        assert shown.faults == []
        assert browser.serious_violations(shown.page) == []
        assert not browser.scrolls_sideways(shown.page)
