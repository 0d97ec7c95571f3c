"""The whole main job on real small models, real workers and real files."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
import pandas as pd
import pytest

import bench
from bench import errors
from bench.commands.verify_stored import judge_again
from bench.flags import Flags
from bench.pipeline import RunResult, run_suite
from bench.progress import Silent
from bench.records import MeasureSettings, ModelSpec, PrepareSettings, RuntimeSpec, Suite
from bench.report import store
from bench.report.kept_outputs import read_kept
from bench.specs import parse_model, parse_runtimes
from command_fakes import Heard

SMALL = "mobilenet_v1:alpha=0.25,resolution=32"
pytestmark = pytest.mark.slow


def suite(model: str = SMALL, runtimes: str = "tensorflow,onnxruntime-cpu", batches: tuple[int, ...] = (1,)) -> Suite:
    spec: ModelSpec = parse_model(model)
    specs: tuple[RuntimeSpec, ...] = parse_runtimes([runtimes])
    return Suite(
        models=(spec,),
        runtimes=specs,
        batch_sizes={spec.display: batches},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(repetitions=2, min_rounds=4),
    )


class Killer(Silent):
    """Kills the newest worker when a given stage of the run is reached, once."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.killed = False

    def advance(self, n: float = 1, detail: str = "") -> None:
        if not self.killed and self.at in detail:
            self.killed = True
            newest = max(child_workers(os.getpid()))
            os.kill(newest, signal.SIGKILL)


def child_workers(parent: int) -> list[int]:
    import psutil

    children = psutil.Process(parent).children(recursive=True)
    return [child.pid for child in children if any("worker.py" in word for word in child.cmdline())]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    out = tmp_path_factory.mktemp("run") / "report"
    return run_suite(suite(batches=(1, 3)), out, resume=False, command="bench run", progress=Silent())


def test_every_row_is_verified_and_measured(finished: RunResult) -> None:
    assert finished.exit_code == 0
    assert len(finished.rows) == 4
    for row in finished.rows:
        assert (row.status, row.agreement) == ("ok", "agrees"), row.agreement_reason
        assert row.truth == "float64"
        assert row.processes == 2
        assert row.rounds >= 2 * 4
        assert row.latency_ns_min is not None
        assert row.latency_ns_best is not None
        assert row.latency_ns_min <= row.latency_ns_best
        assert row.rss_peak_bytes is not None
        assert row.rss_import_bytes is not None
        assert row.rss_peak_bytes > row.rss_import_bytes > 10 * 2**20


def test_the_reference_is_tensorflow_and_its_ratio_is_one(finished: RunResult) -> None:
    reference, other = finished.rows[:2]
    assert (reference.runtime, reference.ratio_to_reference) == ("tensorflow", 1.0)
    assert other.reference_runtime == "tensorflow"
    assert other.ratio_low is not None
    assert other.ratio_to_reference is not None
    assert other.ratio_high is not None
    assert other.ratio_low <= other.ratio_to_reference <= other.ratio_high


def test_identical_inputs_and_models_are_a_checked_fact(finished: RunResult) -> None:
    assert len({row.input_digest for row in finished.rows}) == 1
    assert len({row.model_digest for row in finished.rows}) == 1
    assert finished.rows[0].input_digest


def test_every_call_is_in_the_samples(finished: RunResult) -> None:
    assert finished.report is not None
    report = bench.load_report(finished.report)
    timed = report.samples[report.samples["kind"] == "timed"].groupby("case_id").size()
    for row in finished.rows:
        assert timed[row.case_id] == row.calls
    assert set(report.samples["kind"]) == {"warmup", "switch", "timed"}


def test_the_stored_report_says_what_the_run_said(finished: RunResult) -> None:
    assert finished.report is not None
    report = bench.load_report(finished.report)
    assert report.rows() == finished.rows
    assert isinstance(report.results, pd.DataFrame)
    assert report.environment.finished
    assert not (finished.report / "journal").exists()


def test_outputs_of_a_run_can_be_judged_again_without_running(finished: RunResult) -> None:
    assert finished.report is not None
    heard = Heard()
    assert judge_again(finished.report, Flags(), as_json=False, console=heard.console) == 0
    assert heard.text.startswith("judged again by the measured tolerance: every verdict is what it was")
    assert judge_again(finished.report, Flags(rtol=("1e-9",)), as_json=False, console=heard.console) == 3
    assert len(read_kept(finished.report).cases) == 4
    assert read_kept(finished.report).models.keys() == {row.model for row in finished.rows}


def test_two_labels_of_one_runtime_are_two_rows(tmp_path: Path) -> None:
    result = run_suite(
        suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu:optimization=off#b"),
        tmp_path / "report",
        resume=False,
        command="",
        progress=Silent(),
    )
    assert [row.label for row in result.rows] == ["a", "b"]
    assert ["optimization=all" in row.runtime_options for row in result.rows] == [True, False]
    assert ["optimization=off" in row.runtime_options for row in result.rows] == [False, True]
    assert all(row.agreement == "agrees" for row in result.rows)


def test_a_provider_that_is_not_there_is_a_row_without_times(tmp_path: Path) -> None:
    out = tmp_path / "report"
    result = run_suite(
        suite(runtimes="onnxruntime-cuda,onnxruntime-cpu"), out, resume=False, command="", progress=Silent()
    )
    assert result.exit_code == 6
    absent, present = result.rows
    assert absent.status == "unavailable"
    assert "no NVIDIA device here" in absent.status_reason
    assert "bench env build onnxruntime-cuda" in absent.status_reason
    assert absent.latency_ns_p50 is None
    assert absent.calls == 0
    assert present.status == "ok"
    samples = bench.load_report(out).samples
    assert absent.case_id not in set(samples["case_id"])


def test_another_version_is_measured_in_its_environment_and_one_that_is_not_there_is_a_row(tmp_path: Path) -> None:
    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu@1.30.0,onnxruntime-cpu,onnxruntime-cpu@1.30.99")
    result = run_suite(asked, out, resume=False, command="", progress=Silent())
    assert result.exit_code == 6
    other, installed, absent = result.rows
    assert (other.status, other.runtime_version, other.agreement) == ("ok", "1.30.0", "agrees")
    assert "-e onnxruntime-cpu@1.30.0 " in other.reproduce
    assert installed.status == "ok"
    assert installed.runtime_version not in (None, "1.30.0")
    assert (absent.status, absent.calls) == ("unavailable", 0)
    assert "no version of onnxruntime==1.30.99" in absent.status_reason
    kept = bench.load_report(out).environment
    assert kept.environments["onnxruntime-cpu@1.30.0"]["onnxruntime"] == "1.30.0"
    facts = kept.environment_facts["onnxruntime-cpu@1.30.0"]
    assert facts.requirements == ("onnxruntime==1.30.0",)
    assert kept.environments.keys() == kept.environment_facts.keys() == {"onnxruntime-cpu@1.30.0"}
    assert [row.environment for row in result.rows] == [facts.key[:12], "", ""]


def test_a_killed_worker_is_a_row_with_its_reason_and_is_tried_again(tmp_path: Path) -> None:
    result = run_suite(
        suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b"),
        tmp_path / "report",
        resume=False,
        command="",
        progress=Killer("round 2"),
    )
    assert result.exit_code == 6
    dead = [row for row in result.rows if row.status == "crashed"]
    assert len(dead) == 1
    assert "SIGKILL" in dead[0].status_reason
    assert dead[0].processes >= 1  # the second repetition was measured
    assert dead[0].reproduce.startswith("bench run mobilenet_v1")
    assert [row.status for row in result.rows if row not in dead] == ["ok"]


class Interrupts(Silent):
    """Ctrl-C in the second repetition, or after another number of whole ones."""

    def __init__(self, signal_number: int, after: int = 1) -> None:
        self.signal = signal_number
        self.after = after
        self.whole = 0.0

    def advance(self, n: float = 1, detail: str = "") -> None:
        self.whole += n
        if self.whole == self.after and "round 2" in detail:
            os.kill(os.getpid(), self.signal)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_whole_repetitions_and_can_be_resumed(tmp_path: Path, number: int, code: int) -> None:
    def terminate(_number: int, _frame: object) -> None:  # as the command line does
        raise errors.Terminated

    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b")
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        result = run_suite(asked, out, resume=False, command="", progress=Interrupts(number))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == code
    assert child_workers(os.getpid()) == []
    stored = bench.load_report(out)
    assert not stored.environment.finished
    assert set(stored.results["processes"]) == {1}
    kept = stored.samples
    resumed = run_suite(asked, out, resume=True, command="", progress=Silent())
    assert resumed.exit_code == 0
    assert {row.processes for row in resumed.rows} == {2}
    after = bench.load_report(out).samples
    assert kept.merge(after).shape == kept.shape  # nothing that was measured was measured again
    assert judge_again(out, Flags(), as_json=False, console=Heard().console) == 0


def test_a_run_that_was_interrupted_before_anything_was_whole_can_be_resumed(tmp_path: Path) -> None:
    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu")
    assert run_suite(asked, out, resume=False, command="", progress=Interrupts(signal.SIGINT, 0)).exit_code == 130
    resumed = run_suite(asked, out, resume=True, command="", progress=Silent())
    assert (resumed.exit_code, [row.processes for row in resumed.rows]) == (0, [2])


def test_a_resumed_run_keeps_its_groups_though_there_is_less_memory_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b")
    run_suite(asked, out, resume=False, command="", progress=Interrupts(signal.SIGINT))
    monkeypatch.setattr("bench.measure.machine.available_bytes", lambda: 1)
    resumed = run_suite(asked, out, resume=True, command="", progress=Silent())
    assert {row.processes for row in resumed.rows} == {2}
    assert not any("split" in row.cautions for row in resumed.rows)


def test_a_group_that_does_not_fit_the_memory_is_measured_apart_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.measure.machine.available_bytes", lambda: 1)
    asked = suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b")
    result = run_suite(asked, tmp_path / "report", resume=False, command="", progress=Silent())
    assert [row.status for row in result.rows] == ["ok", "ok"]
    assert all("split: " in row.cautions for row in result.rows)


def test_a_finished_run_is_not_resumed(finished: RunResult) -> None:
    assert finished.report is not None
    with pytest.raises(errors.UsageError, match="no interrupted run"):
        run_suite(suite(), finished.report, resume=True, command="", progress=Silent())


def test_a_run_with_other_versions_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b")
    run_suite(asked, out, resume=False, command="", progress=Interrupts(signal.SIGINT))
    monkeypatch.setattr("bench.surroundings.__version__", "9")
    with pytest.raises(errors.UsageError, match="bench_version differ"):
        run_suite(asked, out, resume=True, command="", progress=Silent())
    assert len(store.read_journal(out)) == 1


def test_several_callers_are_a_group_of_their_own_with_what_each_saw(tmp_path: Path) -> None:
    out = tmp_path / "report"
    asked = msgspec.structs.replace(suite(runtimes="onnxruntime-cpu"), streams=(1, 2))
    result = run_suite(asked, out, resume=False, command="", progress=Silent())
    assert [(row.streams, row.status, row.agreement) for row in result.rows] == [
        (1, "ok", "agrees"),
        (2, "ok", "agrees"),
    ]
    assert all(row.throughput_items_per_s for row in result.rows)
    report = bench.load_report(out)
    own = report.samples[report.samples["case_id"] == result.rows[1].case_id]
    assert own.loc[own["kind"] == "timed", "stream"].value_counts().nunique() == 1
    assert set(own.loc[own["kind"] == "timed", "stream"]) == {0, 1}
    assert own.loc[own["kind"] == "warmup", "stream"].isna().all()


class InterruptsSoak(Silent):
    """Ctrl-C a moment into the second case's soak."""

    def __init__(self) -> None:
        self.soaks = 0

    def stage(self, name: str) -> None:
        self.soaks += "watching its memory" in name
        if self.soaks == 2:
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_soak_keeps_what_was_measured_and_is_made_up_for_by_resume(tmp_path: Path) -> None:
    out = tmp_path / "report"
    asked = suite(runtimes="onnxruntime-cpu#a,onnxruntime-cpu#b")
    asked = msgspec.structs.replace(asked, measure=msgspec.structs.replace(asked.measure, soak_s=2.0))
    result = run_suite(asked, out, resume=False, command="", progress=InterruptsSoak())
    assert result.exit_code == 130
    assert child_workers(os.getpid()) == []
    assert [(row.processes, row.soak_verdict is None) for row in result.rows] == [(2, False), (2, True)]
    kept = bench.load_report(out)
    resumed = run_suite(asked, out, resume=True, command="", progress=Silent())
    assert [(row.processes, row.status) for row in resumed.rows] == [(2, "ok"), (2, "ok")]
    assert all(row.soak_verdict in ("plateau", "cannot tell") for row in resumed.rows)  # never growing
    whole = bench.load_report(out)
    assert whole.samples.equals(kept.samples)
    assert kept.soak.merge(whole.soak).shape == kept.soak.shape
    assert len(set(whole.soak["case_id"])) == 2
