"""The page of a report in a real browser: hostile names, and two hundred thousand samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from bench.report.page_file import write_page
from bench.report.store import load_report
from report_fakes import absent, case_repetition, group_repetition, reference, row
from report_pictures_fakes import HOSTILE, many, stored

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


def test_hostile_names_of_models_runtimes_and_reasons_stay_text(tmp_path: Path, chromium: Browser) -> None:
    rows = [row(name, case_id=f"c{number}", model=HOSTILE[0], label=name) for number, name in enumerate(HOSTILE)]
    rows.append(absent(HOSTILE[1], model=HOSTILE[0], status_reason=HOSTILE[1], reproduce=HOSTILE[0]))
    repetition = group_repetition(cases=[case_repetition(f"c{number}") for number in range(len(HOSTILE))])
    write_page(stored(tmp_path, rows, [repetition]), tmp_path / "report.html")
    with browser.opened(tmp_path / "report.html", browser=chromium) as shown:
        shown.page.wait_for_timeout(500)
        assert shown.faults == []
        assert "alert(1)" in shown.page.inner_text("body")


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_many_samples_stay_a_page_that_everyone_can_use(
    tmp_path: Path, chromium: Browser, width: int, scheme: str
) -> None:
    write_page(stored(tmp_path, [reference(), row()], many(200_000)), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    light = scheme == "light"
    with browser.opened(
        tmp_path / "report.html", width=width, scheme="light" if light else "dark", browser=chromium
    ) as shown:
        shown.page.wait_for_timeout(500)
        assert shown.faults == []
        assert not browser.scrolls_sideways(shown.page)
        assert browser.serious_violations(shown.page) == []


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reports_of_every_schema_version_are_pages_without_fault(
    tmp_path: Path, chromium: Browser, version: int
) -> None:
    write_page(load_report(GOLDEN / f"v{version}"), tmp_path / "report.html")
    with browser.opened(tmp_path / "report.html", width=360, browser=chromium) as shown:
        shown.page.wait_for_timeout(500)
        assert shown.faults == []
        assert not browser.scrolls_sideways(shown.page)
