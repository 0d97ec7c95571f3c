"""Stored outputs are judged again, and nothing is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from attributing_fakes import TRUTH, prepared
from bench.analysis.budget import Budget
from bench.analysis.checker import make_checker
from bench.commands.verify_stored import judge_again
from bench.errors import UsageError
from bench.flags import Flags
from bench.prepare.arrays import save_arrays
from bench.records import Tolerance
from bench.report.kept_outputs import OutputsKeeper
from command_fakes import Heard
from report_fakes import ADA, absent, row


def store(tmp_path: Path, error: float = 1e-5, *, most_bytes: int = 1 << 20, **changes: Any) -> Path:
    """A verification of a case that is ``error`` of its spread off, and of one that never ran."""
    tmp_path.mkdir(exist_ok=True)
    out = tmp_path / "kept"
    model = prepared(tmp_path)
    keeper = OutputsKeeper(out, lambda _: None, most_bytes=most_bytes)
    check = keeper.watched(make_checker(model, Tolerance()), model, {})
    spread = float(np.sqrt(np.mean(np.square(TRUTH.std(axis=0)))))
    passes = np.concatenate([TRUTH, TRUTH + error * spread]).astype(np.float32)
    (found,) = check("net | onnxruntime-cpu", save_arrays(tmp_path / "worker.npz", {"probabilities": passes}))
    one = row(agreement=found.verdict, agreement_reason=found.reason, **changes)
    keeper.save([one], Tolerance(), ADA)
    return out


def again(stored: Path, *, as_json: bool = False, **flags: tuple[str, ...]) -> tuple[int, str]:
    heard = Heard()
    code = judge_again(stored, Flags(**flags), as_json=as_json, console=heard.console)  # type: ignore[arg-type]
    return code, heard.text


def test_our_own_rule_finds_again_what_was_found(tmp_path: Path) -> None:
    code, text = again(store(tmp_path))
    assert code == 0
    assert text.splitlines()[0] == "judged again by the measured tolerance: every verdict is what it was"
    assert text.splitlines()[3].split()[:5] == ["net", "onnxruntime-cpu", "1", "agrees", "agrees"]


def test_another_tolerance_changes_the_verdict_both_ways(tmp_path: Path) -> None:
    code, text = again(store(tmp_path), atol=("1e-7",))
    assert code == 3
    first = text.splitlines()[0]
    assert first == "judged again by atol 1e-07: net, onnxruntime-cpu: disagrees, it was agrees"
    assert "passes from" in text
    wrong = store(tmp_path / "wrong", 0.02)
    assert again(wrong)[0] == 3
    code, text = again(wrong, atol=("probabilities:0.05",))
    assert code == 0
    assert "net, onnxruntime-cpu: agrees, it was disagrees" in text


def test_every_pass_over_the_inputs_is_judged(tmp_path: Path) -> None:
    assert "exceeds" in again(store(tmp_path, 0.02))[1]  # the first pass is right, the second is not


def test_too_wide_a_tolerance_cannot_tell(tmp_path: Path) -> None:
    assert again(store(tmp_path), atol=("10",))[0] == 5


def test_a_case_that_did_not_run_keeps_its_verdict(tmp_path: Path) -> None:
    out = tmp_path / "kept"
    keeper = OutputsKeeper(out, lambda _: None)
    wrong = row("cpu", status="failed", agreement="disagrees", status_reason="wrong file")
    keeper.save([absent(), wrong], Tolerance(), ADA)
    code, text = again(out)
    assert code == 3
    assert "net, onnxruntime-cuda, batch 1: asked for CUDAExecutionProvider" in text
    assert "net, cpu, batch 1: wrong file" in text
    keeper.save([absent()], Tolerance(), ADA)
    assert again(out)[0] == 6


def test_a_precision_is_judged_by_its_budget_again(tmp_path: Path) -> None:
    out = store(tmp_path, 0.05)
    assert again(out)[0] == 3
    record = json.loads((out / "outputs.json").read_text())
    record["cases"][0]["budget"] = msgspec.to_builtins(Budget(precision="int8", conversion=None))
    (out / "outputs.json").write_text(json.dumps(record))
    assert again(out)[0] == 0


def test_json_says_both_verdicts_and_every_number(tmp_path: Path) -> None:
    code, text = again(store(tmp_path), as_json=True, rtol=("1e-9",))
    found = json.loads(text)
    assert (code, found["exit_code"], found["tolerance"]["rtol"]) == (3, 3, {"": 1e-9})
    (case,) = found["cases"]
    assert (case["stored"], case["verdict"]) == ("agrees", "disagrees")
    assert case["outputs"][0]["smallest_rtol"] > 1e-9


@pytest.mark.parametrize("flags", [{"model": ("net",)}, {"runtime": ("cpu",)}, {"batch": "8"}, {"seed": 1}])
def test_models_and_flags_of_a_run_are_refused(tmp_path: Path, flags: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="runs nothing"):
        again(store(tmp_path), **flags)


def test_what_else_needs_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="runs nothing"):
        judge_again(store(tmp_path), Flags(), beside=True, as_json=False, console=Heard().console)


def test_a_tolerance_for_an_output_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no output is called so; outputs are probabilities"):
        again(store(tmp_path), rtol=("logits:1e-3",))


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_damaged_or_missing_arrays_are_one_clear_line(tmp_path: Path, damage: str) -> None:
    out = store(tmp_path)
    for path in (out / "outputs").iterdir():
        if damage == "gone":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(path.read_bytes()[:100])
        else:
            save_arrays(path, {"probabilities": np.zeros((8, 10))})
    with pytest.raises(UsageError, match=r"outputs/\w+\.npz is missing or damaged") as caught:
        again(out)
    assert len(str(caught.value).splitlines()) == 1


def test_outputs_that_were_too_many_to_keep_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="were not kept: they take more than 1 KiB"):
        again(store(tmp_path, most_bytes=1024))


def test_a_folder_that_is_no_verification_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no outputs\.json in it"):
        again(tmp_path)
