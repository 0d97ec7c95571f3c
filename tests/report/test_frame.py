"""Rows, samples and checks as typed frames."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import Turn
from bench.report import frame
from bench.report.columns import KEYS, TABLES
from report_fakes import absent, case_repetition, check, group_repetition, reference, row, turn


def dtypes(table: str) -> list[tuple[str, str]]:
    return [(column.name, column.dtype) for column in TABLES[table]]


def dtypes_of(data: pd.DataFrame) -> list[tuple[str, str]]:
    return [(str(name), str(dtype)) for name, dtype in data.dtypes.items()]


def timed(case: str = "net | onnxruntime-cpu", **changes: Any) -> pd.DataFrame:
    return frame.samples_frame([group_repetition(cases=[case_repetition(case, **changes)])])


@pytest.mark.parametrize("rows", [[], [absent()], [reference(), row()]])
def test_results_have_the_same_types_whatever_is_in_them(rows: list[Any]) -> None:
    assert dtypes_of(frame.results_frame(rows)) == dtypes("results")


@pytest.mark.parametrize("repetitions", [[], [group_repetition()]])
def test_the_other_tables_have_the_same_types_also_when_empty(repetitions: list[Any]) -> None:
    assert dtypes_of(frame.samples_frame(repetitions)) == dtypes("samples")
    assert dtypes_of(frame.agreement_frame(repetitions)) == dtypes("agreement")
    assert dtypes_of(frame.rounds_frame(repetitions)) == dtypes("rounds")


def test_results_keep_order_and_values() -> None:
    results = frame.results_frame([reference(), row(cautions="contended: x"), absent()])
    assert results["runtime"].tolist() == ["tensorflow", "onnxruntime-cpu", "onnxruntime-cuda"]
    assert results["latency_ns_best"].tolist()[:2] == [16_000_000.0, 8_000_000.0]
    assert results["calls"].tolist() == [150, 150, 0]
    assert results["status"].tolist() == ["ok", "ok", "unavailable"]


def test_unknown_is_null_and_nan_becomes_null() -> None:
    results = frame.results_frame([absent(), row(relative_error=math.nan, latency_ns_p99=None)])
    assert results["latency_ns_best"].isna().tolist() == [True, False]
    assert results["relative_error"][1] is pd.NA
    assert results["latency_ns_p99"][1] is pd.NA


def test_an_infinite_error_stays_infinite() -> None:
    assert frame.results_frame([row(max_abs_error=math.inf)])["max_abs_error"][0] == math.inf


def test_a_case_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"case_id must be unique.*net \| onnxruntime-cpu"):
        frame.results_frame([row(), row()])


def test_rows_come_back_as_they_were() -> None:
    rows = [reference(), row(cautions="few samples: p99", label="NA"), absent()]
    assert frame.rows_of_frame(frame.results_frame(rows)) == rows


def test_every_call_of_a_worker_is_a_sample_in_the_order_in_which_it_ran() -> None:
    samples = timed()
    columns = ["round", "turn", "call", "kind", "latency_ns", "input_index"]
    assert [tuple(line) for line in samples[columns].astype(object).to_numpy()] == [
        (pd.NA, 0, 0, "warmup", 70, 1),
        (pd.NA, 0, 1, "warmup", 60, 2),
        (0, 1, 0, "switch", 99, 3),
        (0, 1, 1, "timed", 11, 4),
        (0, 1, 2, "timed", 12, 5),
        (0, 1, 3, "timed", 13, 6),
        (1, 0, 0, "switch", 99, 7),
        (1, 0, 1, "timed", 21, 8),
        (1, 0, 2, "timed", 22, 9),
        (1, 0, 3, "timed", 23, 10),
        (pd.NA, 0, 2, "switch", 98, 11),
        (pd.NA, 0, 3, "tail", 31, 12),
        (pd.NA, 0, 4, "tail", 32, 13),
    ]
    assert set(samples["case_id"]) == {"net | onnxruntime-cpu"}
    assert set(samples["repetition"]) == {0}


def test_the_input_is_taken_modulo_the_pool_where_that_is_known() -> None:
    group = group_repetition(cases=[case_repetition("a"), case_repetition("b")])
    samples = frame.samples_frame([group], {"a": 4})
    by_case = {str(case): part["input_index"].tolist() for case, part in samples.groupby("case_id")}
    assert by_case["a"] == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert by_case["b"] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


def test_a_worker_that_died_before_its_first_turn_has_no_samples() -> None:
    group = group_repetition(cases=[case_repetition("dead", turns=[]), case_repetition("alive")])
    assert set(frame.samples_frame([group])["case_id"]) == {"alive"}


def test_a_turn_without_calls_is_only_its_switch() -> None:
    assert timed(turns=[turn(0, [])])["kind"].tolist() == ["switch"]


def test_two_blocks_of_warm_up_go_on_counting() -> None:
    warmup = [turn(0, [5] * n, kind="warmup", switch_ns=None) for n in (3, 2)]
    assert timed(turns=warmup)["call"].tolist() == [0, 1, 2, 3, 4]


def test_a_case_twice_in_one_repetition_is_refused() -> None:
    with pytest.raises(ValueError, match="must be unique"):
        frame.samples_frame([group_repetition(cases=[case_repetition(), case_repetition()])])


def test_a_case_refused_before_measuring_may_come_in_every_repetition_of_its_group() -> None:
    refused = case_repetition("refused", 0, status="failed", turns=[], checks=[check("y", 0.5)], complete=False)
    groups = [group_repetition(repetition=n, cases=[case_repetition("ran", n), refused]) for n in range(3)]
    assert set(frame.samples_frame(groups)["case_id"]) == {"ran"}
    agreement = frame.agreement_frame(groups)
    assert agreement[["case_id", "output", "verdict"]].to_numpy().tolist() == [
        ["ran", "probabilities", "agrees"],
        ["refused", "y", "disagrees"],
    ]
    alone = group_repetition(cases=[refused, refused], rounds=[])
    assert frame.agreement_frame([alone])["verdict"].tolist() == ["disagrees"]
    assert len(frame.samples_frame([alone])) == len(frame.rounds_frame([alone])) == 0


blocks = st.builds(
    turn,
    st.integers(0, 3),
    st.lists(st.integers(1, 10**9), max_size=4),
    kind=st.sampled_from(["warmup", "turn", "tail"]),
    switch_ns=st.none() | st.integers(1, 10**9),
)


@given(st.lists(st.lists(blocks, max_size=5), max_size=4))
def test_samples_have_a_unique_key_and_lose_no_call(turns: list[list[Turn]]) -> None:
    cases = [case_repetition(f"case {i}", turns=own) for i, own in enumerate(turns)]
    samples = frame.samples_frame([group_repetition(cases=cases)])
    assert not samples.duplicated(list(KEYS["samples"])).any()
    expected = [([] if t.switch_ns is None else [t.switch_ns]) + t.latencies_ns for own in turns for t in own]
    assert samples["latency_ns"].tolist() == [ns for block in expected for ns in block]


def test_half_a_million_samples_are_built_by_columns() -> None:
    many = [turn(number, [number] * 99) for number in range(5000)]
    samples = timed(turns=many)
    assert len(samples) == 500_000
    assert samples["kind"].value_counts().to_dict() == {"timed": 495_000, "switch": 5_000}
    assert samples["latency_ns"][99] == 0
    assert samples["latency_ns"][199] == 1


def test_agreement_is_the_worst_of_all_repetitions_by_output() -> None:
    cases = [
        case_repetition("a", 0, checks=[check("y", 1e-5), check("z", 1e-6)]),
        case_repetition("a", 1, checks=[check("y", 0.5), check("z", 1e-7)]),
    ]
    agreement = frame.agreement_frame([group_repetition(repetition=i, cases=[case]) for i, case in enumerate(cases)])
    assert agreement[["case_id", "output", "verdict", "relative_error"]].to_numpy().tolist() == [
        ["a", "y", "disagrees", 0.5],
        ["a", "z", "agrees", 1e-6],
    ]
    assert agreement["worst_index"].tolist() == ["[3, 917]", "[3, 917]"]


def test_an_output_without_numbers_has_nulls() -> None:
    missing = check("y", verdict="disagrees", relative_error=None, tolerance=None, worst_index=None)
    agreement = frame.agreement_frame([group_repetition(cases=[case_repetition(checks=[missing])])])
    assert agreement["relative_error"].isna().all()
    assert agreement["worst_index"].isna().all()


def test_the_cost_of_every_block_of_calls_is_kept() -> None:
    groups = [group_repetition(0, 0), group_repetition(0, 1)]
    turns = frame.turns_frame(groups)
    blocks = [(case, turn) for group in groups for case in group.cases for turn in case.turns]
    assert len(turns) == len(blocks) > 0
    assert turns["cpu_ns"].sum() == sum(turn.cpu_ns for _, turn in blocks)
    assert turns["involuntary_switches"].sum() == sum(turn.involuntary_switches for _, turn in blocks)
    assert turns["calls"].sum() == sum(len(turn.latencies_ns) for _, turn in blocks)


def test_every_process_has_its_own_ledger() -> None:
    groups = [group_repetition(0, 0), group_repetition(0, 1)]
    processes = frame.processes_frame(groups)
    cases = [case for group in groups for case in group.cases if case.opened]
    assert processes["case_id"].tolist() == [case.case_id for case in cases]
    assert processes["import_ns"].tolist() == [case.opened.import_ns for case in cases if case.opened]
    assert processes["rss_load_bytes"].tolist() == [c.opened.memory_load.rss_bytes for c in cases if c.opened]


def test_rounds_say_which_group_and_repetition_they_are_of() -> None:
    rounds = frame.rounds_frame([group_repetition(0, 0), group_repetition(0, 1)])
    assert rounds[["group", "repetition", "round", "disturbed"]].to_numpy().tolist() == [
        [0, 0, 0, False],
        [0, 0, 1, True],
        [0, 1, 0, False],
        [0, 1, 1, True],
    ]
    assert rounds["foreign_cpus"].isna().all()


def test_a_lone_surrogate_is_spelled_out() -> None:
    assert frame.results_frame([row(status_reason="caf\udce9")])["status_reason"][0] == "caf\\udce9"


def test_a_sample_tells_whose_it_is_and_what_it_was_fed() -> None:
    warm = turn(0, [9, 8], kind="warmup", switch_ns=None, streams=2)
    shared = turn(0, [11, 12, 21, 22], input_index=2, streams=2, extra_calls=3)
    samples = timed(turns=[warm, shared])
    columns = ["kind", "stream", "latency_ns", "input_index"]
    assert [tuple(line) for line in samples[columns].astype(object).to_numpy()] == [
        ("warmup", pd.NA, 9, 0),
        ("warmup", pd.NA, 8, 1),
        ("switch", pd.NA, 99, 2),
        ("timed", 0, 11, 3),
        ("timed", 0, 12, 4),
        ("timed", 1, 21, 5),
        ("timed", 1, 22, 6),
    ]
    assert set(timed()["stream"]) == {0}
    turns = frame.turns_frame([group_repetition(cases=[case_repetition(turns=[warm, shared])])])
    assert turns["extra_calls"].tolist() == [0, 3]
