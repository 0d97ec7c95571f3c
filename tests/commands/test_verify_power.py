from __future__ import annotations

import pytest

from bench import powering
from bench.analysis.detection import Detection, JudgedFile
from bench.commands.verify_power import measure_power, power_text, sentence
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Failure
from command_fakes import Heard

CORRECT = JudgedFile(kind="as deployed", is_correct=True, verdict="agrees", error=1e-5, over_tolerance=0.08)
CAUGHT = JudgedFile(kind="dilation 2", is_correct=False, verdict="disagrees", error=0.5, over_tolerance=500.0)
MISSED = JudgedFile(kind="cap", is_correct=False, verdict="agrees", reason="y: within", error=0.01, over_tolerance=0.9)
SAME = JudgedFile(kind="residual dropped", is_correct=False, verdict="agrees", error=1e-5, is_same=True)
BROKEN = JudgedFile(kind="stride 1", is_correct=False, verdict="unchecked", problem="does not load: no")
DISAGREES = JudgedFile(kind="as deployed", is_correct=True, verdict="disagrees", reason="y: far", error=0.5)


def test_the_sentence_comes_first_with_the_interval_and_the_room() -> None:
    text = power_text("net", Detection(correct=(CORRECT,), wrong=(CAUGHT,) * 41))
    assert text.splitlines()[0] == (
        "net: the check calls out 41 of 41 wrong files of this model (exact 95 % interval 91 to 100 %), on these very "
        "inputs; the correct file agrees with 12x room"
    )


def test_missed_files_stand_first_and_those_not_scored_last() -> None:
    lines = power_text("net", Detection(correct=(CORRECT,), wrong=(CAUGHT, SAME, MISSED, BROKEN))).splitlines()
    assert lines[0].endswith("; 1 would pass for correct")
    assert [line.split("  ")[0] for line in lines[2:5]] == ["(none, as deployed)", "cap", "dilation 2"]
    assert lines[3].endswith("missed: y: within")
    assert lines[5] == (
        "Not scored, as right as the correct file, which is off by 1.0e-5: residual dropped (bitwise equal)."
    )
    assert lines[6] == "Not scored: stride 1: does not load: no"


def test_a_correct_file_that_disagrees_is_all_that_is_said() -> None:
    text = power_text("net", Detection(correct=(DISAGREES,), wrong=(CAUGHT,)))
    assert text == "net: the correct file itself disagrees, so that its faults tell nothing: y: far"


def test_a_model_without_a_place_for_a_fault_has_no_known_power() -> None:
    assert "its power is unknown" in sentence(Detection(correct=(CORRECT,), wrong=(SAME,)))


@pytest.mark.parametrize(("verdict", "code"), [("unchecked", 6), ("disagrees", 3)])
def test_a_model_without_an_onnx_file_says_why(verdict: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(status="failed", reason="gelu is Erfc", verdict=verdict)  # type: ignore[arg-type]
    monkeypatch.setattr(powering, "measure_models", lambda *_: {"net": failure})
    heard = Heard()
    flags = Flags(model=("mobilenet_v1",))
    assert measure_power(flags, suite_file=None, as_json=False, console=heard.console, progress=Silent()) == code
    assert heard.text == "net: there is no ONNX file to plant faults in: gelu is Erfc"
