from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from attributing_fakes import NET, TRUTH, cases_of, prepared, references, suite
from bench import explaining
from bench.errors import BenchError
from bench.explaining import all_apart, cautions_of, find_causes, stand_ins
from bench.prepare.arrays import save_arrays
from bench.prepare.launch import PrepareBug
from bench.progress import Silent
from bench.records import Caution, Finding
from fakes import artifact
from report_fakes import check


def test_runtimes_are_apart_by_their_furthest_output_at_one_batch_size(tmp_path: Path) -> None:
    spread = float(np.sqrt(np.mean(np.square(TRUTH.std(axis=0)))))
    cases = [*cases_of("tensorflow", "cpu", "openvino"), *cases_of("cpu", batch=4)]
    truth = {"a": TRUTH, "b": TRUTH}
    files = {
        case.case_id: save_arrays(tmp_path / f"{n}.npz", {"a": TRUTH, "b": TRUTH + n * spread})
        for n, case in enumerate(cases)
    }
    found = all_apart(cases, truth, files, 8)
    assert {pair: round(distance, 6) for pair, distance in found.items()} == {
        ("tensorflow", "onnxruntime-cpu"): 1.0,
        ("tensorflow", "openvino"): 2.0,
        ("onnxruntime-cpu", "openvino"): 1.0,
    }
    assert all_apart(cases[:1], truth, files, 8) == {}


def test_a_case_stands_for_itself_unless_its_file_was_rejected(tmp_path: Path) -> None:
    cases = cases_of("tensorflow", "cpu")
    ids = [case.case_id for case in cases]
    assert stand_ins(cases, prepared(tmp_path), ids, {}) == dict(zip(ids, ids, strict=True))
    lacking = prepared(tmp_path, artifacts={}, rejected={"onnx": artifact()})
    made = references(lacking, cases, {})
    ran = [ids[0], *(case.case_id for case in made.values())]
    assert stand_ins(cases, lacking, ran, made) == {ids[0]: ids[0], ids[1]: made["float32", "all"].case_id}
    assert stand_ins(cases, lacking, [], made) == {}


REVERSED = TRUTH[:, ::-1].copy()
WRONG = [check("probabilities", 2.0)]


def causes(tmp_path: Path, *, wrong: bool = True) -> dict[str, tuple[Finding, ...]]:
    outputs, checks = {"c": {"probabilities": TRUTH[::-1].copy()}}, {"c": WRONG if wrong else [check()]}
    return find_causes(
        outputs, checks, {"probabilities": TRUTH}, NET, prepared(tmp_path), suite("cpu"), tmp_path, Silent()
    )


def test_what_explains_a_difference_is_from_the_arrays_and_from_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Finding(code="training mode", text="it is right in training mode", error=0.0)
    monkeypatch.setattr(explaining, "try_hypotheses", lambda *_, **__: {"c": (tried, tried)})
    (first, *others) = causes(tmp_path)["c"]
    assert "order" in first.text
    assert others[-1] == tried
    assert others.count(tried) == 1


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(explaining, "try_hypotheses", fails)


def test_a_trial_that_fails_is_not_spoken_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, BenchError("the child died"))
    assert len(causes(tmp_path)["c"]) == 1
    assert causes(tmp_path, wrong=False)["c"] == ()


def test_a_bug_of_ours_in_a_trial_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, PrepareBug("Traceback"))
    with pytest.raises(PrepareBug):
        causes(tmp_path)


@pytest.mark.parametrize("mask", [np.zeros((3, 2)), np.float64(1)])
def test_outputs_without_one_row_an_item_are_not_tried_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: Any
) -> None:
    tried: list[str] = []

    def notes(*given: Any, **_: object) -> dict[str, tuple[Finding, ...]]:
        tried.extend(given[4])
        return {}

    monkeypatch.setattr(explaining, "try_hypotheses", notes)
    right = {"probabilities": TRUTH}
    outputs = {"odd": {**right, "mask": np.asarray(mask)}, "even": right}
    for asked in (outputs, {"odd": outputs["odd"]}):
        checks = {case_id: [check()] for case_id in asked}
        find_causes(asked, checks, right, NET, prepared(tmp_path), suite("cpu"), tmp_path, Silent())
    assert tried == ["even"]


def test_cautions_are_those_of_the_model_and_of_its_files_each_once(tmp_path: Path) -> None:
    one, other = Caution(code="range", text="assumed"), Caution(code="denormal", text="3 weights")
    files = {"onnx": artifact(cautions=(other, one))}
    made = msgspec.structs.replace(prepared(tmp_path), cautions=(one,), artifacts=files)
    assert cautions_of(made) == (one, other)
