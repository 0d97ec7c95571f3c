"""What is kept to judge outputs again: files of arrays by their digest, and a record that says what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attributing_fakes import TRUTH, prepared
from bench.analysis.budget import Budget
from bench.errors import UsageError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.records import ArrayFile, OutputCheck, Tolerance
from bench.report.kept_outputs import OutputsKeeper, read_kept
from report_fakes import ADA, check, row

CASE = "net | onnxruntime-cpu"


class Kept:
    """A keeper with a model, whose outputs are judged by errors that a test says."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        self.out, self.folder = tmp_path / "out", tmp_path
        self.notes: list[str] = []
        self.model = prepared(tmp_path)
        self.error = 0.0
        self.keeper = OutputsKeeper(self.out, self.notes.append, **settings)
        self.check = self.keeper.watched(self._judge, self.model, {})

    def _judge(self, case_id: str, file: ArrayFile) -> list[OutputCheck]:
        return [check("probabilities", self.error)]

    def judge(self, value: float, error: float, case_id: str = CASE) -> None:
        self.error = error
        file = save_arrays(self.folder / "worker.npz", {"probabilities": np.full((8, 10), value)})
        assert self.check(case_id, file)[0].relative_error == error

    def save(self, **changes: Any) -> None:
        self.keeper.save([row(**changes)], Tolerance(rtol={"": 0.5}), ADA)

    def value(self) -> float:
        (case,) = read_kept(self.out).cases
        assert case.file is not None
        return float(load_arrays(self.out / case.file.path)["probabilities"][0, 0])


def test_of_each_case_the_outputs_of_its_worst_check_are_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for value, error in ((1.0, 1e-5), (2.0, 1e-4), (3.0, 1e-6)):
        kept.judge(value, error)
        kept.save()
    assert kept.value() == 2.0
    assert len(list((kept.out / "outputs").iterdir())) == 2  # those, and the truth


def test_what_they_are_judged_by_is_beside_them_without_a_path_of_this_machine(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.judge(1.0, 1e-5)
    kept.save(status_reason="died in /home/ada/x", agreement="disagrees", status="crashed")
    found = read_kept(kept.out)
    model = found.models["net"]
    assert (model.truth, model.yardstick, model.distinct_inputs) == ("float64", {"probabilities": 1e-4}, 8)
    assert np.array_equal(load_arrays(kept.out / model.truth_file.path)["probabilities"], TRUTH)
    (case,) = found.cases
    assert (case.status, case.verdict, case.status_reason) == ("crashed", "disagrees", "died in ~/x")
    assert found.tolerance == Tolerance(rtol={"": 0.5})
    assert "/" not in (kept.out / "outputs.json").read_text().replace("outputs/", "").replace("~/x", "")


def test_a_budget_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    budget = Budget(precision="int8", conversion={"probabilities": 0.25, "mask": None})
    kept.keeper.watched(kept.check, kept.model, {CASE: budget})
    kept.save()
    assert read_kept(kept.out).cases[0].budget == budget
    assert read_kept(kept.out).cases[0].file is None


def test_a_resumed_run_goes_on_with_what_is_there(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.judge(2.0, 1e-4)
    kept.save()
    again = Kept(tmp_path)
    again.keeper.resume()
    again.judge(3.0, 1e-5)
    again.save()
    assert again.value() == 2.0
    fresh = OutputsKeeper(tmp_path / "nowhere", print)
    fresh.resume()


def test_a_killed_run_leaves_a_record_that_fits_its_files(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.judge(1.0, 1e-5)
    kept.save()
    kept.judge(2.0, 1e-4)  # killed before it is saved
    assert kept.value() == 1.0


def test_more_than_the_bound_is_not_kept_and_said_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path, most_bytes=2048)
    for case_id in ("a", "b", "c"):
        kept.judge(ord(case_id), 1e-4, case_id)
    kept.save()
    assert kept.notes == ["outputs are not kept, so they can't be judged again with --from: they take more than 2 KiB"]
    found = read_kept(kept.out)
    assert (found.models, found.reason) == ({}, "they take more than 2 KiB")
    assert list((kept.out / "outputs").glob("*")) == []
    assert found.cases[0].file is None


@pytest.mark.parametrize("content", ["", "[]", '{"schema_version": 1}', '{"schema_version": "x"}'])
def test_a_damaged_record_is_one_clear_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "outputs.json").write_text(content)
    with pytest.raises(UsageError, match=r"outputs\.json is damaged") as caught:
        read_kept(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_without_outputs_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no outputs\.json in it"):
        read_kept(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        read_kept(tmp_path / "gone")
    (tmp_path / "outputs.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(UsageError, match="Install a newer"):
        read_kept(tmp_path)
