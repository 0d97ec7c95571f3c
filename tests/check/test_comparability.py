"""One field differs at a time: each is named with both values, what jitters is not."""

from __future__ import annotations

from typing import Any

import pytest

from bench.check.comparability import case_differences, parse_allowed, run_differences, spell_difference
from bench.check.compare_records import CASE_FIELDS, RUN_FIELDS
from bench.errors import UsageError
from bench.records import PrepareSettings, Tolerance
from compare_fakes import compared, env, only, ort

RUNS: list[tuple[dict[str, Any], str]] = [
    ({"machine": {"cpu": "Other CPU"}}, "cpu: Invented CPU against Other CPU"),
    ({"machine": {"isa": ("avx2", "avx512f")}}, "isa: none against avx512f"),
    ({"machine": {"isa": ()}}, "isa: avx2 against none"),
    ({"machine": {"effective_cpus": 1}}, "effective_cpus: 2 against 1"),
    ({"machine": {"memory_bytes": 16 << 30}}, "memory: 8 GiB against 16 GiB"),
    ({"machine": {"system": "Linux 6.2"}}, "system: Linux 6.1 against Linux 6.2"),
    ({"machine": {"python": "3.12.1"}}, "python: 3.11.9 against 3.12.1"),
    ({"bench_version": "0.2.0"}, "bench_version: 0.1.0 against 0.2.0"),
    ({"packages": {"numpy": "2.5.0"}}, "package numpy: 2.4.6 against 2.5.0"),
    ({"packages": {}}, "package numpy: 2.4.6 against none"),
    ({"suite": {"prepare": PrepareSettings(seed=7)}}, "seed: 0 against 7"),
    ({"suite": {"tolerance": Tolerance(rtol={"": 0.5})}}, "tolerance: measured against rtol 0.5"),
    ({"finished": False}, "finished: yes against no"),
]
CASES: list[tuple[dict[str, Any], str]] = [
    ({"status": "partial"}, "status: ok against partial"),
    ({"runtime_version": "1.31.0"}, "runtime_version: 1.32.0 against 1.31.0"),
    ({"provider": "OpenVINOExecutionProvider"}, "provider: CPUExecutionProvider against OpenVINOExecutionProvider"),
    (
        {"runtime_options": "arena=off,fixed_shapes=image=[1, 8, 8, 3],optimization=all"},
        "runtime_options: arena=on against arena=off",
    ),
    ({"call_path": "run_with_iobinding"}, "call_path: InferenceSession.run against run_with_iobinding"),
    ({"batch_size": 8}, "batch_size: 1 against 8"),
    ({"batch_axis": "fixed in the file"}, "batch_axis: symbolic in the file, fixed by the runtime against fixed in"),
    ({"threads": 1}, "threads: 2 against 1"),
    ({"streams": 4}, "streams: 1 against 4"),
    ({"boundary": "device"}, "boundary: host against device"),
    ({"precision": "float16"}, "precision: float32 against float16"),
    ({"node_share": 0.9}, "node_share: 100 % against 90 %"),
    ({"time_share": 0.73}, "time_share: 100 % against 73 %"),
    ({"model_digest": "12" * 32}, "model_digest: abababababab against 121212121212"),
    ({"artifact_digest": "12" * 32}, "artifact_digest: cdcdcdcdcdcd against 121212121212"),
    ({"input_digest": "12" * 32}, "input_digest: efefefefefef against 121212121212"),
    ({"input_digest": None}, "input_digest: efefefefefef against unknown"),
    ({"truth": "tensorflow float32"}, "truth: float64 against tensorflow float32"),
    ({"percentile_block": "turns; p99: tail"}, "percentile_block: turns against turns; p99: tail"),
    ({"page_cache": "cold"}, "page_cache: warm against cold"),
]


@pytest.mark.parametrize(("changes", "said"), RUNS)
def test_a_field_of_the_run_is_named_with_both_values(changes: dict[str, Any], said: str) -> None:
    assert [spell_difference(one) for one in run_differences(env(), env(**changes))] == [said]
    comparison = compared([ort()], [ort()], environments=[env(), env(**changes)])
    assert not only(comparison).is_comparable
    assert comparison.exit_code == 5


@pytest.mark.parametrize(("changes", "said"), CASES)
def test_a_field_of_the_case_is_named_and_the_case_is_still_the_same(changes: dict[str, Any], said: str) -> None:
    placed = {"node_share": 1.0, "time_share": 1.0}
    comparison = compared([ort(**placed)], [ort(**(placed | changes))])
    one = only(comparison)
    assert one.standing == "same"
    (difference,) = one.differences
    assert spell_difference(difference).startswith(said)
    assert not one.is_comparable
    assert comparison.exit_code == 5


def test_every_field_is_tried_above() -> None:
    assert {said.partition(":")[0].partition(" ")[0] for _, said in RUNS} == set(RUN_FIELDS)
    tried = {said.partition(":")[0] for _, said in CASES}
    assert tried == set(CASE_FIELDS)


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": {"memory_bytes": (8 << 30) - (300 << 20)}},
        {"machine": {"logical_cpus": 8}},
        {"started": "2026-11-26T08:00:00+00:00"},
        {"command": "bench run something"},
        {"stages_s": {"measure": 99.0}},
        {"packages": {"numpy": "2.4.6", "pandas": "9", "msgspec": "9"}},
    ],
)
def test_what_jitters_or_cannot_matter_is_no_difference(changes: dict[str, Any]) -> None:
    assert run_differences(env(), env(**changes)) == ()


@pytest.mark.parametrize(
    "changes", [{"cautions": "contended: x"}, {"cpu_per_wall": 0.3}, {"calls": 151}, {"label": ""}]
)
def test_what_jitters_in_a_row_is_no_difference(changes: dict[str, Any]) -> None:
    assert case_differences(ort(), ort(**changes)) == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ({"time_share": 0.73}, {"time_share": 0.74}, False),
        ({"time_share": 0.73}, {"time_share": 0.76}, True),
        ({"time_share": 0.73}, {"time_share": None}, False),
        ({"node_share": 0.9}, {"node_share": 0.91}, True),
        ({"node_share": 1.0}, {"node_share": None}, False),
    ],
)
def test_placement_differs_beyond_what_is_measured_twice(ours: Any, theirs: Any, differs: bool) -> None:
    for one, other in ((ours, theirs), (theirs, ours)):
        assert bool(case_differences(ort(**one), ort(**other))) is differs


def test_digests_that_begin_alike_are_shown_whole() -> None:
    differences = case_differences(ort(model_digest="ab" * 32), ort(model_digest="ab" * 31 + "cc"))
    assert differences[0].other == "ab" * 31 + "cc"


@pytest.mark.parametrize(
    ("allowed", "environments", "rows"),
    [
        ("package", [env(), env(packages={"numpy": "2.5.0"})], [ort(), ort()]),
        ("cpu,system", [env(), env(machine={"cpu": "Other", "system": "Linux 7"})], [ort(), ort()]),
        ("model_digest, artifact_digest", [], [ort(), ort(model_digest="x", artifact_digest="y")]),
    ],
)
def test_an_allowed_difference_is_said_and_hinders_nothing(allowed: str, environments: Any, rows: Any) -> None:
    comparison = compared([rows[0]], [rows[1]], environments=environments, allowed=parse_allowed([allowed]))
    said = (*comparison.runs[0].differences, *only(comparison).differences)
    assert said
    assert all(spell_difference(one).endswith(" (allowed)") for one in said)
    assert only(comparison).is_comparable
    assert comparison.exit_code == 0


def test_a_field_that_is_not_there_can_not_be_allowed() -> None:
    with pytest.raises(UsageError, match=r"--allow mhz: no such field; .* cpu, isa, .* page_cache"):
        parse_allowed(["cpu,mhz"])
