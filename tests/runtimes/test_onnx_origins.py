from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from bench.errors import UnsupportedError
from bench.runtimes.onnx_fused import fused_origins
from bench.runtimes.onnx_graph import Graph, Node, read_graph
from bench.runtimes.onnx_origins import Origins

# x -> conv -> bn_mul -> bn_add -> relu -> pool; relu -> side
FILE = Graph(
    (
        Node("conv", "Conv", ("x", "w"), ("c",)),
        Node("bn_mul", "Mul", ("c", "scale"), ("m",)),
        Node("bn_add", "Add", ("m", "shift"), ("a",)),
        Node("relu", "Relu", ("a",), ("r",)),
        Node("pool", "MaxPool", ("r",), ("p",)),
        Node("side", "Sigmoid", ("r",), ("s",)),
    ),
    frozenset({"w", "scale", "shift"}),
)


def _of(*nodes: Node) -> list[tuple[str, ...]]:
    return Origins(FILE, Graph(nodes, frozenset())).of


def test_a_fused_node_does_the_work_of_all_nodes_between_what_it_takes_and_gives() -> None:
    [conv, pool] = _of(Node("fused", "FusedConv", ("x", "w2"), ("r",)), Node("pool", "MaxPool", ("r",), ("p",)))
    assert conv == ("r", "relu", "bn_add", "a", "shift", "bn_mul", "m", "scale", "conv", "c", "w")
    assert pool == ("p", "pool")


def test_a_node_of_a_blocked_layout_is_named_after_the_tensor_that_it_ends_with() -> None:
    nodes = [
        Node("r_nchwc", "Conv", ("x", "w2"), ("reorder",)),
        Node("p_nchwc_token_7", "MaxPool", ("reorder",), ("reorder_1",)),
        Node("ReorderOutput", "ReorderOutput", ("reorder_1",), ("p",)),
    ]
    conv, pool, reorder = _of(*nodes)
    assert conv[0] == "r"
    assert "conv" in conv
    assert pool == ("p", "pool")
    assert reorder == ()


def test_a_change_of_layout_that_the_file_asks_for_is_its_own() -> None:
    file = Graph((Node("turn", "Transpose", ("x",), ("t",)),), frozenset())
    assert Origins(file, file).of == [("t", "turn")]
    assert Origins(file, Graph((Node("put", "Transpose", ("x",), ("y",)),), frozenset())).of == [()]


TURNED = Graph(
    (
        Node("first", "Conv", ("x", "w1"), ("a",)),
        Node("turn", "Transpose", ("a",), ("t",)),
        Node("act", "Sigmoid", ("t",), ("s",)),
        Node("back", "Transpose", ("s",), ("u",)),
        Node("second", "Conv", ("u", "w2"), ("y",)),
    ),
    frozenset({"w1", "w2"}),
)


@pytest.mark.parametrize("is_taken_in", [True, False])
def test_a_transpose_that_a_change_of_layout_has_taken_in_is_its_work_and_one_of_another_layout_is_not(
    is_taken_in: bool,
) -> None:
    optimised = (
        Node("a_nchwc", "Conv", ("x", "w1"), ("r0",)),
        Node("ReorderOutput", "ReorderOutput", ("r0",), ("t",), is_channels_last=is_taken_in),
        Node("act", "Sigmoid", ("t",), ("s",)),
        Node("ReorderInput", "ReorderInput", ("s",), ("r1",), is_channels_last=is_taken_in),
        Node("y_nchwc", "Conv", ("r1", "w2"), ("y",)),
    )
    told = Origins(TURNED, Graph(optimised, frozenset()))
    [_, out, _, back, second] = told.of
    assert out == (("t", "turn") if is_taken_in else ())
    assert back == (("u", "back") if is_taken_in else ())
    assert ("back" in second) is not is_taken_in


def test_what_is_put_in_stands_between_the_nearest_nodes_that_have_a_name_in_the_file() -> None:
    optimised = (
        Node("ReorderInput", "ReorderInput", ("x",), ("r0",)),
        Node("a_nchwc", "Conv", ("r0", "w1"), ("r1",)),
        Node("ReorderOutput", "ReorderOutput", ("r1",), ("a",)),
        Node("InsertedCast", "Cast", ("a",), ("a_half",)),
        Node("turn", "Transpose", ("a_half",), ("t",)),
        Node("ReorderOutput_2", "ReorderOutput", ("t",), ("end",)),
    )
    first, turn = ("a", "first", "w1"), ("t", "turn")
    told = Origins(TURNED, Graph(optimised, frozenset()))
    assert told.between == [((), first), ((), turn), (first, turn), (first, turn), (first, ()), (turn, ())]


def test_a_copy_of_a_node_in_another_layout_keeps_its_name_but_for_a_number() -> None:
    [conv] = _of(Node("conv_token_12", "Conv", ("turned", "w"), ("c_token_12",)))
    assert conv == ("c", "conv", "w")


def test_what_takes_from_such_a_copy_is_known_to_begin_there() -> None:
    nodes = [
        Node("r_nchwc", "Conv", ("x", "w2"), ("reorder",)),
        Node("side", "Sigmoid", ("reorder",), ("reorder_1",)),
        Node("t_nchwc", "Conv", ("reorder_1", "w3"), ("t_reorder",)),
    ]
    more = (Node("second", "Conv", ("s", "w"), ("d",)), Node("last", "Relu", ("d",), ("t",)))
    file = Graph((*FILE.nodes, *more), FILE.initializers)
    [_, side, second] = Origins(file, Graph(tuple(nodes), frozenset())).of
    assert side == ("s", "side")
    assert second == ("t", "last", "second", "d")  # not the last node alone


def test_where_a_way_leads_past_what_a_node_takes_only_the_last_node_is_told() -> None:
    [conv] = _of(Node("fused", "FusedConv", ("turned", "w2"), ("r",)))
    assert conv == ("r", "relu")


def test_a_node_that_the_file_knows_nothing_of_has_no_origin() -> None:
    assert _of(Node("made", "Gemm", ("made_in",), ("made_out",))) == [()]


def test_a_node_that_no_kernel_names_is_done_by_the_kernel_that_takes_all_it_gives() -> None:
    kernels = fused_origins(FILE, [["relu", "bn_add", "bn_mul"], ["pool"], ["side"]])
    assert {"conv", "c", "w"} <= set(kernels[0])
    assert kernels[0][:2] == ("r", "relu")
    assert kernels[1:] == [("p", "pool"), ("s", "side")]


def test_a_node_that_two_kernels_take_from_is_given_to_none() -> None:
    kernels = fused_origins(FILE, [["pool"], ["side"]])
    assert kernels == [("p", "pool"), ("s", "side")]


def test_a_kernel_after_one_that_names_nothing_is_given_no_node() -> None:
    assert "conv" not in fused_origins(FILE, [["bn_mul"]], {0})[0]
    assert "conv" in fused_origins(FILE, [["bn_mul"]])[0]


def _saved(folder: Path, nodes: list[Any]) -> Path:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], [weight]), ir_version=8)
    onnx.save(model, folder / "a.onnx")
    return folder / "a.onnx"


def test_a_file_is_read_with_its_names_and_weights(tmp_path: Path) -> None:
    graph = read_graph(_saved(tmp_path, [helper.make_node("Add", ["x", "w"], ["y"], name="sum")]))
    assert graph == Graph((Node("sum", "Add", ("x", "w"), ("y",)),), frozenset({"w"}))


def test_a_branch_takes_what_its_bodies_take_from_outside(tmp_path: Path) -> None:
    out = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])
    bodies = [
        helper.make_graph([helper.make_node(kind, ["x", "w"], ["z"], name=kind)], kind, [], [out])
        for kind in ("Add", "Sub")
    ]
    node = helper.make_node("If", ["c"], ["y"], name="if", then_branch=bodies[0], else_branch=bodies[1])
    graph = read_graph(_saved(tmp_path, [node]))
    assert graph.nodes[0].inputs == ("c", "x", "w")
    assert sorted(one.name for one in graph.all_nodes()) == ["Add", "Sub", "if"]


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.onnx").write_bytes(b"no model at all")
    with pytest.raises(UnsupportedError, match="not an ONNX model"):
        read_graph(tmp_path / "b.onnx")
