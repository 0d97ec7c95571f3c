"""Pages of a comparison. Golden texts: ``PYTHONPATH=tests python tests/check/test_render_compare.py`` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.check.compare_records import Comparison
from bench.check.render_compare import render_json, render_markdown, render_text
from compare_fakes import compared, env, ort, tf
from report_fakes import absent, row

GOLDEN = Path(__file__).parent / "golden"


def two() -> Comparison:
    """A case of every standing."""
    gone = row("litert")
    broken = row("mnn", status="ok")
    return compared(
        [tf(), ort(latency_ns_p95=9.9e6), row("openvino", agreement_reason=""), gone, broken, absent()],
        [
            tf(latency_ns_best=16.4e6),
            ort(latency_ns_best=9e6, latency_ns_p95=99e6, runtime_version="1.33.0", rss_peak_bytes=100 << 20),
            row("openvino", agreement="disagrees", agreement_reason="relative error 0.12 is above 0.001"),
            row("mnn", status="crashed", status_reason="the worker died of SIGSEGV\n\x1b[31mbad|`"),
            row("tvm:target=llvm,opt_level=3#with-a-long-label"),
            absent(),
        ],
        environments=[env(), env(started="2026-11-26T08:00:00+00:00", machine={"cpu": "Other CPU"})],
        budgets={"latency": 0.05},
    )


def five() -> Comparison:
    made = [[tf(latency_ns_best=16e6 + n * 1e5), ort(latency_ns_best=8e6 + n * 1e6)] for n in range(5)]
    made[2] = made[2][:1]
    made[3][1] = ort(agreement="vacuous", agreement_reason="")
    return compared(*made)


def one() -> Comparison:
    return compared([tf(), ort(), absent()])


PAGES: dict[str, Callable[[], str]] = {
    "two_80.txt": lambda: render_text(two(), width=80),
    "two_160.txt": lambda: render_text(two(), width=160),
    "two.md": lambda: render_markdown(two()),
    "five_80.txt": lambda: render_text(five(), width=80),
    "one_80.txt": lambda: render_text(one(), width=80),
    "two.json": lambda: render_json(two()),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_golden_one(name: str) -> None:
    assert PAGES[name]() == (GOLDEN / name).read_bytes().decode()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_asked(width: int) -> None:
    for comparison in (one(), two(), five()):
        assert max(map(len, render_text(comparison, width=width).splitlines())) <= width


def test_what_disagrees_is_told_first() -> None:
    page = render_text(two())
    assert page.index("DISAGREES") < page.index("B against A")


def test_every_case_of_every_report_is_on_the_page() -> None:
    for page in (render_text(two(), width=80), render_markdown(two())):
        for name in ("tensorflow", "onnxruntime-cpu", "openvino", "litert", "mnn", "onnxruntime-cuda", "tvm"):
            assert name in page


def test_foreign_text_obeys_no_terminal_and_breaks_no_table() -> None:
    assert "\x1b" not in render_text(two()) + render_markdown(two())
    assert "bad\\|\\`" in render_markdown(two())


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4, unique=True), st.integers(1, 200))
def test_any_names_can_be_shown_in_every_form(names: list[str], width: int) -> None:
    rows = [row(case_id=str(i), model=name, runtime_spec="", label="a") for i, name in enumerate(names)]
    comparison = compared(rows, rows[1:], rows)
    for page in (render_text(comparison, width=width), render_markdown(comparison)):
        assert page.count("gone") >= 1
    assert len(json.loads(render_json(comparison))["cases"]) == 2 * len(rows)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for file, page in PAGES.items():
        (GOLDEN / file).write_bytes(page().encode())
