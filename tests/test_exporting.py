"""Every exporter on real models: files made, judged and timed by real workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.analysis.exporters import ExporterRow, exit_code_of, headline
from bench.exporting import compare_exports
from bench.measure import machine
from bench.progress import Silent
from bench.records import MeasureSettings, PrepareSettings, Suite
from bench.specs import parse_model

pytestmark = pytest.mark.slow
KINDS = Path(__file__).parent / "prepare" / "child" / "model_kinds.py"


def rows_of(model: str, opsets: tuple[int, ...], keep: Path | None = None) -> list[ExporterRow]:
    spec = parse_model(f"{KINDS}:{model}")
    suite = Suite(
        models=(spec,),
        runtimes=(),
        batch_sizes={spec.display: (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(repetitions=3, min_rounds=4),
    )
    return compare_exports(suite, opsets, keep, Silent())


def test_every_file_is_judged_and_timed_against_one_of_ours_and_kept(tmp_path: Path) -> None:
    rows = rows_of("functional", (13, 18), tmp_path)
    assert len(rows) == 6
    assert exit_code_of(rows) == 0
    assert headline(rows).startswith("All 6 files agree with the model")
    (reference,) = (row for row in rows if row.is_reference)
    assert (reference.is_ours, reference.opset, reference.ratio_to_reference) == (True, 18, 1.0)
    for row in rows:
        assert row.latency_ns_best is not None
        assert row.relative_error is not None
        assert Path(row.file).stat().st_size == row.size_bytes
        if row is not reference:
            assert row.ratio_low is not None
            assert row.ratio_to_reference is not None
            assert row.ratio_high is not None
            assert row.ratio_low <= row.ratio_to_reference <= row.ratio_high
    assert {path.name for path in tmp_path.iterdir()} == {Path(row.file).name for row in rows}


def test_a_wrong_file_is_called_wrong_in_its_row_and_in_its_name(tmp_path: Path) -> None:
    rows = rows_of("resizing", (18,), tmp_path)
    assert exit_code_of(rows) == 3
    assert [row.agreement for row in rows] == ["disagrees"] * 3
    assert all("'shrink'" in row.reason for row in rows)
    assert all(path.stem.endswith("-disagrees") for path in tmp_path.iterdir())


def test_a_model_that_no_exporter_can_do_is_no_error_but_three_reasons(tmp_path: Path) -> None:
    rows = rows_of("gelu", (18,), tmp_path)
    assert exit_code_of(rows) == 6
    assert all("Erfc" in row.reason for row in rows)
    assert not list(tmp_path.iterdir())


def test_files_that_do_not_fit_the_memory_together_are_judged_and_say_that_they_were_not_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "available_bytes", lambda: 1)
    ours, *others = rows_of("sequential", (18,))
    assert (ours.reason, ours.is_reference) == ("", True)
    for row in others:
        assert (row.agreement, row.latency_ns_best) == ("agrees", None)
        assert row.reason.startswith("not timed")


def test_one_exporter_that_fails_leaves_the_others_their_rows() -> None:
    by_exporter = {row.exporter: row for row in rows_of("grouped", (18,))}
    assert by_exporter["tf2onnx from_function"].agreement == "agrees"
    assert not by_exporter["tf2onnx SavedModel"].loads
    assert by_exporter["tf2onnx SavedModel"].reason
