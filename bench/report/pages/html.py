"""A page as one file of HTML that asks the network for nothing."""

from __future__ import annotations

from bench.report.pages.page import Page


def render_page(page: Page) -> str:
    """The whole document."""
    raise NotImplementedError(page.title)
