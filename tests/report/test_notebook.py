"""How a stored report shows itself in a notebook, and its tidy tables."""

from __future__ import annotations

import base64
import importlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import msgspec
import pytest

import bench
import browser
from bench.report.results_columns import RESULTS
from report_fakes import absent, reference, row
from report_pictures_fakes import HOSTILE, many, stored

CASE = ["case_id", "model", "runtime", "batch_size", "threads", "streams", "precision", "status", "agreement"]


class Tags(HTMLParser):
    """Every tag of a fragment, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_verdict_the_table_and_every_caution_are_shown(tmp_path: Path) -> None:
    slow = row("onnxruntime-cpu", 0.5, cautions="contended: other processes were busy")
    wrong = row("openvino", 0.4, agreement="disagrees", agreement_reason="relative error 0.12")
    shown = Tags(stored(tmp_path, [reference(), slow, wrong, absent()])._repr_html_())
    assert "onnxruntime-cpu is the fastest verified runtime: 2.0x faster than tensorflow (1.9 to 2.1)." in shown.text
    assert "contended: other processes were busy" in shown.text
    assert "openvino: cannot win, disagrees: relative error 0.12" in shown.text
    assert "✗ disagrees" in shown.text
    assert "script" not in shown.tags
    assert shown.tags.count("img") == 1


def test_where_nothing_is_verified_none_is_the_fastest(tmp_path: Path) -> None:
    shown = Tags(stored(tmp_path, [reference(agreement="vacuous"), row(agreement="unchecked")])._repr_html_())
    assert "fastest" not in shown.text
    assert "No runtime can win: none that ran was verified." in shown.text


def test_a_run_that_is_not_finished_says_so(tmp_path: Path) -> None:
    report = stored(tmp_path, finished=False)
    assert "This run is not finished." in report._repr_html_()
    assert repr(report) == f"<Report {tmp_path}: 2 cases of net, not finished>"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str, tmp_path: Path) -> None:
    report = stored(tmp_path, [reference(model=name), row(name, model=name, cautions=f"odd: {name}")])
    html = report._repr_html_()
    shown = Tags(html)
    allowed = {"div", "h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "figure"}
    assert set(shown.tags) <= allowed | {"img", "figcaption", "details", "summary"}
    assert not set(html) & {"\u202e", "\x00", "\n"}
    assert "\n" not in repr(report)
    assert not any("<script" in svg for svg in drawings(html))


def test_a_picture_shows_its_drawing_what_is_in_it_and_its_numbers(tmp_path: Path) -> None:
    found = stored(tmp_path, repetitions=many(1000)).pictures()
    assert {"speed_1", "latency_distribution_1", "samples_over_time_1"} <= set(found)
    shown = Tags(found["speed_1"]._repr_html_())
    assert "left of 1 is faster" in shown.text
    assert shown.text.count("onnxruntime-cpu") == 1  # in the numbers
    (svg,) = drawings(found["speed_1"]._repr_html_())
    assert Xml.fromstring(svg).tag.endswith("svg")
    assert repr(found["speed_1"]) == "<Picture speed_1: Speed against tensorflow>"


def drawings(html: str) -> list[str]:
    return [base64.b64decode(data).decode() for data in re.findall(r"data:image/svg\+xml;base64,([^\"]*)", html)]


def test_timed_calls_come_with_their_case_and_only_those_that_count(tmp_path: Path) -> None:
    report = stored(tmp_path, repetitions=many(1000))
    timed = report.timed
    assert list(timed.columns[: len(CASE)]) == CASE
    assert len(timed) == (report.samples["kind"] == "timed").sum() == 1000
    assert timed.groupby("runtime")["latency_ns"].size().to_dict() == {"onnxruntime-cpu": 500, "tensorflow": 500}
    assert timed["latency_ns"].dtype == "Int64"
    assert timed["runtime"].dtype == "string"


def test_calls_of_a_process_that_did_not_end_do_not_count(tmp_path: Path) -> None:
    first, *others = many(1000)
    cut = [msgspec.structs.replace(case, complete=False) for case in first.cases]
    report = stored(tmp_path, repetitions=[msgspec.structs.replace(first, cases=cut), *others])
    assert len(report.timed) == 800


def test_the_tidy_table_has_a_row_for_every_known_number(tmp_path: Path) -> None:
    report = stored(tmp_path, [reference(), row(), absent()])
    tidy = report.tidy()
    assert list(tidy.columns) == [*CASE, "quantity", "value", "unit", "better"]
    picked = tidy[(tidy["quantity"] == "latency_ns_best") & (tidy["runtime"] == "tensorflow")]
    assert picked[["value", "unit", "better"]].to_numpy().tolist() == [[16_000_000.0, "ns", "lower"]]
    numbers = [one.name for one in RESULTS if one.dtype in ("Int64", "Float64") and one.name not in CASE]
    assert len(tidy) == report.results[numbers].notna().sum().sum()
    assert "latency_ns_best" not in set(tidy.loc[tidy["status"] == "unavailable", "quantity"])
    assert {str(dtype) for dtype in tidy.dtypes} == {"string", "Int64", "Float64"}


def test_tables_of_a_report_without_rows_are_empty(tmp_path: Path) -> None:
    report = stored(tmp_path, [], [])
    assert len(report.timed) == len(report.tidy()) == 0
    assert Tags(report._repr_html_()).text == "No cases."
    assert report.pictures() == {}


AROUND = ("{}", '<div style="display:flex"><div style="flex:1">{}</div></div>', "<table><tr><td>{}</td></tr></table>")


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
def test_on_a_phone_only_the_table_scrolls_sideways_and_a_keyboard_reaches_it(around: str, tmp_path: Path) -> None:
    long = "x" * 120
    rows = [reference(model=long), row(f"openvino:{long}", model=long, cautions=f"odd: {long}")]
    shown = stored(tmp_path, rows)._repr_html_()
    page = "<!DOCTYPE html><html lang=en><title>n</title><body><main><h3>n</h3>{}</main></body>"
    with browser.opened(page.format(around.format(shown)), width=360) as opened:
        assert not browser.scrolls_sideways(opened.page)
        assert browser.serious_violations(opened.page) == []
        opened.page.keyboard.press("Tab")
        region = opened.page.locator("[role=region]:focus")
        assert region.get_attribute("aria-label", timeout=1000)
        assert region.evaluate("region => region.scrollWidth > region.clientWidth")


@pytest.mark.slow
def test_a_real_notebook_holds_the_verdict_and_a_picture(tmp_path: Path) -> None:
    nbformat: Any = importlib.import_module("nbformat")
    from nbclient import NotebookClient

    stored(tmp_path / "report")
    cells = [
        f"import bench\nreport = bench.load_report({str(tmp_path / 'report')!r})\nreport",
        "report.pictures()['speed_1']",
        "report.pictures()",
    ]
    code: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    notebook = nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [code | {"source": source} for source in cells]}
    )
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    shown, picture, plain = (cell["outputs"][0]["data"] for cell in notebook.cells)
    assert "is the fastest verified runtime" in shown["text/html"]
    assert shown["text/plain"].endswith("2 cases of net>")
    assert "<img " in picture["text/html"]
    assert "<Picture speed_1: Speed against tensorflow>" in plain["text/plain"]
    assert bench.load_report(tmp_path / "report").rows()
