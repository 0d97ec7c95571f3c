"""Which cases are timed once more with denormal numbers flushed, and what of it reaches a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path

import msgspec
import pytest

import bench.retiming
from analysis_fakes import measured, prepared, together
from bench.measure.rounds import Arm
from bench.records import CaseRepetition, Caution, GroupRepetition, MeasureSettings, Prepared
from bench.retiming import flushed, pair_driver, with_retiming
from fakes import FakeLauncher, FakeWatch, case, open_request

HAZARDOUS = prepared(cautions=(Caution(code="denormal", text="t"),))


def arm(name: str = "onnxruntime-cpu", **options: str) -> Arm:
    one = case(name)
    runtime = msgspec.structs.replace(one.runtime, options=options)
    return Arm(case=msgspec.structs.replace(one, runtime=runtime), request=open_request(name))


class Pairs:
    """Measures every pair: the first takes ``kept`` ns a call, the second ``zeroed``."""

    def __init__(self, kept: int = 100, zeroed: int = 40) -> None:
        self.latencies = (kept, zeroed)
        self.asked: list[list[Arm]] = []

    def __call__(self, arms: Sequence[Arm]) -> GroupRepetition:
        self.asked.append(list(arms))
        pairs = zip(arms, self.latencies, strict=True)
        return together(0, *(measured(one.case.case_id, 0, [[ns], [ns]]) for one, ns in pairs))


def retimed(one: Arm, drive: Pairs, model: Prepared = HAZARDOUS) -> CaseRepetition:
    result = together(0, measured(one.case.case_id, 0, [[10]]))
    return with_retiming(result, [one], model, drive).cases[0]


def test_a_case_of_a_model_with_denormal_numbers_gets_the_ratio_of_its_pair() -> None:
    drive = Pairs(kept=100, zeroed=40)
    assert retimed(arm(), drive).flushed_ratio == pytest.approx(0.4)
    ((kept, zeroed),) = drive.asked
    assert kept == arm()
    assert zeroed.request.settings.options == zeroed.case.runtime.options == {"denormal": "zero"}
    assert zeroed.case.case_id != kept.case.case_id


@pytest.mark.parametrize(
    "one", [arm(denormal="zero"), arm("tensorflow"), arm("onnxruntime-openvino")], ids=lambda one: one.case.case_id
)
def test_other_cases_are_not_timed_again(one: Arm) -> None:
    drive = Pairs()
    assert retimed(one, drive).flushed_ratio is None
    assert drive.asked == []


def test_a_model_without_denormal_numbers_is_not_timed_again() -> None:
    drive = Pairs()
    assert retimed(arm(), drive, prepared()).flushed_ratio is None
    assert drive.asked == []


def test_a_case_that_failed_is_not_timed_again() -> None:
    drive = Pairs()
    failed = CaseRepetition(case_id=arm().case.case_id, repetition=0, status="crashed")
    result = with_retiming(together(0, failed), [arm()], HAZARDOUS, drive)
    assert result.cases == [failed]
    assert drive.asked == []


def steady(name: str) -> Iterator[int]:
    return repeat(1000 if name == "worker0" else 2000)


def drive_by(launcher: FakeLauncher, folder: Path, monkeypatch: pytest.MonkeyPatch) -> GroupRepetition:
    launcher.folder = folder  # type: ignore[attr-defined]
    monkeypatch.setattr(bench.retiming, "MachineWatch", FakeWatch)
    settings = MeasureSettings(min_calls=100_000, tail_calls=500)
    drive = pair_driver(launcher, settings, 3, 1, lambda _detail: None)  # type: ignore[arg-type]
    return drive([arm(), flushed(arm())])


def test_a_pair_is_two_workers_that_take_turns_and_few_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = FakeLauncher(steady)
    result = drive_by(launcher, tmp_path, monkeypatch)
    assert len(launcher.workers) == 2
    assert all(worker.closed for worker in launcher.workers)
    assert (result.group, result.repetition) == (3, 1)
    turns = [name for name, kind in launcher.log if kind == "turn"]
    assert {turns[place] for place in (0, 1)} == {"worker0", "worker1"}
    assert len(turns) <= 2 * 20


def test_a_worker_that_dies_leaves_no_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = drive_by(FakeLauncher(steady, dies_at={1: "turn"}), tmp_path, monkeypatch)
    assert sum(one.complete for one in result.cases) == 1


@pytest.mark.slow
def test_a_run_tells_the_ratio_on_rows_of_onnx_runtime_alone(tmp_path: Path) -> None:
    from bench.pipeline import run_suite
    from bench.progress import Silent
    from bench.records import PrepareSettings, Suite
    from bench.specs import parse_model, parse_runtimes

    spec = parse_model(f"{Path(__file__).parent / 'prepare/child/hazard_kinds.py'}:dense:tiny=0.1")
    suite = Suite(
        models=(spec,),
        runtimes=parse_runtimes(["tensorflow,onnxruntime-cpu,onnxruntime-cpu:denormal=zero"]),
        batch_sizes={spec.display: (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(repetitions=2, min_rounds=3),
    )
    rows = run_suite(suite, tmp_path / "report", resume=False, command="", progress=Silent()).rows
    assert [row.status for row in rows] == ["ok"] * 3
    assert ["are denormal (below" in row.cautions for row in rows] == [True] * 3
    assert ["with denormal=zero it takes" in row.cautions for row in rows] == [False, True, False]
