"""A part of a file computes what the file computes there, with inner graphs, external data or an old version too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import UnsupportedError
from bench.prepare.child.extract import cut, write_part
from bench.prepare.child.onnx_file import read_artifact, read_tensors
from bench.prepare.dissection import ExtractRequest, extract
from bench.records import Artifact

X = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
Z = np.random.default_rng(2).normal(size=(3, 4)).astype(np.float32)


def model(nodes: list[Any], outputs: tuple[str, ...] = ("y",), *, domain: str = "", **weights: Any) -> Any:
    """Inputs x and z, both [batch, 4]."""
    floats = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "z")]
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    kept = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(helper.make_graph(nodes, "net", floats, results, kept), opset_imports=opsets, ir_version=8)


def branching() -> Any:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Mul", ["z", "scale"], ["c"]),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Transpose", ["d"], ["t"], perm=[1, 0]),
        helper.make_node("ArgMax", ["d"], ["best"], axis=1),
        helper.make_node("Tanh", ["d"], ["y"]),
    ]
    return model(
        nodes, w=np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32), scale=np.array([2], np.float32)
    )


def run(proto: Any, names: list[str], **feed: Any) -> list[Any]:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return list(session.run(names, feed))


def marked(proto: Any, names: list[str]) -> list[Any]:
    """The tensors of the whole file, all marked as outputs."""
    copied = onnx.ModelProto.FromString(proto.SerializeToString())
    del copied.graph.output[:]
    copied.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return run(copied, names, x=X, z=Z)


def inputs_of(proto: Any) -> list[str]:
    return [value.name for value in proto.graph.input]


def test_a_prefix_has_the_inputs_nodes_and_weights_that_it_needs_and_no_others() -> None:
    part = cut(branching(), ["b"])
    onnx.checker.check_model(part)
    assert inputs_of(part) == ["x"]
    assert [node.op_type for node in part.graph.node] == ["MatMul", "Relu"]
    assert [tensor.name for tensor in part.graph.initializer] == ["w"]
    np.testing.assert_array_equal(run(part, ["b"], x=X)[0], marked(branching(), ["b"])[0])


def test_the_middle_is_computed_from_tensors_within() -> None:
    whole = branching()
    b, d, y = marked(whole, ["b", "d", "y"])
    part = cut(whole, ["d", "y"], ["b"])
    assert inputs_of(part) == ["z", "b"]
    assert [value.name for value in part.graph.output] == ["d", "y"]
    for seen, expected in zip(run(part, ["d", "y"], z=Z, b=b), (d, y), strict=True):
        np.testing.assert_array_equal(seen, expected)


def test_an_input_that_no_output_needs_is_dropped() -> None:
    assert inputs_of(cut(branching(), ["y"], ["d", "c"])) == ["d"]


def test_versions_types_and_the_free_batch_are_kept() -> None:
    part = cut(branching(), ["best", "t"], ["d"])
    assert (part.ir_version, part.opset_import[0].version) == (8, 17)
    types = [value.type.tensor_type for value in (*part.graph.output, *part.graph.input)]
    assert [one.elem_type for one in types] == [TensorProto.INT64, TensorProto.FLOAT, TensorProto.FLOAT]
    assert [axis.dim_param or axis.dim_value for axis in types[2].shape.dim] == ["batch", 4]
    assert [axis.dim_param or axis.dim_value for axis in types[1].shape.dim] == [4, "batch"]


def test_an_old_file_that_lists_its_weights_as_inputs_keeps_them() -> None:
    whole = branching()
    whole.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 4]))
    part = cut(whole, ["b"])
    assert inputs_of(part) == ["x", "w"]
    assert [tensor.name for tensor in read_tensors(part)[0]] == ["x"]
    np.testing.assert_array_equal(run(part, ["b"], x=X)[0], marked(branching(), ["b"])[0])


def branches(name: str) -> Any:
    out = helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, None)
    inner = helper.make_node("If", ["flag2"], [f"{name}_if"], then_branch=leaf("p", "b"), else_branch=leaf("q", "c"))
    nodes = [inner, helper.make_node("Mul", [f"{name}_if", "scale"], [out.name])]
    return helper.make_graph(nodes, name, [], [out])


def leaf(name: str, captured: str) -> Any:
    out = helper.make_tensor_value_info(f"{name}_leaf", TensorProto.FLOAT, None)
    return helper.make_graph([helper.make_node("Neg", [captured], [out.name])], name, [], [out])


def conditional() -> Any:
    nodes = [
        helper.make_node("Relu", ["x"], ["b"]),
        helper.make_node("Tanh", ["z"], ["c"]),
        helper.make_node("Exp", ["z"], ["unused"]),
        helper.make_node("If", ["flag"], ["i"], then_branch=branches("then"), else_branch=branches("other")),
        helper.make_node("Sigmoid", ["i"], ["y"]),
    ]
    return model(nodes, flag=np.array(True), flag2=np.array(False), scale=np.array([3], np.float32))


def test_what_inner_graphs_capture_at_any_depth_belongs_to_the_part() -> None:
    part = cut(conditional(), ["i"])
    assert [node.op_type for node in part.graph.node] == ["Relu", "Tanh", "If"]
    assert {tensor.name for tensor in part.graph.initializer} == {"flag", "flag2", "scale"}
    np.testing.assert_array_equal(run(part, ["i"], x=X, z=Z)[0], marked(conditional(), ["i"])[0])


def test_captured_tensors_can_be_the_inputs_of_a_part() -> None:
    b, c, y = marked(conditional(), ["b", "c", "y"])
    part = cut(conditional(), ["y"], ["b", "c"])
    assert inputs_of(part) == ["b", "c"]
    np.testing.assert_array_equal(run(part, ["y"], b=b, c=c)[0], y)


def test_a_name_that_an_inner_graph_defines_itself_is_not_captured() -> None:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Add", ["carried", "b"], ["d"]),  # "d" is also a tensor outside, which is not meant
            helper.make_node("Mul", ["d", "half"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
        [numpy_helper.from_array(np.array([0.5], np.float32), "half")],
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["b"]),
        helper.make_node("Loop", ["turns", "yes", "z"], ["looped"], body=body),
        helper.make_node("Tanh", ["looped"], ["y"]),
    ]
    whole = model(nodes, turns=np.int64(3), yes=np.array(True))
    part = cut(whole, ["looped"])
    assert [node.op_type for node in part.graph.node] == ["Relu", "Loop"]
    assert {tensor.name for tensor in part.graph.initializer} == {"turns", "yes"}
    np.testing.assert_array_equal(run(part, ["looped"], x=X, z=Z)[0], marked(whole, ["looped"])[0])


def test_a_type_that_onnx_has_no_rule_for_is_asked_of_the_runtime() -> None:
    nodes = [
        helper.make_node("FusedMatMul", ["x", "w"], ["a"], domain="com.microsoft", alpha=2.0),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    whole = model(nodes, domain="com.microsoft", w=np.eye(4, dtype=np.float32))
    part = cut(whole, ["y"], ["a"])
    assert part.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    assert cut(whole, ["a"]).graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT


def test_a_tensor_that_is_not_there_is_named() -> None:
    with pytest.raises(UnsupportedError, match="no tensor 'gone'"):
        cut(branching(), ["gone"])


def stored(folder: Path, proto: Any, **how: Any) -> Artifact:
    folder.mkdir(parents=True)
    onnx.save(proto, folder / "model.onnx", **how)
    return read_artifact(folder / "model.onnx", *read_tensors(proto), {"x": "image"})


def test_external_data_is_read_and_the_part_is_one_file(tmp_path: Path) -> None:
    how: dict[str, Any] = {"save_as_external_data": True, "size_threshold": 0, "convert_attribute": True}
    source = stored(tmp_path / "source", branching(), location="data.bin", **how)
    target = tmp_path / "part" / "model.onnx"
    target.parent.mkdir()
    artifact = write_part(ExtractRequest(source=source, target=str(target), outputs=("b",)))
    assert [file.name for file in target.parent.iterdir()] == ["model.onnx"]
    np.testing.assert_array_equal(run(onnx.load(target), ["b"], x=X)[0], marked(branching(), ["b"])[0])
    assert artifact.names == {"x": "image"}
    assert [(tensor.name, tensor.batched, tensor.dtype) for tensor in artifact.outputs] == [("b", True, "float32")]
    assert (artifact.ir_version, artifact.opset) == (8, 17)


def test_a_tensor_without_the_batch_in_front_says_so(tmp_path: Path) -> None:
    source = stored(tmp_path / "source", branching())
    target = tmp_path / "model.onnx"
    artifact = write_part(ExtractRequest(source=source, target=str(target), outputs=("t",), inputs=("d",)))
    assert [(tensor.name, tensor.batched) for tensor in (*artifact.inputs, *artifact.outputs)] == [
        ("d", True),
        ("t", False),
    ]


def test_the_task_is_run_in_a_child(tmp_path: Path) -> None:
    source = stored(tmp_path / "source", branching())
    part = extract(source, ("b",), tmp_path / "part")
    assert [str(file) for file in Path(part.path).parent.iterdir()] == [str(tmp_path / "part" / "onnx" / "model.onnx")]
    with pytest.raises(UnsupportedError, match="no tensor 'gone'"):
        extract(source, ("gone",), tmp_path / "other")
