from __future__ import annotations

from itertools import pairwise

import onnx
from onnx import TensorProto, helper

from bench.prepare.child import onnx_graph


def graph_of(*names: str) -> onnx.ModelProto:
    """A chain of Relu nodes whose outputs have these names, from x to y."""
    steps = ["x", *names, "y"]
    nodes = [helper.make_node("Relu", [a], [b], name=f"relu_of_{b}") for a, b in pairwise(steps)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", TensorProto.FLOAT, ["unk__7", 2])], [value("y", TensorProto.FLOAT, ["unk__8", None])]
    )
    return helper.make_model(graph, ir_version=8)


def test_counted_names_are_numbered_by_appearance_so_that_two_runs_are_one_file() -> None:
    one, two = graph_of("fold__17:0", "fold__23:0"), graph_of("fold__4:0", "fold__99:0")
    onnx_graph.make_names_stable(one)
    onnx_graph.make_names_stable(two)
    assert one.SerializeToString() == two.SerializeToString()
    assert [node.output[0] for node in one.graph.node] == ["fold__0:0", "fold__1:0", "y"]
    onnx.checker.check_model(one)


def test_names_of_layers_are_left_alone() -> None:
    proto = graph_of("net/conv_1_1/conv:0")
    onnx_graph.make_names_stable(proto)
    assert proto.graph.node[0].output[0] == "net/conv_1_1/conv:0"


def test_inner_graphs_are_renamed_too() -> None:
    inner = graph_of("inner__5").graph
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    proto = helper.make_model(helper.make_graph([node], "g", [], []))
    onnx_graph.make_names_stable(proto)
    names = {name for n in onnx_graph.all_nodes(proto) for name in n.output}
    assert not any("__5" in name for name in names)


def test_the_batch_is_called_batch_and_other_free_axes_by_their_tensor() -> None:
    proto = graph_of()
    onnx_graph.name_axes(proto, {"x"})
    (x,), (y,) = proto.graph.input, proto.graph.output
    assert [axis.dim_param or axis.dim_value for axis in x.type.tensor_type.shape.dim] == ["batch", 2]
    assert [axis.dim_param for axis in y.type.tensor_type.shape.dim] == ["y_axis_0", "y_axis_1"]


def test_inputs_are_renamed_wherever_they_are_used() -> None:
    proto = graph_of()
    onnx_graph.rename(proto, {"x": "im/age"})
    assert proto.graph.input[0].name == "im/age"
    assert proto.graph.node[0].input[0] == "im/age"
    onnx.checker.check_model(proto)


def test_outputs_take_the_models_order() -> None:
    proto = graph_of()
    proto.graph.output.append(helper.make_tensor_value_info("a", TensorProto.FLOAT, [1]))
    onnx_graph.order_outputs(proto, ["a", "y"])
    assert [output.name for output in proto.graph.output] == ["a", "y"]
    onnx_graph.order_outputs(proto, ["b", "y"])  # other names: left for the check of names
    assert [output.name for output in proto.graph.output] == ["a", "y"]
