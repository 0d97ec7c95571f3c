"""Which case meets which: the baseline's set is what is expected, and each field that differs is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.check.pairing import Pairing, names_of, pair_cases
from bench.check.records import Bundle, BundledCase
from bench.records import Failure
from gate_fakes import NET, NOWHERE, bundle, bundled, prepared, replace

OTHER = "other | onnxruntime-cpu | batch 1 | threads 1"


def paired(baseline: Bundle, head: Bundle, **changes: Any) -> Pairing:
    fields: dict[str, Any] = {"metrics": ("latency",), "delta": 0.05, "budgets": {}}
    return pair_cases(baseline, head, **(fields | changes))


def why(baseline: Bundle, head: Bundle) -> list[tuple[str, str, str]]:
    return [(one.case, one.answer, one.reason) for one in paired(baseline, head).refused]


def test_equal_bundles_pair_whole() -> None:
    both = bundle(bundled(), bundled(OTHER))
    found = paired(both, both)
    assert [case.name for case in found.cases] == [NET, OTHER]
    assert (found.refused, found.new) == ((), ())


def test_a_case_that_is_gone_is_a_verdict_for_every_metric() -> None:
    found = paired(bundle(bundled(), bundled(OTHER)), bundle(), metrics=("latency", "load"))
    assert [(one.case, one.metric, one.answer) for one in found.refused] == [
        (OTHER, "latency", "NOT COMPARABLE"),
        (OTHER, "load", "NOT COMPARABLE"),
    ]


def test_a_case_that_may_be_renamed_is_told_with_its_new_name() -> None:
    assert why(bundle(), bundle(bundled(OTHER))) == [
        (NET, "NOT COMPARABLE", f"gone: head has no such case, but a new one {OTHER}: renamed?")
    ]
    assert why(bundle(bundled(), bundled(OTHER)), bundle()) == [
        (OTHER, "NOT COMPARABLE", "gone: head has no such case")
    ]


@pytest.mark.parametrize("twice", [0, 1])
def test_a_case_that_is_there_twice_is_judged_once_and_refused(twice: int) -> None:
    sides = [bundle(), bundle(bundled(), bundled())]
    found = why(sides[1 - twice], sides[twice])
    assert found == [(NET, "NOT COMPARABLE", "the case is there more than once: label its runtimes, as in cpu#a,cpu#b")]


def test_a_new_case_is_told_and_not_gated() -> None:
    found = paired(bundle(), bundle(bundled(), bundled(OTHER)))
    assert (found.new, [case.name for case in found.cases], found.refused) == ((OTHER,), [NET], ())


def case_with(**changes: Any) -> BundledCase:
    one = bundled()
    own = {key: changes.pop(key) for key in list(changes) if key in ("info",)}
    return replace(one, case=replace(one.case, **changes), **own)


INPUTS = prepared(pool=replace(NOWHERE, digest="another digest"))


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (lambda: bundle(models={"net": INPUTS}), "inputs differ: digest of in against another dige"),
        (lambda: bundle(case_with(batch_size=4)), "batch differ: 1 against 4"),
        (lambda: bundle(case_with(threads=2)), "threads differ: 1 against 2"),
        (
            lambda: bundle(case_with(info=replace(bundled().info, call_path="predict"))),
            "call path differ: session.run against predict",
        ),
        (
            lambda: bundle(case_with(info=replace(bundled().info, provider="CUDAExecutionProvider"))),
            "provider differ: CPUExecutionProvider against CUDAExecutionProvider",
        ),
    ],
)
def test_the_field_that_differs_is_named_with_both_values(head: Callable[[], Bundle], reason: str) -> None:
    ((name, answer, said),) = why(bundle(), head())
    assert (name, answer) == (NET, "NOT COMPARABLE")
    assert said.startswith(reason)


@pytest.mark.parametrize(
    "head",
    [
        lambda: bundle(case_with(info=replace(bundled().info, runtime_version="9.9"))),
        lambda: bundle(replace(bundled(), pins={"numpy": "9"})),
        lambda: bundle(replace(bundled(), artifact_bytes=5)),
        lambda: bundle(models={"net": prepared(model_digest="another model")}),
        lambda: bundle(origin="elsewhere", made="2020-01-01T00:00:00+00:00"),
    ],
)
def test_what_a_gate_is_about_may_differ(head: Callable[[], Bundle]) -> None:
    assert why(bundle(), head()) == []


def test_a_budget_of_a_case_is_its_delta_also_where_it_is_refused() -> None:
    found = paired(bundle(bundled(), bundled(OTHER)), bundle(), budgets={NET: 0.2, OTHER: 0.3})
    assert (found.cases[0].delta, found.refused[0].delta) == (0.2, 0.3)


CRASHED = Failure(status="crashed", reason="it died")


def test_a_case_that_a_side_could_not_be_bundled_with_is_that_sides() -> None:
    assert why(bundle(), bundle(bundled(OTHER), missing={NET: CRASHED})) == [(NET, "FAILED", "head crashed: it died")]
    wrong = replace(CRASHED, verdict="disagrees")
    assert why(bundle(), bundle(bundled(OTHER), missing={NET: wrong})) == [(NET, "DISAGREES", "head crashed: it died")]
    lost = bundle(bundled(OTHER), missing={NET: CRASHED})
    assert why(lost, bundle(bundled(), bundled(OTHER))) == [(NET, "NOT COMPARABLE", "baseline crashed: it died")]
    assert why(lost, lost) == [(NET, "FAILED", "head crashed: it died")]
    assert paired(lost, bundle(bundled(), bundled(OTHER))).new == ()


def test_a_new_case_that_head_could_not_be_bundled_with_has_failed() -> None:
    found = paired(bundle(), bundle(bundled(), missing={OTHER: CRASHED}))
    assert [(one.case, one.answer, one.reason) for one in found.refused] == [
        (OTHER, "FAILED", "new: head crashed: it died")
    ]
    assert found.new == ()
    there = paired(bundle(), bundle(bundled(), bundled(OTHER)))
    assert (there.refused, there.new) == ((), (OTHER,))


def test_names_hold_what_another_version_shares() -> None:
    assert names_of([("net", "onnxruntime-cpu", "", 1, 2, "")]) == ["net | onnxruntime-cpu | batch 1 | threads 2"]
    assert names_of([("net", "onnxruntime-cpu", "arena=off", 1, 1, "a")]) == [
        "net | onnxruntime-cpu#a | batch 1 | threads 1"
    ]


def test_options_tell_apart_what_would_have_one_name() -> None:
    found = names_of([("net", "cpu", "arena=off", 1, 1, ""), ("net", "cpu", "", 1, 1, ""), ("net", "tf", "", 1, 1, "")])
    assert found == [
        "net | cpu:arena=off | batch 1 | threads 1",
        "net | cpu | batch 1 | threads 1",
        "net | tf | batch 1 | threads 1",
    ]


def test_a_case_of_other_threads_is_told_by_them() -> None:
    other = NET.replace("threads 1", "threads 2")
    (refused,) = pair_cases(bundle(), bundle(bundled(other)), metrics=("latency",), delta=0.05, budgets={}).refused
    assert refused.reason == "gone: head has threads 2 in the place of threads 1"
