"""Which tensor is a faulty layer's result, where its nodes compute something right on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bench.prepare.steps import first_wrong
from bench.records import Tensor


def test_what_a_faulty_layer_still_computes_rightly_on_its_way_is_not_its_result(tmp_path: Path) -> None:
    steps = steps_beside(elu(alpha=1.0), elu(alpha=0.8), tmp_path)  # 0.8 x Elu(x): the Elu itself is right
    place = first_wrong(steps, [step.file_error for step in steps])
    assert place is not None
    assert steps[place].name == "elu"
    assert "elu" in (steps[place].tensor or "")


def test_a_right_layer_of_the_same_kind_is_not_wrong(tmp_path: Path) -> None:
    for alpha in (1.0, 0.8):
        steps = steps_beside(elu(alpha=alpha), elu(alpha=alpha), tmp_path)
        assert [step.name for step in steps if step.tensor is None] == []
        assert first_wrong(steps, [step.file_error for step in steps]) is None


@pytest.mark.parametrize(("call", "name"), [(0, "block/inner"), (1, "block (call 2)/inner")])
def test_the_result_of_one_faulty_call_of_a_layer_called_twice_is_behind_its_activation(
    tmp_path: Path, call: int, name: str
) -> None:
    steps = steps_beside(twice(), twice(), tmp_path, lambda proto: other_activation(proto, call))
    place = first_wrong(steps, [step.file_error for step in steps])
    assert place is not None
    assert steps[place].name == name
    made = next(node for node in onnx.load(tmp_path / "wrong.onnx").graph.node if steps[place].tensor in node.output)
    assert made.op_type == "Tanh"
    right = steps_beside(twice(), twice(), tmp_path)
    assert first_wrong(right, [step.file_error for step in right]) is None


def other_activation(proto: Any, call: int) -> None:
    relu = [node for node in proto.graph.node if node.op_type == "Relu"]
    assert len(relu) == 2
    relu[call].op_type = "Tanh"


def twice() -> Any:
    """A nested model that is called twice, its last layer with an activation of its own."""
    import keras

    keras.utils.set_random_seed(1)
    keras.backend.clear_session()
    block = keras.Sequential([keras.Input((6,)), dense("before"), dense("inner", activation="relu")], name="block")
    x = keras.Input((6,), name="x")
    return keras.Model(x, keras.layers.Dense(3, name="out")(block(block(x))), name="net")


def dense(name: str, **settings: Any) -> Any:
    import keras

    return keras.layers.Dense(6, bias_initializer=keras.initializers.RandomNormal(0.3), name=name, **settings)


def elu(alpha: float) -> Any:
    """Two branches that meet behind an ELU."""
    import keras

    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="x")
    h = keras.layers.Dense(5, name="dense")(x)
    joined = keras.layers.Concatenate(name="join")([keras.layers.ELU(alpha, name="elu")(h), h])
    return keras.Model(x, keras.layers.Dense(3, name="out")(joined), name="net")


def steps_beside(right: Any, wrong: Any, folder: Path, change: Callable[[Any], None] = lambda _: None) -> Any:
    """The steps of the right model beside the file of the wrong one, ``change``d."""
    from bench.prepare.child.export import convert
    from bench.prepare.child.layer_steps import TracedCalls, layer_steps
    from bench.prepare.child.named import from_keras, trace

    wrong.set_weights(right.get_weights())
    named, faulty = from_keras(right, {}), from_keras(wrong, {})
    inputs = (Tensor(name="x", shape=(None, 6), dtype="float32"),)
    pool = {"x": np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)}
    proto = convert(faulty, trace(faulty), [Tensor(name="out", shape=(None, 3), dtype="float32")], 18)
    change(proto)
    (folder / "wrong.onnx").write_bytes(proto.SerializeToString())
    return layer_steps(TracedCalls(named, inputs).truths(pool, 0), folder / "wrong.onnx", inputs, pool, folder)
