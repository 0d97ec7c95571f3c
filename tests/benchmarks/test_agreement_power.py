import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from bench.prepare.arrays import save_arrays
from bench.records import Artifact, Prepared, Tensor
from benchmarks import agreement_power as power
from benchmarks import judges
from benchmarks import power_table as table

Array = np.ndarray[Any, np.dtype[Any]]

FEATURES, CLASSES, ITEMS = 6, 4, 8
IMAGE = np.random.default_rng(1).normal(0, 1, (ITEMS, 2, 2, FEATURES)).astype(np.float32)


def classifier(kernel_scale: float) -> ModelProto:
    """ReLU6, mean, dense, softmax under names of its own; a scale of 0 makes every answer the same."""
    rng = np.random.default_rng(2)
    weights = {
        "low": np.array(0.0),
        "high": np.array(0.7),
        "kernel": kernel_scale * rng.normal(0, 2, (FEATURES, CLASSES)),
        "bias": rng.normal(0, 1, CLASSES),
    }
    nodes = [
        helper.make_node("Clip", ["in:0", "low", "high"], ["capped"]),
        helper.make_node("ReduceMean", ["capped", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["out:0"]),
    ]
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("in:0", TensorProto.FLOAT, ["n", 2, 2, FEATURES])],
        [helper.make_tensor_value_info("out:0", TensorProto.FLOAT, ["n", CLASSES])],
        [*constants, numpy_helper.from_array(np.array([1, 2]), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def in_float64(model: ModelProto) -> Array:
    weights = {tensor.name: numpy_helper.to_array(tensor).astype(float) for tensor in model.graph.initializer}
    mean = np.clip(IMAGE.astype(float), 0, weights["high"]).mean((1, 2))
    logits = np.exp(mean @ weights["kernel"] + weights["bias"])
    return np.asarray(logits / logits.sum(1, keepdims=True))


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[[float], Prepared]:
    def prepared(kernel_scale: float) -> Prepared:
        model = classifier(kernel_scale)
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        image = Tensor(name="image", shape=(None, 2, 2, FEATURES), dtype="float32")
        scores = Tensor(name="scores", shape=(None, CLASSES), dtype="float32")
        artifact = Artifact(
            kind="onnx",
            path=str(path),
            digest="0",
            size_bytes=path.stat().st_size,
            inputs=(image,),
            outputs=(scores,),
            names={"in:0": "image", "out:0": "scores"},
        )
        return Prepared(
            model="classifier",
            model_digest="0",
            inputs=(image,),
            outputs=(scores,),
            output_paths={},
            artifacts={"onnx": artifact},
            failures={},
            pool=save_arrays(tmp_path / "pool.npz", {"image": IMAGE}),
            truth_file=save_arrays(tmp_path / "truth.npz", {"scores": in_float64(model)}),
            truth="float64",
            yardstick={"scores": 1e-6},
            parameters=None,
            multiply_adds=None,
            versions={},
        )

    return prepared


def without_polygraphy(truth: dict[str, Array], files: Sequence[dict[str, Array]]) -> list[tuple[bool, ...]]:
    """The judges that need no environment; polygraphy's place is taken by the rule of its defaults."""
    limits = (1e-5, 1e-5, 1e-3)
    return [
        (*(judges.passes_allclose(truth, one, limit) for limit in limits), judges.passes_cosine(truth, one))
        for one in files
    ]


def test_every_mutant_is_called_out_and_the_correct_file_agrees_at_every_level(
    prepare: Callable[[float], Prepared],
) -> None:
    outcomes = power.judge_model(prepare(1.0), without_polygraphy)
    assert [o.kind for o in outcomes if o.is_correct] == [
        f"{level}, {threads} threads" for level in ("off", "basic", "extended", "all") for threads in (1, 2)
    ]
    assert {o.verdict for o in outcomes if o.is_correct} == {"agrees"}
    assert len(table.scored(outcomes)) >= 12
    assert {o.verdict for o in table.scored(outcomes)} == {"disagrees"}
    assert table.mistakes(outcomes) == []


def test_where_outputs_do_not_depend_on_the_input_no_file_agrees(prepare: Callable[[float], Prepared]) -> None:
    outcomes = power.judge_model(prepare(0.0), without_polygraphy)
    assert {o.verdict for o in outcomes if o.is_correct} == {"vacuous"}
    assert table.undetected(outcomes) == []
    permuted = next(o for o in outcomes if o.kind == "batch rows permuted")
    assert permuted.passes[1:3] == (True, True)
    assert permuted.verdict == "vacuous"


def test_names_of_the_file_are_those_of_the_model_in_the_answer() -> None:
    answers = power.run_file(classifier(1.0), {"in:0": "image", "out:0": "scores"}, {"image": IMAGE}, "off", 1)
    assert list(answers) == ["scores"]


def test_untrained_weights_are_one_more_option_of_a_model() -> None:
    assert power._untrained("mobilenet_v1") == "mobilenet_v1:weights=random"
    assert power._untrained("mobilenet_v1:alpha=0.5") == "mobilenet_v1:alpha=0.5,weights=random"
