from __future__ import annotations

import pytest

from bench import pipeline
from bench.commands.verify import agreement_text, verify_models
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Tolerance
from command_fakes import FakePipeline, Heard
from report_fakes import absent, row


@pytest.mark.parametrize("exit_code", [0, 3, 5, 6])
def test_the_exit_code_is_that_of_the_rows(exit_code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, heard = FakePipeline([row()], exit_code), Heard()
    monkeypatch.setattr(pipeline, "verify_suite", fake.verify_suite)
    flags = Flags(model=("mobilenet_v1",), runtime=("cpu",))
    assert verify_models(flags, suite_file=None, console=heard.console, progress=Silent()) == exit_code
    assert fake.suites[0].runtimes[0].name == "onnxruntime-cpu"
    assert "agrees" in heard.text


def test_a_verdict_has_its_numbers_and_no_reason_when_it_agrees() -> None:
    lines = agreement_text([row()]).splitlines()
    assert [line.split() for line in lines] == [
        ["model", "runtime", "batch", "agreement", "error", "tolerance", "max", "abs", "truth"],
        ["net", "onnxruntime-cpu", "1", "agrees", "6.0e-06", "1.0e-03", *lines[1].split()[6:]],
    ]


@pytest.mark.parametrize("verdict", ["disagrees", "vacuous", "unchecked"])
def test_every_other_verdict_says_why(verdict: str) -> None:
    text = agreement_text([row(agreement=verdict, agreement_reason="0.1 from the truth")])
    assert text.splitlines()[-1] == "net, onnxruntime-cpu, batch 1: 0.1 from the truth"
    assert verdict in text


def test_a_runtime_that_is_not_there_says_why() -> None:
    last = absent()
    text = agreement_text([last])
    assert f"({last.status})" in text
    assert text.splitlines()[-1].endswith(last.status_reason)


def test_a_tolerance_of_the_users_own_is_shown_where_it_judged() -> None:
    tolerance = Tolerance(rtol={"": 1e-3}, atol={"logits": 1e-6})
    text = agreement_text([row(tolerance=None, max_abs_error=1e-5), row(), absent()], tolerance)
    assert ["rtol 0.001, atol logits:1e-06" in line for line in text.splitlines()[1:4]] == [True, False, False]
    assert "tol 0" not in agreement_text([row(tolerance=None, max_abs_error=1e-5)])
