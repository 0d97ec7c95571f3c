"""``bench gate selftest`` and ``bench gate calibrate``: what they refuse, print and return."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench import calibrating
from bench.check.calibration import Calibration, Noise
from bench.check.records import GateSettings
from bench.commands.gate_calibrate import calibrate, thread_counts
from bench.commands.gate_selftest import Inner, selftest, summarise
from bench.commands.shares import parse_share
from bench.errors import UsageError
from bench.progress import Silent
from command_fakes import Heard
from gate_fakes import MACHINE
from selftest_fakes import always_fires, empty_file, every_twentieth, honest, never_fires, plant, trials_of


def refused(**changes: Any) -> str:
    with pytest.raises(UsageError) as refusal:
        selftest(**changes, console=Heard().console, progress=Silent())
    return str(refusal.value)


def test_what_can_not_be_meant_is_refused_before_anything_is_made() -> None:
    assert refused(aa=-1) == "--aa -1: expected a number of trials, 0 for none"
    assert refused(plant=("5%", -1)) == "--plant ... -1: expected a number of trials, 0 for none"
    assert refused(plant=("2%", 1), delta="5%").startswith("--plant 2.0%: the gate promises nothing below its budget")
    assert refused(load="storm") == "--load storm: expected quiet or burst"
    assert refused(threads=0) == "-x 0: expected at least 1 thread"
    assert refused(aa=-1, load="storm").count("\n") == 1
    assert "expected a share" in refused(plant=("five", 1))
    assert "expected one runtime, seen 2" in refused(runtime="cpu,tensorflow")
    assert "Linux only" in refused(platform="darwin")


@pytest.mark.parametrize(
    ("rule", "code", "last"),
    [
        (honest, 0, "SELF-TEST PASSED"),
        (never_fires, 4, "SELF-TEST FAILED"),
        (always_fires, 4, "SELF-TEST FAILED"),
        (every_twentieth, 4, "SELF-TEST FAILED"),
    ],
)
def test_a_file_of_trials_is_summarised_with_the_verdict_last(tmp_path: Path, rule: Any, code: int, last: str) -> None:
    trials = empty_file(tmp_path)
    trials.add(plant())
    for one in trials_of(rule, {"same": 300, "nodes": 60, "wrong": 3, "fallback": 3, "gone": 1}):
        trials.add(one)
    heard = Heard()
    assert summarise(empty_file(tmp_path), heard.console) == code
    lines = heard.text.splitlines()
    assert lines[0].startswith("net on onnxruntime-cpu 1.32.0, 1 thread")
    assert lines[1].split()[:4] == ["planted", "load", "trials", "fired"]
    assert any(line.startswith("extra nodes +5%: 9 nodes") for line in lines)
    assert lines[-1].startswith(last)
    assert heard.err == [f"trials: {tmp_path / 'trials.jsonl'}"]


def test_an_empty_file_is_never_green(tmp_path: Path) -> None:
    heard = Heard()
    assert summarise(empty_file(tmp_path), heard.console) == 5
    assert heard.text.endswith("were not both tried")


def test_pairs_of_a_trial_are_told_and_not_counted() -> None:
    told: list[tuple[float, str]] = []

    class Outer(Silent):
        def advance(self, n: float = 1, detail: str = "") -> None:
            told.append((n, detail))

    inner = Inner(Outer())
    inner.start(16)
    inner.advance(1, "pair 1")
    inner.done()
    assert told == [(0, "pair 1")]


def test_calibration_prints_a_table_and_the_sentence_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def fake(model: Any, runtime: Any, threads: Any, settings: GateSettings, pairs: int, _progress: Any) -> Calibration:
        asked.append((model.display, runtime.name, threads, settings.delta, pairs))
        noise = Noise(
            threads=1, pairs=pairs, sd=0.01, sd_low=0.008, sd_high=0.014, false_alarm_rate=0.0,
            false_alarm_bound=0.0089, smallest_detectable=0.03, preempted=0.1, recommended=0.02, holds_delta=True,
        )  # fmt: skip
        return Calibration(
            model="net",
            runtime="onnxruntime-cpu",
            runtime_version="1.32.0",
            machine=MACHINE,
            settings=settings,
            threads=(noise,),
        )

    monkeypatch.setattr(calibrating, "calibrate_machine", fake)
    heard = Heard()
    assert calibrate(threads="1", console=heard.console, progress=Silent()) == 0
    assert heard.text.splitlines()[-1] == "this machine can gate 5% with 1 thread"
    as_json = Heard()
    assert calibrate(threads="1", delta="10%", as_json=True, console=as_json.console, progress=Silent()) == 0
    assert msgspec.json.decode(as_json.text, type=Calibration).threads[0].pairs == 24
    assert asked == [
        ("mobilenet_v1:alpha=0.5,resolution=128", "onnxruntime-cpu", (1,), delta, 24) for delta in (0.05, 0.1)
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"pairs": 15}, "--pairs 15: the gate may take 16; give at least as many"),
        ({"threads": "one"}, "-x one: expected whole numbers of at least 1"),
        ({"threads": "0"}, "-x 0: expected whole numbers of at least 1"),
        ({"threads": "9999"}, "-x 9999: this process may use"),
        ({"delta": "0%"}, "--delta 0%"),
        ({"platform": "win32"}, "Linux only"),
    ],
)
def test_a_calibration_that_can_not_be_meant_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        calibrate(**changes, console=Heard().console, progress=Silent())


def test_thread_counts_default_to_all_that_there_are() -> None:
    counts = thread_counts(None)
    assert counts == tuple(range(1, len(counts) + 1))
    assert thread_counts("1,1") == (1,)


def test_a_share_is_a_percentage_or_a_number() -> None:
    assert parse_share("--delta", "5%") == parse_share("--delta", "0.05") == 0.05
    for wrong in ("", "%", "-5%", "0", "nan", "inf"):
        with pytest.raises(UsageError, match="--delta"):
            parse_share("--delta", wrong)
