"""Every file that a sweep leaves beside its report: table, words, page and pictures."""

from __future__ import annotations

import re
from pathlib import Path

from bench.analysis.sweep_points import Swept
from bench.records import Environment
from bench.report import atomic
from bench.report.pages.html import render_page
from bench.report.picture import write_pictures
from bench.report.sweep_page import sweep_page
from bench.report.sweep_pictures import sweep_pictures
from bench.report.sweep_store import write_table
from bench.report.sweep_tables import render_markdown

_OWN = re.compile("sweep_(latency|throughput|memory|price_[0-9]+|accuracy_.*)")  # others are somebody's


def write_sweep(folder: Path, swept: Swept, environment: Environment) -> None:
    """Write or replace them; pictures of an earlier drawing go."""
    pictures = sweep_pictures(swept)
    for path in [*folder.glob("sweep_*.png"), *folder.glob("sweep_*.svg")]:
        if _OWN.fullmatch(path.stem):
            path.unlink()
    write_pictures(pictures, folder, "png")
    write_pictures(pictures, folder, "svg")
    write_table(folder, swept)
    text = render_markdown(swept, [(picture.title, f"{picture.name}.png") for picture in pictures])
    atomic.write_bytes(folder / "sweep.md", text.encode("utf-8", "backslashreplace"))
    page = render_page(sweep_page(swept, environment, pictures))
    atomic.write_bytes(folder / "sweep.html", page.encode("utf-8", "backslashreplace"))
