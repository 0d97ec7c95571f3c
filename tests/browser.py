"""A page opened in a real browser (Debian's chromium), with everything that it complained of or asked for kept.

    with browser.opened(html, width=360, scheme="dark") as shown:
        shown.page.get_by_role("button", name="p50").click()
        assert shown.faults == []

Several pages of one module share a browser through ``started``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Request

_NAMES = ("chromium", "google-chrome", "chromium-browser")  # in the order of trust: the last is often a stub
_GRAVE = {"serious", "critical"}
_TIMEOUT_MS = 20_000


@dataclass(frozen=True)
class Shown:
    """An open page and what it did besides being shown, in order."""

    page: Page
    complaints: list[str] = field(default_factory=list)  # console errors and warnings, uncaught exceptions
    requests: list[str] = field(default_factory=list)  # addresses of all but the file itself and data:
    dialogs: list[str] = field(default_factory=list)  # alert() and the like: scripts that a name smuggled in

    @property
    def faults(self) -> list[str]:
        """All of them; [] of a page that is well."""
        asked = [f"requested {address}" for address in self.requests]
        return [*self.complaints, *asked, *(f"dialog {text}" for text in self.dialogs)]


@contextlib.contextmanager
def started() -> Iterator[Browser]:
    """The browser; the test is skipped where there is none, and fails if one is expected (BENCH_EXPECT_BROWSER=1)."""
    from playwright.sync_api import sync_playwright

    path = next((found for found in map(shutil.which, _NAMES) if found), None)
    if path is None:
        reason = f"no browser here: none of {', '.join(_NAMES)} is on PATH (Debian: apt-get install chromium)"
        if os.environ.get("BENCH_EXPECT_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(
    page: str | Path,
    *,
    width: int = 1280,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    calm: bool = False,
    script: bool = True,
    browser: Browser | None = None,
) -> Iterator[Shown]:
    """``page``, HTML itself or the path of a file, loaded; ``calm``: its reader wants reduced motion."""
    with contextlib.ExitStack() as stack:
        used = browser or stack.enter_context(started())
        context = used.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce" if calm else "no-preference",
            java_script_enabled=script,
        )
        stack.callback(context.close)
        context.set_default_timeout(_TIMEOUT_MS)
        address = _file(page, stack).resolve().as_uri()
        shown = _listening(context.new_page(), address)
        shown.page.goto(address)
        yield shown


def serious_violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it is shown now, serious or critical: rule, then the elements."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: " + "; ".join(str(node["html"])[:200] for node in one["nodes"])
        for one in found
        if one["impact"] in _GRAVE
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page itself, not a region in it, is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def wait_drawn(page: Page, scheme: str = "light") -> None:
    """Until every chart that is to be seen is drawn in that scheme: of the pages of ``bench.report.pages``."""
    seen = "[...document.querySelectorAll('.chart')].filter(chart => chart.checkVisibility())"
    page.wait_for_function(f"() => {seen}.every(chart => chart.dataset.drawn === '{scheme}')")


def background(page: Page) -> str:
    """The colour behind the page, ``#rrggbb``."""
    parts = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    return "#" + "".join(f"{part:02x}" for part in parts)


def _listening(page: Page, address: str) -> Shown:
    shown = Shown(page)

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            shown.complaints.append(message.text)

    def failed(error: Error) -> None:
        shown.complaints.append(str(error))

    def requested(request: Request) -> None:
        if request.url.partition("#")[0] != address and not request.url.startswith("data:"):
            shown.requests.append(request.url)

    def asked(dialog: Dialog) -> None:
        shown.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("console", said)
    page.on("pageerror", failed)
    page.on("request", requested)
    page.on("dialog", asked)
    return shown


def _file(page: str | Path, stack: contextlib.ExitStack) -> Path:
    if isinstance(page, Path):
        return page
    path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "page.html"
    path.write_text(page, encoding="utf-8")
    return path
