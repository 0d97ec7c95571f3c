"""A model taken apart: its steps, their truths, the tensors that hold them, and the one layer that a file has wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.errors import UsageError
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.dissection import Dissection, DissectRequest, Step
from bench.prepare.steps import first_wrong, in_layout, step_error, to_blame
from bench.records import Prepared, PrepareSettings
from bench.specs import parse_model

pytestmark = pytest.mark.slow

NETS = Path(__file__).with_name("dissected_nets.py")
KINDS = Path(__file__).with_name("model_kinds.py")
Prepare = Callable[..., Prepared]
Dissect = Callable[..., Dissection]


@pytest.fixture
def dissect(prepare_here: Prepare, tmp_path: Path) -> Dissect:
    """A function: a spec -> its dissection, in this process; ``change`` may alter the request."""
    from bench.prepare.child import dissect as task

    def taken_apart(spec: str, *, settings: dict[str, Any] | None = None, **change: Any) -> Dissection:
        prepared = prepare_here(spec, **(settings or {}))
        request = DissectRequest(
            prepared=prepared,
            spec=parse_model(spec),
            settings=PrepareSettings(**(settings or {})),
            artifact={**prepared.rejected, **prepared.artifacts}["onnx"],
            budget_bytes=2**30,
        )
        request = msgspec.structs.replace(request, **change)
        return task.answer(request, tmp_path, lambda _: None)

    return taken_apart


def by_name(dissection: Dissection) -> dict[str, Step]:
    steps = {step.name: step for step in dissection.steps}
    assert len(steps) == len(dissection.steps)
    return steps


@pytest.mark.parametrize("net", ["residual", "recurrent", "transformer", "shared", "several_axes", "deep"])
def test_a_right_file_has_no_wrong_step_and_a_tensor_for_nearly_all(dissect: Dissect, net: str) -> None:
    dissection = dissect(f"{NETS}:{net}")
    assert dissection.truth in ("float64", "tensorflow float32")
    assert first_wrong(dissection.steps, [step.file_error for step in dissection.steps]) is None
    lost = {step.kind for step in dissection.steps if step.tensor is None}
    assert lost <= {"Conv2D", "LSTM"}  # into its batch norm; the half that runs backwards
    fused = {name for step in dissection.steps for name in step.fused}
    assert {step.name for step in dissection.steps if step.tensor is None} == fused


def test_truths_are_what_the_layers_give_and_tensors_hold_them(dissect: Dissect, prepare_here: Prepare) -> None:
    from bench.prepare.child.onnx_run import open_unoptimised  # the steps that are outputs of the file

    dissection = dissect(f"{NETS}:shared")
    prepared = prepare_here(f"{NETS}:shared")
    expected, pool = load_arrays(prepared.truth_file), load_arrays(dissection.pool)
    run = open_unoptimised(Path(prepared.artifacts["onnx"].path))
    for name, place in dissection.outputs.items():
        step = dissection.steps[place]
        assert step.truth is not None
        truth = load_arrays(step.truth)["value"]
        assert truth.dtype == np.float64
        assert np.allclose(truth, expected[name][: len(truth)], rtol=1e-12, atol=1e-12)
        rows = [run({"image": pool["image"][i : i + 1]})[str(step.tensor)] for i in range(len(truth))]
        assert step_error(truth, np.concatenate([in_layout(step, row) for row in rows])) == step.file_error


def test_names_tell_the_way_through_nested_models_and_the_call(dissect: Dissect) -> None:
    steps = by_name(dissect(f"{NETS}:shared"))
    assert {"stem/depthwise_conv2d", "stem", "body/flatten", "body (call 2)/flatten", "body (call 2)"} <= set(steps)
    places = list(steps)
    assert places.index("stem/depthwise_conv2d") < places.index("stem")
    assert steps["stem"].tensor == steps["stem/re_lu"].tensor
    assert steps["body/flatten"].tensor != steps["body (call 2)/flatten"].tensor


def test_a_batch_norm_takes_its_convolution_in_and_says_whose_kernel_it_is(dissect: Dissect) -> None:
    dissection = dissect(f"{NETS}:residual")
    steps = by_name(dissection)
    norm = steps["batch_normalization"]
    assert (norm.fused, norm.blame, norm.axes) == (("conv2d",), "conv2d", (0, 2, 3, 1))
    assert steps["conv2d"].tensor is None
    assert [dissection.steps[place].name for place in steps["add"].before] == ["re_lu", "batch_normalization_2"]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("subclassed", ["dense"]),
        ("by_name", ["rescaling", "concatenate", "dense", "dense_2", "dense_1"]),
        ("layer_twice", ["shared", "shared (call 2)"]),
        ("nested", ["functional/conv2d", "functional/flatten", "functional/out", "functional", "head"]),
        ("own_input", []),
    ],
)
def test_every_kind_of_model_has_its_calls_in_order(dissect: Dissect, spec: str, names: list[str]) -> None:
    settings = {"input_shapes": {"x": (1, 4)}} if spec == "subclassed" else {}
    dissection = dissect(f"{KINDS}:{spec}", settings=settings)
    assert [step.name for step in dissection.steps] == names
    assert all(step.tensor for step in dissection.steps)


def test_integers_have_a_truth_and_no_yardstick(dissect: Dissect) -> None:
    spec, settings = f"{KINDS}:half_rounded_down", {"input_ranges": {"x": (-9.0, 9.0)}}
    step = dissect(spec, settings=settings).steps[0]
    assert (step.yardstick, step.spread) == (None, None)
    assert step.file_error is not None
    assert step.file_error > 0.1
    assert step.truth is not None
    assert load_arrays(step.truth)["value"].dtype.kind == "i"


def test_a_small_budget_takes_fewer_items_in_float32(dissect: Dissect) -> None:
    dissection = dissect(f"{NETS}:residual", budget_bytes=1000)
    assert dissection.pool.items == 2
    truth = dissection.steps[0].truth
    assert truth is not None
    assert load_arrays(truth)["value"].dtype == np.float32


def test_a_pool_of_one_item_is_refused_with_the_way_on(dissect: Dissect, prepare_here: Prepare, tmp_path: Path) -> None:
    spec = f"{KINDS}:sequential"
    prepared = prepare_here(spec)
    one = save_arrays(tmp_path / "one.npz", {n: a[:1] for n, a in load_arrays(prepared.pool).items()})
    with pytest.raises(UsageError, match=r"given 1 input, .* give 2 inputs or more, 8 are best"):
        dissect(spec, prepared=msgspec.structs.replace(prepared, pool=one))


def test_a_bare_file_is_its_nodes(dissect: Dissect, prepare_here: Prepare) -> None:
    path = prepare_here(f"{NETS}:residual").artifacts["onnx"].path
    dissection = dissect(path)
    assert dissection.truth == "onnxruntime-cpu unoptimised"
    kinds = [step.kind for step in dissection.steps]
    assert kinds.count("Conv") == 5
    assert {step.file_error for step in dissection.steps} == {0.0}
    last = dissection.steps[dissection.outputs["dense"]]
    assert last.before
    assert last.yardstick is not None
    assert 0 < last.yardstick < 1e-3


def test_the_pool_of_a_fixed_batch_is_whole_batches(dissect: Dissect) -> None:
    dissection = dissect(f"{KINDS}:fixed_batch")
    assert dissection.pool.items == 9
    assert dissection.steps[0].shape == (9, 3)


def test_what_is_not_a_step_of_the_layers_is_one_of_the_model() -> None:
    import keras
    import tensorflow as tf

    from bench.prepare.child.layer_calls import record_calls
    from bench.prepare.child.named import from_keras, trace

    class Halved(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(2, name="inner")

        def call(self, x: Any) -> Any:
            return {"half": self.inner(x) / 2.0, "whole": tf.shape(x)}

    recording = record_calls(from_keras(Halved(), {"x": (1, 3)}))
    trace(recording.named).get_concrete_function()
    assert [(call.name, call.kind) for call in recording.calls][:2] == [("inner", "Dense"), ("half", "Halved")]
    assert recording.outputs["half"] == 1


FAULTS: list[tuple[str, str, str, str]] = [
    ("residual", "conv2d_3", "kernel", "times"),
    ("residual", "conv2d_1", "kernel", "mirrored"),
    ("residual", "batch_normalization_2", "gamma", "times"),
    ("residual", "batch_normalization_3", "beta", "mirrored"),
    ("residual", "batch_normalization_1", "gamma", "zero"),
    ("residual", "dense", "bias", "mirrored"),
    ("deep", "layer_4", "kernel", "times"),
    ("deep", "layer_77", "kernel", "times"),
    ("deep", "layer_148", "kernel", "mirrored"),
    ("deep", "layer_149", "bias", "times"),
    ("recurrent", "bidirectional/forward_lstm", "kernel", "times"),
    ("recurrent", "bidirectional/forward_lstm", "recurrent_kernel", "mirrored"),
    ("recurrent", "bidirectional/backward_lstm", "recurrent_kernel", "times"),
    ("recurrent", "lstm_1", "kernel", "nan"),
    ("recurrent", "gru", "recurrent_kernel", "mirrored"),
    ("recurrent", "simple_rnn", "kernel", "times"),
    ("transformer", "multi_head_attention/query", "kernel", "mirrored"),
    ("transformer", "multi_head_attention/value", "kernel", "times"),
    ("transformer", "dense_1", "kernel", "times"),
    ("transformer", "layer_normalization", "gamma", "mirrored"),
    ("shared", "stem/conv2d", "kernel", "times"),
    ("shared", "stem/depthwise_conv2d", "kernel", "mirrored"),
    ("shared", "body/conv2d_1", "kernel", "mirrored"),
    ("shared", "body/conv2d_1", "kernel", "times"),
    ("several_axes", "conv1d", "kernel", "mirrored"),
    ("several_axes", "batch_normalization", "beta", "mirrored"),
    ("several_axes", "conv2d_transpose", "kernel", "times"),
    ("several_axes", "conv3d", "kernel", "zero"),
    ("several_axes", "p_re_lu", "alpha", "mirrored"),
]
CHANGES: dict[str, Callable[[Any], Any]] = {
    "times": lambda w: w * 1.03,
    "mirrored": lambda w: w[::-1],
    "zero": lambda w: w * 0.0,
    "nan": lambda w: np.where(np.arange(w.size).reshape(w.shape) == 0, np.nan, w),
}


@pytest.mark.parametrize(("net", "layer", "weight", "change"), FAULTS)
def test_the_one_faulty_layer_is_named(net: str, layer: str, weight: str, change: str, wrong_file: Any) -> None:
    steps = wrong_file(net, layer, weight, CHANGES[change])
    place = first_wrong(steps, [step.file_error for step in steps])
    assert place is not None
    assert (steps[place].blame or steps[place].name) == layer
    assert to_blame(steps, place).startswith(f"layer {layer.rpartition('/')[2]}, ")


@pytest.mark.parametrize("fault", [FAULTS[1], FAULTS[3], FAULTS[18], FAULTS[19]])
def test_the_faulty_layer_is_named_in_a_file_with_the_scopes_of_another_exporter(fault: Any, wrong_file: Any) -> None:
    net, layer, weight, change = fault

    def as_others_do(name: str) -> str:
        return re.sub(r"_1(?=/)", "", name.replace("functional_1/", "StatefulPartitionedCall/model/"))

    steps = wrong_file(net, layer, weight, CHANGES[change], as_others_do)
    place = first_wrong(steps, [step.file_error for step in steps])
    assert place is not None
    assert (steps[place].blame or steps[place].name) == layer


@pytest.fixture(scope="module")
def wrong_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Step]]:
    """A function: the steps of a net beside a file that was exported with one weight of one layer changed."""
    import keras

    from bench.prepare.child.layer_steps import TracedCalls, layer_steps
    from bench.prepare.child.load import load_keras_model
    from bench.prepare.child.named import from_keras
    from bench.prepare.inputs import make_pool
    from bench.records import Tensor

    made: dict[str, Any] = {}
    folder = tmp_path_factory.mktemp("wrong")

    def take_apart(net: str) -> Any:
        keras.backend.clear_session()
        named = from_keras(load_keras_model(parse_model(f"{NETS}:{net}"), PrepareSettings()).model, {})
        inputs = tuple(Tensor(name=t.name, shape=(None, *t.shape[1:]), dtype=t.dtype) for t in named.inputs)
        pool = make_pool(inputs, {tensor.name: (-1.0, 1.0) for tensor in inputs}, 0, 8)
        return named, inputs, pool, TracedCalls(named, inputs).truths(pool, 0)

    def steps_of(
        net: str, layer: str, weight: str, change: Callable[[Any], Any], rename: Callable[[str], str] = str
    ) -> list[Step]:
        if net not in made:
            made[net] = take_apart(net)
        named, inputs, pool, layers = made[net]
        call = next(call for call in layers.calls if call.name == layer)
        variable = next(v for v in call.layer.weights if v.path.rsplit("/", 1)[-1] == weight)
        right = np.asarray(variable)
        variable.assign(change(right))
        try:
            export(named, folder / "wrong.onnx", rename)
        finally:
            variable.assign(right)
        return layer_steps(layers, folder / "wrong.onnx", inputs, pool, folder)

    return steps_of


def export(named: Any, path: Path, rename: Callable[[str], str]) -> None:
    """The model as it is now, converted and not looked at, its inner names changed."""
    import onnx

    from bench.prepare.child import onnx_graph
    from bench.prepare.child.export import convert
    from bench.prepare.child.named import trace
    from bench.records import Tensor

    function = trace(named)
    function.get_concrete_function()
    outputs = [Tensor(name=name, shape=(None, 1), dtype="float32") for name in named.output_paths]
    proto = convert(named, function, outputs, opset=18)
    onnx_graph._rename_all(proto.graph, lambda name: name if name in named.output_paths else rename(name))
    onnx.save(proto, path)
