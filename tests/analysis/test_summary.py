from __future__ import annotations

from typing import Any

import msgspec
import pytest

from analysis_fakes import AGREES, INPUT, died, measured, opened, prepared, together
from bench.analysis.ranking import is_only_a_range
from bench.analysis.summary import barred_rows, summarise_group
from bench.records import (
    ArtifactKind,
    CaseRepetition,
    Caution,
    GroupRepetition,
    OutputCheck,
    Prepared,
    ProviderPart,
)
from bench.report import verdict
from bench.rows import Row
from fakes import artifact, case

TF, ORT, CUDA = case("tensorflow"), case("onnxruntime-cpu"), case("onnxruntime-cuda")
MS = 1_000_000
DISAGREES = OutputCheck(output="y", verdict="disagrees", reason="relative error 2 exceeds 0.001", relative_error=2.0)


def tf(n: int, **changes: Any) -> CaseRepetition:
    return measured(TF.case_id, n, [[20 * MS, 21 * MS, 22 * MS]] * 10, **changes)


def ort(n: int, **changes: Any) -> CaseRepetition:
    return measured(ORT.case_id, n, [[10 * MS + n * 100_000, 11 * MS, 12 * MS]] * 10, **changes)


def summary(repetitions: list[GroupRepetition], model: Prepared | None = None, **settings: Any) -> list[Row]:
    commands = {one.case_id: f"bench run m -e {one.runtime.name}" for one in (TF, ORT, CUDA)}
    cases = [TF, ORT, CUDA][: max(len(one.cases) for one in repetitions)] if repetitions else [TF]
    return summarise_group(cases, repetitions, model or prepared(), TF.case_id, commands, **settings)


def five(**changes: Any) -> list[GroupRepetition]:
    return [together(n, tf(n), ort(n, **changes)) for n in range(5)]


def test_a_group_is_one_row_a_case_with_the_numbers_of_its_repetitions() -> None:
    reference, row = summary(five())
    assert (row.case_id, row.model, row.runtime, row.threads, row.batch_size) == (
        "m | onnxruntime-cpu", "m", "onnxruntime-cpu", 1, 1,
    )  # fmt: skip
    assert (row.status, row.status_reason, row.agreement) == ("ok", "", "agrees")
    assert row.latency_ns_best == 10.2 * MS
    assert row.ratio_to_reference == pytest.approx(0.51, rel=1e-4)
    assert row.ratio_low == pytest.approx(0.50)
    assert row.ratio_high == pytest.approx(0.52)
    assert (row.interval_level, row.reference_runtime) == (0.9375, "tensorflow")
    assert (row.calls, row.rounds, row.processes, row.percentile_block) == (150, 50, 5, "turns")
    assert (row.latency_ns_p50, row.latency_ns_p95, row.latency_ns_p99) == (11 * MS, 12 * MS, None)
    assert row.throughput_items_per_s == pytest.approx(1e9 / (33.2 / 3 * MS))
    assert row.cpu_per_wall == 1.0
    assert (reference.ratio_to_reference, reference.ratio_low, reference.reference_runtime) == (1.0, None, "tensorflow")
    assert reference.interval_level == 0.9375
    assert row.reproduce == "bench run m -e onnxruntime-cpu"


def test_a_ratio_over_fewer_pairs_has_their_level_and_decides_nothing() -> None:
    """The row was timed in five processes, the reference in three: its own median would have 93.75 %."""
    shared = [together(n, tf(n), ort(n)) for n in range(3)]
    alone = [together(n, died(TF.case_id, n, "crashed", "it died"), ort(n)) for n in (3, 4)]
    _, row = summary([*shared, *alone])
    assert (row.processes, row.interval_level) == (5, 0.75)
    assert "few pairs: the ratio rests on 3 of 5 repetitions" in row.cautions
    assert is_only_a_range([row])
    assert not is_only_a_range([summary(five())[1]])


def test_session_cold_start_and_memory_are_in_the_row() -> None:
    _, row = summary(five())
    assert (row.runtime_version, row.provider, row.call_path) == ("1.32.0", "CPUExecutionProvider", "session.run")
    assert row.runtime_options == "arena=on,optimization=all"
    assert (row.import_ns, row.load_ns, row.first_call_ns, row.warmup_calls) == (10, 20, 500, 6)
    assert (row.rss_start_bytes, row.rss_import_bytes, row.rss_load_bytes, row.rss_first_bytes) == (50, 100, 200, 300)
    assert (row.rss_peak_bytes, row.private_load_bytes, row.thread_count) == (404, 100, 2)
    assert row.page_cache == "warm"


def test_the_model_and_the_file_that_was_loaded_are_in_the_row() -> None:
    reference, row = summary(five())
    assert (row.artifact_digest, row.artifact_bytes) == ("digest of onnx", 1000)
    assert (reference.artifact_digest, reference.artifact_bytes) == ("digest of saved_model", 2000)
    assert (row.model_digest, row.input_digest, row.truth) == ("digest of m", "digest of pool", "float64")
    assert (row.macs, row.params) == (34, 12)
    assert row.batch_axis == "symbolic in the file, fixed by the runtime"


@pytest.mark.parametrize(
    ("change", "axis"),
    [({"shape": (1, 4)}, "fixed in the file"), ({"batched": False}, None), ({"shape": ()}, None)],
)
def test_the_batch_axis_is_that_of_the_file(change: dict[str, Any], axis: str | None) -> None:
    kinds: tuple[ArtifactKind, ...] = ("onnx", "saved_model")
    inputs = (msgspec.structs.replace(INPUT, **change),)
    model = prepared(artifacts={kind: artifact(kind=kind, inputs=inputs) for kind in kinds})
    assert summary(five(), model)[1].batch_axis == axis


def test_a_worker_that_died_once_leaves_a_crashed_row_with_the_numbers_of_the_others() -> None:
    repetitions = five()
    repetitions[1] = together(1, tf(1), died(ORT.case_id, 1))
    reference, row = summary(repetitions)
    assert (row.status, row.status_reason) == ("crashed", "in repetition 2 of 5; 4 measured: it died of SIGKILL")
    assert (row.processes, row.calls, row.interval_level) == (4, 120, 0.875)
    assert row.ratio_to_reference == pytest.approx(0.51, rel=5e-3)
    assert reference.status == "ok"
    assert [one.case_id for one, _ in barred_rows([reference, row])] == [ORT.case_id]


def test_a_repetition_that_died_halfway_is_not_in_the_numbers() -> None:
    repetitions = five()
    half = measured(ORT.case_id, 1, [[MS]], status="crashed", reason="it died of SIGSEGV", complete=False)
    repetitions[1] = together(1, tf(1), half)
    assert summary(repetitions)[1].latency_ns_min == 10 * MS


def test_a_case_that_never_opened_is_a_row_with_status_reason_command_and_no_measured_number() -> None:
    gone = died(CUDA.case_id, 0, "unavailable", "CUDAExecutionProvider is not in this build")
    *_, row = summary([together(n, tf(n), ort(n), gone) for n in range(5)])
    assert (row.status, row.status_reason) == ("unavailable", "CUDAExecutionProvider is not in this build")
    assert (row.agreement, row.reproduce) == ("unchecked", "bench run m -e onnxruntime-cuda")
    measured_fields = [name for name in Row.__struct_fields__ if name.endswith(("_ns", "_bytes")) or "latency" in name]
    told = {name: getattr(row, name) for name in [*measured_fields, "ratio_to_reference", "throughput_items_per_s"]}
    told.pop("artifact_bytes")
    assert set(told.values()) == {None}
    assert (row.calls, row.rounds, row.processes) == (0, 0, 0)


def test_a_model_that_could_not_be_prepared_gives_rows_without_it() -> None:
    failed = [together(0, *(died(one.case_id, 0, "unsupported", "no ONNX for Erfc") for one in (TF, ORT)))]
    rows = summarise_group([TF, ORT], failed, None, None, {})
    assert [(row.status, row.status_reason, row.model_digest) for row in rows] == [
        ("unsupported", "no ONNX for Erfc", None)
    ] * 2


def test_a_case_before_its_turn_is_skipped() -> None:
    [row] = summarise_group([TF], [], prepared(), None, {})
    assert (row.status, row.calls, row.agreement) == ("skipped", 0, "unchecked")


def test_outputs_judged_without_timing_are_a_row_with_a_verdict_and_no_caution() -> None:
    judged = msgspec.structs.replace(ort(0), turns=[], complete=False, memory_peak=None)
    [row] = summarise_group([ORT], [together(0, judged)], prepared(cautions=()), None, {}, planned=5)
    assert (row.status, row.agreement, row.latency_ns_p50, row.cautions) == ("ok", "agrees", None, "")
    assert barred_rows([row]) == [(row, "not timed")]


def test_the_worst_check_of_all_repetitions_decides_and_says_how_often() -> None:
    repetitions = five()
    repetitions[3] = together(3, tf(3), ort(3, checks=[DISAGREES]))
    _, row = summary(repetitions)
    assert (row.agreement, row.relative_error) == ("disagrees", 2.0)
    assert row.agreement_reason == "relative error 2 exceeds 0.001 (in 1 of 5 repetitions)"
    assert "disagrees: its outputs disagree with the truth, so it cannot win" in row.cautions
    assert row.latency_ns_best is not None


def test_an_output_is_named_in_the_reason_where_there_are_several() -> None:
    model = prepared(outputs=(artifact().outputs[0], artifact().outputs[0]))
    assert summary(five(checks=[AGREES, DISAGREES]), model)[1].agreement_reason.startswith("y: relative error 2")


def test_an_output_that_its_reason_names_is_not_named_twice() -> None:
    model = prepared(outputs=(artifact().outputs[0], artifact().outputs[0]))
    missing = OutputCheck(output="y", verdict="disagrees", reason="output 'y' is missing")
    assert summary(five(checks=[AGREES, missing]), model)[1].agreement_reason == "output 'y' is missing"


def test_more_threads_than_cpus_are_a_caution_of_every_timed_row() -> None:
    assert all("threads: 1 asked for, 0 CPUs may be used" in row.cautions for row in summary(five(), cpus=0))
    assert not any("threads: " in row.cautions for row in summary(five(), cpus=1))


def test_a_row_without_a_common_round_has_no_ratio_and_says_so() -> None:
    rows = summary([together(0, ort(0)), together(1, tf(1), died(ORT.case_id, 1))])
    assert (rows[1].ratio_to_reference, rows[1].reference_runtime) == (None, None)
    assert "no ratio: no round was shared with tensorflow" in rows[1].cautions


def test_cautions_of_the_model_and_of_every_session_are_joined_once() -> None:
    told = opened(cautions=(Caution(code="fallback", text="two nodes ran elsewhere"),))
    _, row = summary(five(opened=told), planned=8)
    assert row.cautions.split("; ") == [
        "interrupted: 5 of 8 repetitions were measured: bench run --resume with this report's folder measures the rest",
        "few samples: p99 needs 500 calls, there are 150: see --tail and -r",
        "fallback: two nodes ran elsewhere",
        "range: inputs were taken from [0, 1]",
    ]


def test_the_order_of_repetitions_and_cases_changes_nothing() -> None:
    repetitions = five()
    turned = [msgspec.structs.replace(one, cases=one.cases[::-1]) for one in repetitions[::-1]]
    assert summary(turned) == summary(repetitions)


def test_whole_verified_rows_may_win() -> None:
    assert barred_rows(summary(five())) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"agreement": "disagrees", "agreement_reason": "far off"}, "disagrees: far off"),
        ({"agreement": "vacuous", "agreement_reason": ""}, "vacuous"),
        ({"agreement": "unchecked", "agreement_reason": ""}, "unchecked"),
        ({"status": "partial", "status_reason": "half elsewhere"}, "partial: half elsewhere"),
        ({"status": "crashed", "status_reason": ""}, "crashed"),
        ({"latency_ns_best": None}, "not timed"),
        ({"cautions": "few samples: x; placement unknown: it died"}, "placement unknown: it died"),
    ],
)
def test_a_row_that_may_not_win_is_barred_with_its_reason(change: dict[str, Any], reason: str) -> None:
    slow, fast = summary(five())
    fast = msgspec.structs.replace(fast, **change)
    assert barred_rows([slow, fast]) == [(fast, reason)]


def test_a_row_called_through_keras_has_its_ratio_and_cannot_win() -> None:
    _, fast = rows = summary(five(opened=opened(call_path="predict")))
    assert fast.ratio_to_reference == pytest.approx(0.51, rel=1e-4)
    [(barred, reason)] = barred_rows(rows)
    assert barred is fast
    assert reason.startswith("call path: predict includes Keras's call overhead, the reference (session.run) does not")
    assert "fastest" not in verdict.sentence(rows)
    assert "onnxruntime-cpu is the fastest" in verdict.sentence(summary(five()))


def test_rows_all_called_through_keras_are_ranked_with_one_another() -> None:
    calls = [opened(call_path=path) for path in ("predict", "eager call")]
    rows = summary([together(n, tf(n, opened=calls[0]), ort(n, opened=calls[1])) for n in range(5)])
    assert barred_rows(rows) == []


def test_one_repetition_whose_nodes_went_elsewhere_is_told_of() -> None:
    here = ProviderPart(provider="CUDAExecutionProvider", nodes=9)
    there = ProviderPart(provider="CPUExecutionProvider", nodes=1, operators={"Unique": 1})
    whole = opened(provider=here.provider, node_share=1.0, placement=(here,))
    less = opened(provider=here.provider, node_share=0.96, placement=(here, there))
    rows = summary([together(n, tf(n), ort(n, opened=less if n == 3 else whole)) for n in range(5)])
    assert rows[1].node_share == 0.96
    assert "placement: not all of it on CUDAExecutionProvider" in rows[1].cautions
    assert "Unique" in rows[1].cautions
