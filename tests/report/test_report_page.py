"""The page of a report: verdict first, every doubt with what to do, numbers that sort as numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from bench.report.pages.page import Page, Part, Table
from bench.report.report_page import report_page
from bench.report.store import load_report
from report_fakes import absent, group_repetition, reference, row
from report_pictures_fakes import HOSTILE, stored

GOLDEN = Path(__file__).parent / "golden"


def part(page: Page, name: str) -> Part:
    return next(one for one in page.parts if one.name == name)


def table(page: Page, name: str) -> Table:
    return next(one for part in page.parts for one in part.tables if one.name == name)


def column(of: Table, name: str) -> list[object]:
    place = of.header.index(name)
    return [line[place].key for line in of.rows]


def test_the_verdict_with_its_interval_comes_first(tmp_path: Path) -> None:
    page = report_page(stored(tmp_path))
    assert page.verdict == (
        "onnxruntime-cpu is the fastest verified runtime: 2.0x faster than tensorflow (1.9 to 2.1).",
    )
    assert page.title == "Benchmark report: net"


def test_where_nothing_was_verified_no_runtime_is_named_the_fastest(tmp_path: Path) -> None:
    rows = [reference(agreement="unchecked"), row(agreement="disagrees")]
    (said,) = report_page(stored(tmp_path, rows)).verdict
    assert said == "No runtime can win: none that ran was verified."


def test_each_group_has_its_verdict_part_and_table(tmp_path: Path) -> None:
    rows = [reference(), row(), reference(case_id="8 tf", batch_size=8), row(case_id="8 ort", batch_size=8)]
    page = report_page(stored(tmp_path, rows, []))
    assert [said.partition(": ")[0] for said in page.verdict] == ["net, batch 1, 2 threads", "net, batch 8, 2 threads"]
    assert [one.name for one in page.parts if one.name.startswith("group")] == ["group_1", "group_2"]
    assert part(page, "batches").pictures[0].name == "throughput_1"


def test_an_unfinished_run_says_so_first_and_a_finished_one_does_not(tmp_path: Path) -> None:
    assert report_page(stored(tmp_path / "a", finished=False)).verdict[0].startswith("This run is not finished")
    assert ("run", "not finished") in report_page(stored(tmp_path / "a", finished=False)).facts
    assert not any("not finished" in said for said in report_page(stored(tmp_path / "b")).verdict)


def test_numbers_sort_as_numbers_and_unknown_is_none_of_them(tmp_path: Path) -> None:
    page = report_page(stored(tmp_path, [reference(), row(), absent()]))
    of = table(page, "table_1")
    assert column(of, "best")[:2] == [16e6, 8e6]
    assert math.isnan(float(str(column(of, "best")[2])))
    assert column(of, "memory")[:2] == [240 << 20, 61 << 20]
    assert column(of, "speed")[:2] == [1.0, 0.5]


def test_a_failed_row_has_its_reason_what_to_do_and_the_command(tmp_path: Path) -> None:
    (found,) = part(report_page(stored(tmp_path, [reference(), absent()])), "group_1").cautions
    assert found.about == "onnxruntime-cuda"
    assert "this build has CPUExecutionProvider" in found.text
    assert "bench runtimes" in found.advice
    assert found.command == "bench run net -e onnxruntime-cuda -b 1 -x 2"


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("call path", {"cautions": "call path: predict is called, the reference's function is; not ranked with it"}),
        ("placement unknown", {"cautions": "placement unknown: no proof of where it ran"}),
        ("skipped", {"status": "skipped", "status_reason": "not measured: the run ended before its turn"}),
        ("unchecked", {"agreement": "unchecked", "agreement_reason": "no truth"}),
        ("not timed", {"latency_ns_best": None}),
    ],
)
def test_whatever_keeps_a_row_out_is_said_once_with_what_to_do(
    reason: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    (found,) = part(report_page(stored(tmp_path, [reference(), row(**changes)])), "group_1").cautions
    assert found.text.removeprefix("cannot win, ").startswith(reason)
    assert found.advice


def test_a_caution_that_keeps_no_row_out_stays_beside_the_reason_that_does(tmp_path: Path) -> None:
    doubt = "contended: other processes were busy in 9 of 50 rounds"
    rows = [reference(), row(agreement="unchecked", cautions=doubt)]
    found = part(report_page(stored(tmp_path, rows)), "group_1").cautions
    assert [one.text for one in found] == ["cannot win, unchecked: within 6.0e-6 of the truth", doubt]


def test_a_doubt_that_rows_share_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    doubt = "contended: other processes were busy in 9 of 50 rounds"
    page = report_page(stored(tmp_path, [reference(cautions=doubt), row(cautions=doubt)]))
    (found,) = part(page, "group_1").cautions
    assert (found.about, found.text) == ("tensorflow, onnxruntime-cpu", doubt)
    assert "Stop other work" in found.advice


def test_what_the_numbers_depend_on_is_there(tmp_path: Path) -> None:
    rows = [reference(model_digest="m" * 64, input_digest="i" * 64, artifact_digest="a" * 64, runtime_version="2.21.0")]
    page = report_page(stored(tmp_path, rows))
    cells = {cell.text for one in page.parts for of in one.tables for line in of.rows for cell in line}
    assert {"m" * 64, "i" * 64, "a" * 64, "2.21.0", "Invented CPU", "numpy", "2.4.6", "1.5 s", "4 s"} <= cells
    assert any(text.startswith("bench run net.py:build:width=2") for text in cells)
    assert all(one.folded for one in page.parts if one.name in ("legend", "versions", "digests", "run"))


def test_no_private_name_is_on_the_page(tmp_path: Path) -> None:
    page = repr(report_page(stored(tmp_path)))
    assert "/home/ada" not in page
    assert "/srv/ada" not in page


def test_a_report_without_timing_tells_of_agreement(tmp_path: Path) -> None:
    timed = ("latency_ns_best", "latency_ns_p50", "latency_ns_p90", "ratio_to_reference", "ratio_low", "ratio_high")
    untimed = dict.fromkeys((*timed, "throughput_items_per_s"))
    page = report_page(stored(tmp_path, [row(**untimed)], [group_repetition()]))
    assert page.verdict == ("agrees: onnxruntime-cpu.",)
    assert "agreement" in table(page, "table_1").header


def test_a_report_without_cases_is_a_page(tmp_path: Path) -> None:
    page = report_page(stored(tmp_path, [], []))
    assert page.verdict == ("No cases.",)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_schema_version_has_a_page_with_unique_names(version: int) -> None:
    page = report_page(load_report(GOLDEN / f"v{version}"))
    anchors = [one.name for one in page.parts]
    anchors += [one.name for part in page.parts for one in part.pictures]
    anchors += [one.name for part in page.parts for one in part.tables]
    assert len(set(anchors)) == len(anchors)
    for one in page.parts:
        for of in one.tables:
            assert all(len(line) == len(of.header) for line in of.rows)


def test_hostile_names_are_a_page(tmp_path: Path) -> None:
    rows = [row(name, case_id=f"c{number}", model=name) for number, name in enumerate(HOSTILE)]
    page = report_page(stored(tmp_path, rows, []))
    assert len(page.verdict) == len(HOSTILE)


def test_agreement_sorts_by_the_error_that_its_cell_shows(tmp_path: Path) -> None:
    rows = [row(relative_error=1e-3), row("b", precision="int8", precision_error=0.05, relative_error=1e-6)]
    of = table(report_page(stored(tmp_path, rows)), "table_1")
    assert column(of, "agreement") == [1e-3, 0.05]
