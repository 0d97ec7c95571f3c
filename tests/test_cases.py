"""Cases, their ids, and what refuses them before a worker is started."""

from __future__ import annotations

import msgspec

from bench.cases import Group, build_groups, make_arm
from bench.measure.rounds import Arm
from bench.records import (
    ArrayFile,
    Artifact,
    Case,
    CaseRepetition,
    Failure,
    MeasureSettings,
    ModelSpec,
    Prepared,
    PrepareSettings,
    RuntimeSpec,
    Suite,
    Tensor,
)
from fakes import artifact, runtime

MODEL = ModelSpec(text="m", kind="zoo", name="m", display="m")
SHAPES = {"m": {"x": (8, 4)}}


def prepared(**artifacts: Artifact) -> Prepared:
    file = ArrayFile(path="f.npz", digest="d", items=8)
    return Prepared(
        model="m",
        model_digest="d",
        inputs=(Tensor(name="x", shape=(None, 4), dtype="float32"),),
        outputs=(Tensor(name="y", shape=(None, 2), dtype="float32"),),
        output_paths={},
        artifacts=artifacts,
        failures={},
        pool=file,
        truth_file=file,
        truth="float64",
        yardstick={},
        parameters=None,
        multiply_adds=None,
        versions={},
    )


BOTH = prepared(onnx=artifact(), saved_model=artifact(kind="saved_model"))


def suite(*runtimes: RuntimeSpec, batches: tuple[int, ...] = (1,), **changes: object) -> Suite:
    made = Suite(
        models=(MODEL,),
        runtimes=runtimes,
        batch_sizes={"m": batches},
        threads=2,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    return msgspec.structs.replace(made, **changes)


def groups(asked: Suite, what: Prepared | Failure = BOTH, available: int = 10**12) -> list[Group]:
    return build_groups(asked, {"m": what}, SHAPES, available)


def case(batch_size: int = 1) -> Case:
    spec = runtime()
    return Case(case_id="c", model="m", runtime=spec, batch_size=batch_size, threads=2)


def refusal(what: Prepared | Failure, batch_size: int = 1) -> CaseRepetition:
    answer = make_arm(case(batch_size), what, SHAPES)
    assert isinstance(answer, CaseRepetition)
    return answer


def test_a_group_is_one_model_at_one_batch_size_with_every_runtime() -> None:
    made = groups(suite(runtime("tensorflow"), runtime(), batches=(1, 8)))
    assert [[c.runtime.name for c in group.cases] for group in made] == [["tensorflow", "onnxruntime-cpu"]] * 2
    assert [group.cases[0].batch_size for group in made] == [1, 8]
    assert [group.number for group in made] == [0, 1]


def test_case_ids_are_unique_and_the_same_in_every_run() -> None:
    asked = suite(runtime(label="a"), runtime(label="b"), batches=(1, 8))
    ids = [c.case_id for group in groups(asked) for c in group.cases]
    assert len(set(ids)) == 4
    assert ids == [c.case_id for group in groups(asked) for c in group.cases]


def test_a_worker_is_told_everything_in_the_artifacts_own_names() -> None:
    file = artifact(inputs=(Tensor(name="Input:0", shape=(None, 4), dtype="float32"),), names={"Input:0": "x"})
    arm = make_arm(case(3), prepared(onnx=file), SHAPES)
    assert isinstance(arm, Arm)
    assert [(t.name, t.shape) for t in arm.request.settings.inputs] == [("Input:0", (3, 4))]
    assert arm.request.settings.outputs == ("y",)
    assert arm.request.settings.threads == 2


def test_an_onnx_file_runs_on_onnx_runtime_alone_where_nobody_named_a_runtime() -> None:
    onnx = msgspec.structs.replace(MODEL, kind="onnx")
    asked = suite(runtime("tensorflow"), runtime(), models=(onnx,))
    assert len(groups(asked)[0].cases) == 2
    defaulted = msgspec.structs.replace(asked, defaulted_runtimes=True)
    assert [c.runtime.name for c in groups(defaulted)[0].cases] == ["onnxruntime-cpu"]


def test_all_is_every_runtime_that_can_load_the_model() -> None:
    onnx = msgspec.structs.replace(MODEL, kind="onnx")
    of_all = tuple(msgspec.structs.replace(runtime(name), text="all") for name in ("tensorflow", "onnxruntime-cpu"))
    assert [c.runtime.name for c in groups(suite(*of_all, models=(onnx,)))[0].cases] == ["onnxruntime-cpu"]
    assert len(groups(suite(*of_all))[0].cases) == 2


def test_a_model_that_could_not_be_prepared_fails_each_of_its_cases_with_the_reason() -> None:
    (group,) = groups(suite(runtime("tensorflow"), runtime()), Failure(status="unsupported", reason="because"))
    assert group.arms == ()
    assert [(one.status, one.reason) for one in group.refused] == [("unsupported", "because")] * 2


def test_a_failed_export_refuses_onnx_runtime_and_leaves_tensorflow() -> None:
    failure = Failure(status="failed", reason="wrong", verdict="disagrees", relative_error=0.6)
    half = msgspec.structs.replace(prepared(saved_model=artifact(kind="saved_model")), failures={"onnx": failure})
    (group,) = groups(suite(runtime("tensorflow"), runtime()), half)
    assert [arm.case.runtime.name for arm in group.arms] == ["tensorflow"]
    (one,) = group.refused
    assert [(c.verdict, c.relative_error) for c in one.checks] == [("disagrees", 0.6)]


def test_inputs_of_other_names_are_a_failure_that_compared_nothing() -> None:
    other = artifact(inputs=(Tensor(name="z", shape=(None, 4), dtype="float32"),))
    one = refusal(prepared(onnx=other))
    assert (one.status, one.checks) == ("failed", [])
    assert "--onnx-names" in one.reason


def test_a_fixed_batch_refuses_every_other() -> None:
    fixed = prepared(onnx=artifact(inputs=(Tensor(name="x", shape=(4, 4), dtype="float32"),)))
    assert "use -b 4" in refusal(fixed).reason
    assert isinstance(make_arm(case(4), fixed, SHAPES), Arm)


def test_a_model_without_a_batch_runs_at_batch_1_only() -> None:
    alone = prepared(onnx=artifact(inputs=(Tensor(name="x", shape=(4,), dtype="float32", batched=False),)))
    assert "use -b 1" in refusal(alone, 2).reason
    assert isinstance(make_arm(case(1), alone, SHAPES), Arm)


def test_a_group_beyond_the_memory_is_split_and_says_so() -> None:
    asked = suite(runtime(label="a"), runtime(label="b"))
    assert [group.split for group in groups(asked, available=1)] == [True, True]
    assert [group.split for group in groups(asked)] == [False]


def test_numbers_of_streams_are_groups_of_their_own_and_reach_the_worker() -> None:
    made = groups(suite(runtime("tensorflow"), runtime(), batches=(1, 8), streams=(1, 4)))
    assert [(group.cases[0].batch_size, group.cases[0].streams) for group in made] == [(1, 1), (1, 4), (8, 1), (8, 4)]
    assert [len(group.cases) for group in made] == [2, 2, 2, 2]
    assert [{arm.request.streams for arm in group.arms} for group in made] == [{1}, {4}, {1}, {4}]
    ids = [c.case_id for group in made for c in group.cases]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "m | tensorflow | batch 1 | threads 2"  # as it always was
    assert ids[2] == "m | tensorflow | batch 1 | threads 2 | streams 4"


def test_a_file_that_the_version_asked_for_cannot_read_is_refused_before_anything_is_installed() -> None:
    old = RuntimeSpec(text="o", name="onnxruntime-cpu", display="onnxruntime-cpu@1.15.1", version="1.15.1")
    newer = prepared(onnx=artifact(opset=20, ir_version=8))
    (group,) = groups(suite(old, runtime()), newer)
    assert [one.status for one in group.refused] == ["unsupported"]
    assert "version 1.15.1 reads operator sets up to 19, the file is of 20" in group.refused[0].reason
    assert [arm.case.runtime.name for arm in group.arms] == ["onnxruntime-cpu"]
