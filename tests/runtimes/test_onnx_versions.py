"""Which files a version of ONNX Runtime reads, by the table, and the table by the version that is here."""

from __future__ import annotations

from importlib import metadata

import pytest

from bench.runtimes.onnx_versions import READS, why_unread
from fakes import artifact


@pytest.mark.parametrize(
    ("version", "opset", "told"),
    [("1.15.1", 19, None), ("1.15.1", 20, "export it with --opset 19 or less, or use version 1.17 or newer")],
)
def test_a_file_newer_than_the_version_is_refused_with_the_way_out(version: str, opset: int, told: str | None) -> None:
    why = why_unread("onnxruntime-cpu", version, artifact(opset=opset, ir_version=8))
    assert (why is None) if told is None else (why is not None and why.endswith(told))


def test_a_file_format_newer_than_the_version_is_refused_too() -> None:
    why = why_unread("onnxruntime-cpu", "1.17.3", artifact(opset=17, ir_version=10))
    assert why is not None
    assert "IR version 9 at most, this one is of 10" in why
    assert why.endswith("or use version 1.18 or newer")


@pytest.mark.parametrize(
    ("runtime", "version"),
    [
        ("onnxruntime-cpu", None),
        ("onnxruntime-cpu", "9.99"),
        ("onnxruntime-cpu", "nightly"),
        ("openvino", "1.15"),
        ("onnxruntime-webgpu", "1.15"),
    ],
)
def test_where_nobody_knows_nothing_is_refused(runtime: str, version: str | None) -> None:
    assert why_unread(runtime, version, artifact(opset=99, ir_version=99)) is None


def test_a_file_that_no_version_reads_has_no_version_to_use() -> None:
    why = why_unread("onnxruntime-cpu", "1.32.0", artifact(opset=99, ir_version=8))
    assert why is not None
    assert "newer" not in why


@pytest.mark.slow
def test_the_table_is_right_for_the_version_that_is_here() -> None:
    release = metadata.version("onnxruntime").split(".")
    opset, ir_version = READS[int(release[0]), int(release[1])]
    assert loads(opset, 8)
    assert loads(17, ir_version)
    assert not loads(opset + 1, 8)
    assert not loads(17, ir_version + 1)


def loads(opset: int, ir_version: int) -> bool:
    import onnxruntime
    from onnx import TensorProto, helper

    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", tensors[:1], tensors[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    try:
        onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True
