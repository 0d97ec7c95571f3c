"""A text about many reports can be read; the exit code and the other formats are about every one of them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from bench.check.compare import compare
from bench.check.compare_bounds import MOST_REPORTS
from bench.check.compare_records import Comparison, Side
from bench.check.render_compare import render_csv, render_json, render_markdown, render_text
from bench.errors import EXIT_CANNOT_TELL, EXIT_DISAGREE, EXIT_OK, EXIT_OVER_BUDGET
from bench.rows import Row
from compare_fakes import env, ort, tf


def many(count: int, odd: dict[int, list[Row]] | None = None, **settings: Any) -> Comparison:
    """``count`` reports R1, R2 and so on of the same numbers, but for the odd ones."""
    rows = [(odd or {}).get(number, [tf(), ort()]) for number in range(1, count + 1)]
    sides = [
        Side(
            letter=f"R{number}",
            path=f"reports/{number}",
            environment=env(started=f"2026-11-25T{number:06}"),
            rows=tuple(made),
        )
        for number, made in enumerate(rows, 1)
    ]
    return compare(sides, **settings)


def shown(page: str) -> list[str]:
    return re.findall(r"^(R\d+) against R1", page, re.MULTILINE)


@pytest.mark.parametrize("count", [2, MOST_REPORTS + 1])
def test_a_few_reports_are_shown_whole(count: int) -> None:
    page = render_text(many(count))
    assert len(shown(page)) == count - 1
    assert "Not shown" not in page


def test_a_thousand_reports_are_a_text_that_can_be_read_and_says_what_is_not_in_it() -> None:
    page = render_text(many(1000))
    assert len(page.splitlines()) < 150
    assert shown(page) == [f"R{number}" for number in range(2, MOST_REPORTS + 2)]
    assert "Not shown: 989 of 999 reports, none of which ends worse than those above\n1978 cases: 1978 same.\n" in page
    assert "--format md, csv and json" in page
    assert page.splitlines()[-1] == "Exit code 0: compared."


def test_the_other_formats_have_every_report() -> None:
    comparison = many(30)
    assert len(re.findall(r"^## R\d", render_markdown(comparison), re.MULTILINE)) == 29
    assert len(json.loads(render_json(comparison))["runs"]) == 29
    assert {line["report"] for line in csv.DictReader(io.StringIO(render_csv(comparison)))} == {
        f"R{number}" for number in range(1, 31)
    }


def test_what_ends_worst_is_shown_wherever_it_stands() -> None:
    wrong = ort(agreement="disagrees", agreement_reason="relative error 0.12 is above 0.001")
    comparison = many(100, {60: [tf()], 99: [tf(), wrong]})
    page = render_text(comparison)
    assert shown(page) == [*(f"R{number}" for number in range(2, 10)), "R60", "R99"]
    assert "R99: net | onnxruntime-cpu" in page.partition("\nDISAGREES")[2].splitlines()[1]
    assert comparison.exit_code == EXIT_DISAGREE
    assert "Not shown: 89 of 99 reports" in page


def test_the_exit_code_is_of_every_report_and_those_that_are_not_shown_are_counted_by_standing() -> None:
    comparison = many(40, {number: [tf()] for number in range(20, 40)})
    page = render_text(comparison)
    assert comparison.exit_code == EXIT_CANNOT_TELL
    assert shown(page) == [f"R{number}" for number in range(20, 30)]
    assert "58 cases: 48 same, 10 gone." in page
    assert many(40).exit_code == EXIT_OK


def test_budgets_of_reports_that_are_not_shown_are_counted() -> None:
    slow = {number: [tf(), ort(latency_ns_best=9e6)] for number in range(2, 32)}
    comparison = many(40, slow, budgets={"latency": 0.05})
    page = render_text(comparison)
    assert comparison.exit_code == EXIT_OVER_BUDGET
    assert page.count("over: R") == MOST_REPORTS
    assert "--fail-on: 20 over, 38 within." in page
