"""Exact text: the golden files are read by people before they are committed."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench
from bench.report import render
from bench.report.columns import SCHEMA_VERSION
from bench.report.results_columns import RESULTS
from bench.rows import Row
from report_fakes import absent, environment, reference, row

GOLDEN = Path(__file__).parent / "golden"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def load_maker() -> ModuleType:
    """The script that writes the golden files."""
    spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = load_maker()
rows: list[Row] = maker.stored_rows()
texts: dict[str, str] = maker.stored_texts(rows) | maker.sweep_texts() | maker.exchanged_texts()
sweep: list[Row] = maker.sweep_rows()


@pytest.mark.parametrize("name", texts)
def test_the_text_is_the_golden_one(name: str) -> None:
    assert texts[name] == (GOLDEN / "texts" / name).read_bytes().decode()


def test_there_is_no_golden_text_that_nothing_makes() -> None:
    assert {path.name for path in (GOLDEN / "texts").iterdir()} == set(texts)


def test_the_golden_report_of_version_1_stays_loadable() -> None:
    report = bench.load_report(GOLDEN / "v1")
    assert report.environment.schema_version == 1
    assert report.results["runtime"].tolist() == [one.runtime for one in rows]
    assert report.results["ratio_to_reference"].tolist()[:5] == [1.0, 0.476, 0.62, 0.4, 0.45]
    assert report.results["status"].tolist()[5:7] == ["unavailable", "crashed"]
    assert len(report.samples) == 52
    assert report.agreement[["output", "verdict"]].to_numpy().tolist()[1:] == [
        ["probabilities", "agrees"],
        ["NA", "disagrees"],
    ]
    assert report.rounds["disturbed"].tolist() == [False, True, False, True]


def test_the_golden_report_of_version_3_has_the_worst_values_and_that_of_version_2_has_nulls_there() -> None:
    for version, worst in (("v2", []), ("v3", [0.125, 0.25])):
        agreement = bench.load_report(GOLDEN / version).agreement
        first = agreement[["worst_value", "worst_truth"]].iloc[1]
        assert [value for value in first.tolist() if value is not pd.NA] == worst


def test_the_golden_report_of_version_2_has_where_it_ran_and_its_memory() -> None:
    report = bench.load_report(GOLDEN / "v2")
    assert report.environment.schema_version == 2
    assert report.placement[["account", "provider", "nodes", "share"]].to_numpy().tolist() == [
        ["kernels", "WebGpuExecutionProvider", 9, 0.99],
        ["kernels", "CPUExecutionProvider", 1, 0.01],
    ]
    assert report.placement["reason"].tolist()[1] == "no webgpu kernel for Unique"
    assert report.soak["rss_bytes"].tolist() == [0, 1 << 20]


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_a_stored_report_prints_as_its_rows_would_today(version: str) -> None:
    report = bench.load_report(GOLDEN / version)
    assert render.render_markdown(report.rows(), report.environment) == texts["report.md"]
    assert render.render_text(report.rows(), report.environment, width=120) == texts["width_120.txt"]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_no_line_is_wider_than_the_terminal_but_the_commands_to_copy(width: int) -> None:
    shown = render.render_text(rows, environment(), width=width), render.render_text(sweep, environment(), width=width)
    lines = [line for text in shown for line in text.splitlines()]
    assert [line for line in lines if len(line) > width and "reproduce: " not in line] == []


def test_a_tiny_terminal_gets_the_least_width() -> None:
    assert render.render_text(rows, width=1) == render.render_text(rows, width=60)


def test_a_table_is_one_where_it_fits_and_two_where_not() -> None:
    few = [reference(), row()]
    assert render.render_text(few, width=120).count("runtime  ") == 1
    assert render.render_text(few, width=80).count("runtime  ") == 2


def test_no_column_is_lost_however_narrow_the_terminal() -> None:
    wide, narrow = (render.render_text(sweep, width=width) for width in (300, 60))
    head = next(line for line in wide.splitlines() if line.startswith("runtime"))
    columns = re.split("  +", head.strip())
    assert {"rank", "soak", "Pareto", "notes"} <= set(columns)
    heads = " ".join(line for line in narrow.splitlines() if line.startswith("runtime"))
    assert [name for name in columns if name not in heads] == []


def test_environments_of_their_own_are_told_of_the_runtimes_that_are_shown() -> None:
    where = maker.sweep_environment()
    line = "onnxruntime-cpu@1.18.1: onnxruntime==1.18.1, 9 packages, 179 MiB, made in 7.1 s, key ab12ab12ab12"
    assert line in render.render_text(sweep, where, width=160)
    assert "| onnxruntime-cpu@1.18.1 | onnxruntime==1.18.1 | 9 | 179 MiB | 7.1 s | ab12ab12ab12 |" in (
        render.render_markdown(sweep, where)
    )
    for shown in (render.render_text(rows, where), render.render_markdown(rows, where)):
        assert "nvironments" not in shown


def test_brackets_go_beneath_before_the_table_is_split() -> None:
    few = [reference(), row()]
    natural = max(map(len, render.render_text(few, width=200).splitlines()[3:6]))
    narrower = render.render_text(few, width=natural - 1)
    assert narrower.count("runtime  ") == 1
    assert "(1.9 to 2.1)" in [line.strip().split("  ")[0] for line in narrower.splitlines()]


def test_colour_changes_nothing_but_colour() -> None:
    plain, coloured = (render.render_text(rows, width=120, colour=colour) for colour in (False, True))
    stripped = "\n".join(line.rstrip() for line in ANSI.sub("", coloured).splitlines())
    assert stripped == "\n".join(line.rstrip() for line in plain.splitlines())
    assert "\x1b" not in plain
    assert re.search(r"\x1b\[31mdisagrees", coloured)
    assert re.search(r"\x1b\[32magrees", coloured)


def test_the_environment_of_the_process_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render.render_text(rows, width=100)
    for name, value in {"COLUMNS": "40", "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "LINES": "3"}.items():
        monkeypatch.setenv(name, value)
    assert render.render_text(rows, width=100) == before


def test_markup_and_control_characters_in_names_are_shown_as_they_are() -> None:
    shown = render.render_text([reference(), row("[red]x[/red]\x1b[2J\n")], width=200, colour=False)
    assert "[red]x[/red]\\x1b[2J\\n  " in shown
    assert "\x1b" not in shown


def test_wide_characters_keep_the_columns_straight() -> None:
    lines = render.render_text([reference(), row("実行環境")], width=200).splitlines()
    head = next(line for line in lines if line.startswith("runtime"))
    wide = next(line for line in lines if line.startswith("実行環境  "))
    assert wide.index("2.0") + 4 == head.index("speed")  # four characters take eight columns


def test_an_unfinished_run_says_so() -> None:
    unfinished = msgspec.structs.replace(environment(), finished=False)
    for render_one in (render.render_text, render.render_markdown):
        assert "not finished" in render_one(rows, unfinished)
        assert "bench run --resume" in render_one(rows, unfinished)
        assert "not finished" not in render_one(rows, environment())


def test_a_report_without_cases_says_so() -> None:
    assert render.render_text([]) == "No cases.\n"
    assert render.render_markdown([]) == "# Benchmark report\n\nNo cases.\n"


def test_a_vertical_bar_in_a_name_adds_no_cell() -> None:
    lines = [line for line in render.render_markdown(rows).splitlines() if line.startswith("| ")]
    cells = [len(re.split(r"(?<!\\)\|", line)) for line in lines]
    assert cells[:9] == [13] * 9


def test_agreement_alone_has_a_table_of_its_own() -> None:
    checked: dict[str, Any] = {"status": "ok", "status_reason": "", "relative_error": 6e-6, "tolerance": 1e-3}
    checked |= {"max_abs_error": 1.5e-7, "top1_agreement": 1.0, "agreement": "agrees"}
    wrong = checked | {"relative_error": 0.12, "agreement": "disagrees", "agreement_reason": "too far off"}
    shown = render.render_text([absent("tensorflow", **checked), absent("mine", **wrong)], width=100)
    assert shown == (
        "net, batch 1, 2 threads\n"
        "agrees: tensorflow; disagrees: mine.\n"
        "\n"
        "runtime     status  agreement       tolerance  max error  top-1\n"
        "tensorflow  ok      agrees 6.0e-6      1.0e-3     1.5e-7  100 %\n"
        "mine        ok      disagrees 0.12     1.0e-3     1.5e-7  100 %\n"
        "\n"
        "mine: disagrees: too far off\n"
        "  reproduce: bench run net -e mine -b 1 -x 2\n"
        "\n"
        "agreement: verdict and relative error, the distance from the truth in units of its spread over\n"
        "  inputs.\n"
    )


# --- JSON and CSV -----------------------------------------------------------------------------------------------------


def test_json_has_every_column_typed_and_null_for_nan() -> None:
    odd = row(relative_error=math.nan, max_abs_error=math.inf, label="NA")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    content = json.loads(render.render_json([odd]), parse_constant=refuse)
    assert content["schema_version"] == SCHEMA_VERSION
    (only,) = content["rows"]
    assert list(only) == [column.name for column in RESULTS]
    assert (only["relative_error"], only["max_abs_error"], only["label"]) == (None, None, "NA")
    assert (only["calls"], only["ratio_to_reference"]) == (150, 0.5)


def test_csv_quotes_text_and_leaves_numbers_bare() -> None:
    head, line = render.render_csv([row(label="007", model='a "b", c')]).splitlines()
    assert head.startswith("case_id,model,model_digest,")
    assert '"a ""b"", c"' in line
    assert '"007"' in line
    assert ",8000000.0,0.5," in line


NASTY = ["NA", "null", "007", "1e3", "None", "n/a", "", 'q"uote', "line\nbreak", "com,ma", "ünï"]


def test_csv_read_with_the_columns_types_gives_every_value_back() -> None:
    made = [row(case_id=str(i), model=name, label=name) for i, name in enumerate(NASTY)] + [absent()]
    types = {column.name: column.dtype for column in RESULTS}
    numbers: dict[Any, list[str]] = {name: [""] for name, dtype in types.items() if dtype != "string"}
    read = pd.read_csv(io.StringIO(render.render_csv(made)), dtype=types, keep_default_na=False, na_values=numbers)
    assert read["model"].tolist() == [*NASTY, "net"]
    assert read["label"].tolist() == [*NASTY, ""]
    assert read["latency_ns_best"].isna().tolist() == [False] * len(NASTY) + [True]
    assert read["calls"].tolist() == [150] * len(NASTY) + [0]


def test_csv_has_as_many_fields_in_every_line() -> None:
    lines = list(csv.reader(io.StringIO(render.render_csv(rows))))
    assert {len(line) for line in lines} == {len(RESULTS)}


# --- whatever comes ---------------------------------------------------------------------------------------------------

words = st.text(max_size=12)
ratios = st.none() | st.floats(1e-6, 1e6)
latencies = st.none() | st.floats(1, 1e12)


@st.composite
def any_row(draw: st.DrawFn) -> Row:
    return Row(
        case_id=draw(words),
        model=draw(st.sampled_from(["net", "a|b\n"])),
        runtime=draw(words),
        batch_size=1,
        threads=1,
        status=draw(st.sampled_from(["ok", "partial", "crashed", "unavailable"])),
        status_reason=draw(words),
        agreement=draw(st.sampled_from(["agrees", "disagrees", "vacuous", "unchecked"])),
        relative_error=draw(latencies),
        latency_ns_best=draw(latencies),
        ratio_to_reference=draw(ratios | st.just(1.0)),
        ratio_low=draw(ratios),
        ratio_high=draw(ratios),
        interval_level=draw(st.sampled_from([None, 0.75, 0.9375])),
        reference_runtime=draw(st.none() | words),
        cautions=draw(words),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(any_row(), max_size=5), st.integers(-5, 200))
def test_any_rows_can_be_rendered_in_every_form(made: list[Row], width: int) -> None:
    shown = render.render_text(made, width=width)
    assert "\x1b" not in shown
    shown.encode("utf-8")
    render.render_markdown(made).encode("utf-8")
    assert len(json.loads(render.render_json(made))["rows"]) == len(made)
    assert len(list(csv.reader(io.StringIO(render.render_csv(made), newline="")))) == len(made) + 1
