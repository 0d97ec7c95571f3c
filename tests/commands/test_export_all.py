"""What ``bench export --all-exporters`` takes, refuses and prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import exporting
from bench.analysis.exporters import ExporterRow
from bench.commands.export_all import compare_exporters, exporters_text, json_text, parse_opsets
from bench.errors import UsageError
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Suite
from command_fakes import Heard
from small_onnx import relu_and_sum

GOOD = ExporterRow(
    exporter="tf2onnx from_function",
    opset=18,
    is_ours=True,
    loads=True,
    agreement="agrees",
    size_bytes=4185,
    nodes=12,
    operators=("Conv", "Relu"),
    paired="by name",
    relative_error=1.1e-6,
    latency_ns_best=8400.0,
    ratio_to_reference=1.0,
    is_reference=True,
)
GUESSED = ExporterRow(
    exporter="Keras export",
    opset=13,
    is_ours=False,
    loads=True,
    agreement="disagrees",
    reason="output 'q': wrong",
    paired="by position",
    ratio_to_reference=1.25,
    ratio_low=1.2,
    ratio_high=1.3,
    interval_level=0.9375,
)


def compare(model: str = "article_cnn", **asked: Any) -> int:
    given: dict[str, Any] = {"opsets": None, "out": None, "as_json": False, "platform": "linux"} | asked
    return compare_exporters(Flags(model=(model,)), console=Heard().console, progress=Silent(), **given)


def test_opsets_are_a_list_within_what_tf2onnx_writes() -> None:
    assert parse_opsets(None) == (13, 15, 18)
    assert parse_opsets("18, 13,18") == (18, 13)
    assert parse_opsets(None, single=15) == (15,)
    for text in ("19", "13,", "x", "-13"):
        with pytest.raises(UsageError, match=r"--opsets .*: expected numbers of 7 to 18"):
            parse_opsets(text)
    with pytest.raises(UsageError, match="contradict each other"):
        parse_opsets("13", single=18)


def test_an_onnx_file_has_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is ONNX already"):
        compare(relu_and_sum(tmp_path).path)


def test_the_files_go_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "model.onnx"):
        with pytest.raises(UsageError, match="the folder of all files"):
            compare(out=out)


def test_it_measures_so_it_needs_linux() -> None:
    with pytest.raises(UsageError, match="on Linux only"):
        compare(platform="darwin")


def test_the_exit_code_and_the_text_are_those_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Suite, tuple[int, ...]]] = []

    def fake(suite: Suite, opsets: tuple[int, ...], keep: Path | None, progress: Any) -> list[ExporterRow]:
        asked.append((suite, opsets))
        return [GOOD, GUESSED]

    monkeypatch.setattr(exporting, "compare_exports", fake)
    heard = Heard()
    flags = Flags(model=("article_cnn",), threads=1)
    code = compare_exporters(flags, opsets="13", out=None, as_json=False, console=heard.console, progress=Silent())
    assert code == 3
    assert asked[0][1] == (13,)
    assert asked[0][0].threads == 1
    assert heard.text == exporters_text([GOOD, GUESSED])


def test_the_table_has_a_sentence_first_and_a_line_for_what_is_not_as_it_should_be() -> None:
    first, header, good, guessed, why, pairing, legend = exporters_text([GOOD, GUESSED]).splitlines()
    assert first.startswith("1 of 2 files agrees with the model; Keras export (opset 13) computes something else")
    assert header.split()[:3] == ["exporter", "opset", "size"]
    assert good.split()[-1] == "reference"
    assert good.split()[3:7] == ["4.09", "KiB", "12", "2"]
    assert guessed.endswith("1.25 (1.20 to 1.30)")
    assert why == "Keras export (opset 13): output 'q': wrong"
    assert pairing.endswith("paired by position")
    assert "93.75 % interval" in legend


def test_json_holds_every_row_and_the_verdict() -> None:
    value = json.loads(json_text("net", [GOOD, GUESSED]))
    assert (value["model"], value["exit_code"], len(value["files"])) == ("net", 3, 2)
    assert value["files"][0]["operators"] == ["Conv", "Relu"]
    assert value["files"][0]["ratio_low"] is None
