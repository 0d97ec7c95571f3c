"""What each layer costs, and whose work real kernels are: names that runtimes gave, made here or as they were told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import onnxruntime as ort
import pytest

from bench.prepare.dissection import DissectRequest
from bench.prepare.layer_costs import Layers, LayersRequest, cost_layers
from bench.records import LayerCost, Prepared, PrepareSettings, Tensor
from bench.runtimes.onnx_graph import read_graph
from bench.runtimes.onnx_origins import Origins
from bench.specs import parse_model

pytestmark = pytest.mark.slow

NETS = Path(__file__).with_name("dissected_nets.py")
KINDS = Path(__file__).with_name("model_kinds.py")
MOBILENET = "mobilenet_v1:alpha=0.25,resolution=128"
Prepare = Callable[..., Prepared]
Names = Sequence[Sequence[str]]


def request(prepared: Prepared, spec: str, origins: Names = (), **settings: Any) -> LayersRequest:
    return LayersRequest(
        prepared=prepared,
        spec=parse_model(spec),
        settings=PrepareSettings(**settings),
        artifact=prepared.artifacts.get("onnx"),
        origins=tuple(tuple(names) for names in origins),
    )


@pytest.fixture
def layers_of(prepare_here: Prepare, tmp_path: Path) -> Callable[..., Layers]:
    from bench.prepare.child import layers as task

    def found(spec: str, origins: Names = (), **settings: Any) -> Layers:
        return task.answer(request(prepare_here(spec, **settings), spec, origins, **settings), tmp_path, lambda _: None)

    return found


def by_name(layers: Layers) -> dict[str, LayerCost]:
    assert len({cost.name for cost in layers.layers}) == len(layers.layers)
    return {cost.name: cost for cost in layers.layers}


def told(layers: Layers) -> list[list[str]]:
    return [[layers.layers[place].name for place in own] for own in layers.owners]


COUNTED = [
    *(MOBILENET, "article_cnn", f"{KINDS}:nested", f"{KINDS}:layer_twice", f"{KINDS}:grouped"),
    *(f"{NETS}:{net}" for net in ("residual", "shared", "several_axes", "deep")),
]


@pytest.mark.parametrize("spec", COUNTED)
def test_layers_add_up_to_the_model_and_the_nodes_of_its_file_to_the_same(
    layers_of: Callable[..., Layers], prepare_here: Prepare, spec: str, tmp_path: Path
) -> None:
    from bench.prepare.child import layers as task

    prepared = prepare_here(spec)
    costs = layers_of(spec).layers
    assert sum(cost.multiply_adds or 0 for cost in costs) == prepared.multiply_adds
    assert sum(cost.parameters for cost in costs) == prepared.parameters
    path = prepared.artifacts["onnx"].path
    nodes = task.answer(request(prepared, path), tmp_path, lambda _: None).layers
    assert sum(node.multiply_adds or 0 for node in nodes) == prepared.multiply_adds
    assert all(node.multiply_adds == 0 for node in nodes if node.kind in ("Mul", "Add", "Clip", "Relu", "Transpose"))


@pytest.mark.parametrize(("net", "rest"), [("transformer", 0), ("recurrent", 1155 + 252 + 12)])
def test_attention_and_lstms_cost_what_the_nodes_of_the_file_do_once_its_shapes_are_folded(
    prepare_here: Prepare, tmp_path: Path, net: str, rest: int
) -> None:
    """GRU and simple RNN are loops there, 7 steps of 15 by 6 + 5 and 4 by 5 + 4; the shape after them is not told."""
    from bench.prepare.child import onnx_file
    from bench.prepare.child.node_costs import NodeCosts

    prepared = prepare_here(f"{NETS}:{net}")
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "folded.onnx")
    batch = ort.InferenceSession(prepared.artifacts["onnx"].path).get_inputs()[0].shape[0]
    options.add_free_dimension_override_by_name(batch, 1)
    session = ort.InferenceSession(prepared.artifacts["onnx"].path, options)
    feed = session.get_inputs()[0]
    fixed = Tensor(name=feed.name, shape=(1, *feed.shape[1:]), dtype="float32")
    nodes = NodeCosts(onnx_file.read_graph(tmp_path / "folded.onnx"), [fixed]).each()
    assert sum(node.multiply_adds or 0 for node in nodes) + rest == prepared.multiply_adds


def test_a_layer_reads_and_writes_its_activations_and_all_its_weights(layers_of: Callable[..., Layers]) -> None:
    costs = by_name(layers_of(f"{NETS}:residual"))
    image, features = 10 * 9 * 3 * 4, 10 * 9 * 6 * 4
    assert costs["conv2d"] == LayerCost(
        name="conv2d",
        kind="Conv2D",
        window="3x3",
        multiply_adds=90 * 6 * 27,
        parameters=27 * 6,
        input_bytes=image,
        output_bytes=features,
        weight_bytes=27 * 6 * 4,
    )
    assert costs["batch_normalization"].parameters == 12  # its moving statistics are not trained, but read
    assert costs["batch_normalization"].weight_bytes == 4 * 6 * 4
    assert (costs["add"].input_bytes, costs["add"].output_bytes) == (2 * features, features)


def test_a_layer_called_again_has_its_work_and_weights_again_but_not_its_parameters(
    layers_of: Callable[..., Layers],
) -> None:
    costs = by_name(layers_of(f"{NETS}:shared"))
    first, again = costs["body/conv2d_1"], costs["body (call 2)/conv2d_1"]
    assert (first.multiply_adds, first.weight_bytes) == (again.multiply_adds, again.weight_bytes) == (5832, 648)
    assert (first.parameters, again.parameters) == (162, 0)


def test_a_layer_that_only_calls_others_is_none_and_one_that_computes_too_is(layers_of: Callable[..., Layers]) -> None:
    assert not {"stem", "body", "body (call 2)"} & set(by_name(layers_of(f"{NETS}:shared")))
    attention = by_name(layers_of(f"{NETS}:transformer"))["multi_head_attention"]
    assert (attention.parameters, attention.weight_bytes) == (0, 0)
    assert (attention.input_bytes, attention.output_bytes) == (3 * 6 * 8 * 4, 6 * 8 * 4)


def test_bytes_are_those_of_the_type_and_of_one_item(layers_of: Callable[..., Layers]) -> None:
    embedded = by_name(layers_of(f"{KINDS}:embedded"))["embedding"]
    assert (embedded.input_bytes, embedded.output_bytes) == (5 * 4, 5 * 4 * 4)
    dense = by_name(layers_of(f"{KINDS}:fixed_batch"))["dense"]  # of three items
    assert (dense.multiply_adds, dense.input_bytes, dense.output_bytes) == (12, 16, 12)


def test_a_free_size_is_counted_at_the_shape_that_it_is_given(layers_of: Callable[..., Layers]) -> None:
    costs = by_name(layers_of(f"{KINDS}:free_size", input_shapes={"image": (1, 8, 8, 3)}))
    assert (costs["conv2d"].multiply_adds, costs["conv2d"].input_bytes) == (36 * 2 * 27, 8 * 8 * 3 * 4)


def ort_origins(prepared: Prepared, folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Operator and origins of each node of the graph that ONNX Runtime runs."""
    artifact = prepared.artifacts["onnx"]
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(artifact.path, options, providers=["CPUExecutionProvider"])
    found = Origins(read_graph(Path(artifact.path)), read_graph(folder / "optimised.onnx"))
    return [(node.operator, names) for node, names in zip(found.nodes, found.of, strict=True)]


@pytest.mark.parametrize("spec", [MOBILENET, f"{NETS}:residual", f"{NETS}:shared", f"{NETS}:transformer"])
def test_every_kernel_of_onnxruntime_that_computes_has_an_owner(
    layers_of: Callable[..., Layers], prepare_here: Prepare, spec: str, tmp_path: Path
) -> None:
    kernels = ort_origins(prepare_here(spec), tmp_path)
    owners = told(layers_of(spec, [names for _, names in kernels]))
    nobodys = {operator for (operator, _), own in zip(kernels, owners, strict=True) if not own}
    assert nobodys <= {"Transpose", "Reshape", "ReorderInput", "ReorderOutput", "Shape"}
    fused = [own for (operator, _), own in zip(kernels, owners, strict=True) if operator == "Conv"]
    assert len(fused) == {MOBILENET: 28}.get(spec, len(fused))
    if spec == MOBILENET:
        assert ["conv_pad_2", "conv_dw_2", "conv_dw_2_bn", "conv_dw_2_relu"] in fused
        assert ["conv_pw_13", "conv_pw_13_bn", "conv_pw_13_relu"] in fused


@pytest.mark.parametrize("net", ["residual", "shared", "several_axes"])
def test_owners_are_the_layers_whose_results_the_values_of_the_kernels_tensors_are(
    layers_of: Callable[..., Layers], prepare_here: Prepare, net: str, tmp_path: Path
) -> None:
    """The other way to tell: a layer's tensor is found by its value, and the layers that were fused into it."""
    from bench.prepare.child import dissect

    spec = f"{NETS}:{net}"
    prepared = prepare_here(spec)
    asked = DissectRequest(
        prepared=prepared,
        spec=parse_model(spec),
        settings=PrepareSettings(),
        artifact=prepared.artifacts["onnx"],
        budget_bytes=2**30,
    )
    found = dissect.answer(asked, tmp_path, lambda _: None).steps
    steps = {step.tensor: step for step in reversed(found)}  # the first of those that pass it on
    kernels = ort_origins(prepared, tmp_path)
    owners = told(layers_of(spec, [names for _, names in kernels]))
    ending = [
        (steps[names[0]], own) for (_, names), own in zip(kernels, owners, strict=True) if own and names[0] in steps
    ]
    assert len(ending) > 5
    for step, own in ending:
        assert step.name in own
        assert set(step.fused) <= set(own)


def test_what_tensorflow_runs_keeps_the_names_of_its_function_under_those_of_the_signature(
    layers_of: Callable[..., Layers], prepare_here: Prepare
) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(prepare_here(f"{NETS}:residual").artifacts["saved_model"].path)
    [function] = loaded.signatures.values()
    bodies = [one.node_def for one in function.graph.as_graph_def().library.function]
    names = [f"StatefulPartitionedCall/{node.name}" for body in bodies for node in body if "/" in node.name]
    computing = [name for name in names if not name.endswith(("ReadVariableOp", "Resource", "resource"))]
    owners = dict(zip(computing, told(layers_of(f"{NETS}:residual", [[name] for name in computing])), strict=True))
    prefix = "StatefulPartitionedCall/functional_1"
    assert owners[f"{prefix}/conv2d_1_2/convolution"] == ["conv2d_1"]
    assert owners[f"{prefix}/batch_normalization_4_1/batchnorm/add_1"] == ["batch_normalization_4"]
    assert owners[f"{prefix}/dense_1/BiasAdd"] == ["dense"]
    assert all(owners.values())


# Tensors that operators of the LiteRT file of ``residual`` and ``shared`` write, as tf.lite.Interpreter told them
# (TensorFlow 2.19, Interpreter._get_ops_details); in the last the layer's two calls share a constant of the first.
LITERT = [
    (
        "residual",
        "functional_1/re_lu_1/Relu;functional_1/batch_normalization_1/batchnorm/add_1;functional_1/conv2d_1/convolution;"
        "functional_1/batch_normalization_1/batchnorm/sub1",
        ["conv2d", "batch_normalization", "re_lu"],
    ),
    ("residual", "functional_1/re_lu_1_2/Relu;functional_1/add_1/Add", ["add", "re_lu_1"]),
    ("residual", "functional_1/global_average_pooling2d_1/Mean", ["global_average_pooling2d"]),
    ("residual", "StatefulPartitionedCall:0", ["dense"]),
    ("residual", "StatefulPartitionedCall:1", []),
    ("shared", "StatefulPartitionedCall:1", ["dense_1"]),
    (
        "shared",
        "functional_1_1/body_3/re_lu_1_1/Relu;functional_1_1/body_3/batch_normalization_1/batchnorm/add_1;"
        "functional_1_1/body_3/conv2d_1_1/convolution;functional_1_1/body_1/batch_normalization_1/batchnorm/sub",
        ["body (call 2)/conv2d_1", "body (call 2)/batch_normalization", "body (call 2)/re_lu_1"],
    ),
]


@pytest.mark.parametrize(("net", "name", "expected"), LITERT)
def test_names_that_litert_joined_are_taken_apart(
    layers_of: Callable[..., Layers], net: str, name: str, expected: list[str]
) -> None:
    assert told(layers_of(f"{NETS}:{net}", [[name]])) == [expected]


def test_a_last_layer_that_may_be_fused_into_the_one_before_does_not_own_the_last_kernel_alone(
    layers_of: Callable[..., Layers], tmp_path: Path
) -> None:
    source = tmp_path / "net.py"
    source.write_text(
        "import keras\nfrom keras import layers\n\ndef build():\n    x = keras.Input((4,))\n"
        "    return keras.Model(x, layers.ReLU()(layers.Dense(3)(x)))\n"
    )
    assert layers_of(f"{source}:build", [["StatefulPartitionedCall:0"]]).owners == ((),)


def test_names_that_nothing_tells_of_have_no_owner(layers_of: Callable[..., Layers]) -> None:
    origins = [[], ["ReorderOutput_token_3"], ["functional_1"], ["functional_9/conv2d_77/convolution"], [";"], ["::"]]
    assert told(layers_of(f"{NETS}:residual", origins)) == [[]] * len(origins)


def test_names_of_another_trace_are_read_by_the_layers_names_where_there_is_one_way_to_read_them(
    layers_of: Callable[..., Layers],
) -> None:
    """Layers of ``residual`` are conv2d to conv2d_4, so conv2d_1 alone may be either's."""
    again = [[f"net/conv2d_{number}_3/Conv"] for number in range(1, 5)]
    assert told(layers_of(f"{NETS}:residual", again)) == [[f"conv2d_{number}"] for number in range(1, 5)]
    assert told(layers_of(f"{NETS}:residual", [["net/conv2d_1/Conv"]])) == [[]]


def test_a_lost_norm_between_two_named_layers_is_in_the_kernel_and_a_convolution_is_not(
    layers_of: Callable[..., Layers],
) -> None:
    lost_norm = ["functional_1/conv2d_1/convolution", "functional_1/re_lu_1/Relu"]
    around_a_convolution = ["functional_1/re_lu_1/Relu", "functional_1/re_lu_2_1/Relu"]
    owners = told(layers_of(f"{NETS}:residual", [lost_norm, around_a_convolution]))
    assert owners[0] == ["conv2d", "batch_normalization", "re_lu"]
    assert "conv2d_1" not in owners[1]


def test_a_bare_file_is_its_nodes_and_they_own_kernels_by_name_or_output(prepare_here: Prepare, tmp_path: Path) -> None:
    from bench.prepare.child import layers as task

    prepared = prepare_here(f"{NETS}:residual")
    path = prepared.artifacts["onnx"].path
    origins = [["functional_1/re_lu_1/Relu:0", "Conv__0"], ["no such name"], ["functional_1/conv2d_1/kernel"]]
    layers = task.answer(request(prepared, path, origins), tmp_path, lambda _: None)
    assert told(layers) == [["Conv__0", "functional_1/re_lu_1/Relu"], [], []]
    first = by_name(layers)["Conv__0"]
    assert (first.kind, first.multiply_adds, first.input_bytes) == ("Conv", 90 * 6 * 27, 10 * 9 * 3 * 4)
    assert first.weight_bytes == (27 * 6 + 6) * 4  # with the bias that its batch norm became


def test_a_saved_model_without_a_file_has_no_layers(prepare_here: Prepare, tmp_path: Path) -> None:
    from bench.prepare.child import layers as task

    spec = msgspec.structs.replace(parse_model("article_cnn"), kind="saved_model")
    asked = request(prepare_here(f"{NETS}:residual"), "article_cnn", [["a/b"]])
    asked = msgspec.structs.replace(asked, artifact=None, spec=spec)
    assert task.answer(asked, tmp_path, lambda _: None) == Layers(layers=(), owners=((),))


def test_the_task_answers_in_a_child_of_its_own(prepare_here: Prepare, tmp_path: Path) -> None:
    spec = f"{NETS}:residual"
    asked = request(prepare_here(spec), spec, [["functional_1/conv2d_1/convolution"]])
    layers = cost_layers(asked.prepared, asked.spec, asked.settings, asked.artifact, asked.origins, tmp_path / "layers")
    assert told(layers) == [["conv2d"]]
