"""Files of outputs, as a worker writes them, against a truth on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis_fakes import prepared
from bench.analysis.checker import make_checker, split_passes, worst_of_passes
from bench.analysis.distance import Array
from bench.errors import BenchError
from bench.prepare.arrays import save_arrays
from bench.records import ArrayFile, OutputCheck, Prepared, Tolerance

TRUTH = np.random.default_rng(0).normal(size=(8, 2))
RIGHT = TRUTH.astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Prepared:
    pool = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
    return prepared(
        pool=save_arrays(tmp_path / "pool.npz", {"x": pool}),
        truth_file=save_arrays(tmp_path / "truth.npz", {"y": TRUTH}),
    )


def judged(model: Prepared, folder: Path, outputs: Array, tolerance: Tolerance | None = None) -> OutputCheck:
    file = save_arrays(folder / "outputs.npz", {"y": outputs})
    (check,) = make_checker(model, tolerance or Tolerance())("m | onnxruntime-cpu", file)
    return check


def test_the_right_outputs_agree_and_others_do_not(model: Prepared, tmp_path: Path) -> None:
    assert judged(model, tmp_path, RIGHT).verdict == "agrees"
    assert judged(model, tmp_path, RIGHT[::-1]).verdict == "disagrees"


@pytest.mark.parametrize("wrong_pass", [0, 1, 2])
def test_one_wrong_pass_of_three_decides_and_names_no_moment(model: Prepared, tmp_path: Path, wrong_pass: int) -> None:
    passes = [RIGHT.copy() for _ in range(3)]
    passes[wrong_pass][3, 1] += 1
    check = judged(model, tmp_path, np.concatenate(passes))
    assert (check.verdict, check.worst_index) == ("disagrees", (3, 1))
    assert "timed calls" not in check.reason
    assert "otherwise" not in check.reason


def test_of_passes_that_all_agree_the_furthest_off_is_told(model: Prepared, tmp_path: Path) -> None:
    off = RIGHT.copy()
    off[5, 0] += np.float32(2e-5)
    check = judged(model, tmp_path, np.concatenate([RIGHT, off, RIGHT]))
    assert (check.verdict, check.worst_index) == ("agrees", (5, 0))
    assert check.max_abs_error == pytest.approx(2e-5, rel=1e-2)


@pytest.mark.parametrize("rows", [7, 10])
def test_passes_that_are_not_whole_disagree(model: Prepared, tmp_path: Path, rows: int) -> None:
    check = judged(model, tmp_path, np.concatenate([RIGHT, RIGHT])[:rows])
    assert (check.verdict, "shape" in check.reason) == ("disagrees", True)


def test_the_tolerance_and_the_types_of_the_model_are_held_against_the_outputs(model: Prepared, tmp_path: Path) -> None:
    off = RIGHT + np.float32(0.01)
    assert judged(model, tmp_path, off).verdict == "disagrees"
    assert judged(model, tmp_path, off, Tolerance(atol={"": 0.02})).verdict == "agrees"
    assert judged(model, tmp_path, RIGHT.astype(np.float16)).reason == "dtype float16, the model gives float32"


def test_inputs_that_are_all_alike_agree_with_nothing(tmp_path: Path, model: Prepared) -> None:
    alike = save_arrays(tmp_path / "alike.npz", {"x": np.ones((8, 4), np.float32)})
    same = prepared(pool=alike, truth_file=model.truth_file)
    assert judged(same, tmp_path, RIGHT).verdict == "vacuous"


def test_outputs_that_are_not_those_that_were_written_are_refused(model: Prepared, tmp_path: Path) -> None:
    file = save_arrays(tmp_path / "outputs.npz", {"y": RIGHT})
    other = ArrayFile(path=file.path, digest="0" * 64, items=8)
    with pytest.raises(BenchError, match="digest"):
        make_checker(model, Tolerance())("c", other)


def test_passes_are_split_in_order_and_folded_by_output() -> None:
    halves = split_passes({"y": np.arange(4)}, 4, 2)
    assert [one["y"].tolist() for one in halves] == [[0, 1], [2, 3]]
    good, bad = (OutputCheck(output="y", verdict=v, reason="r") for v in ("agrees", "disagrees"))
    other = OutputCheck(output="z", verdict="agrees", reason="r")
    assert worst_of_passes([[good, other], [bad]]) == [bad, other]
    assert worst_of_passes([]) == []
