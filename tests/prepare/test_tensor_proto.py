from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.prepare.tensor_proto import parse_tensor, tensor_bytes

onnx = pytest.importorskip("onnx")
ml_dtypes = pytest.importorskip("ml_dtypes")

DTYPES = ["float32", "float64", "float16", "int8", "int32", "int64", "uint8", "uint16", "uint64", "bool", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_raw_numbers_are_read_as_onnx_reads_them(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 100, 7]]).astype(dtype)
    name, parsed = parse_tensor(onnx.numpy_helper.from_array(array, "x").SerializeToString())
    assert name == "x"
    assert parsed.dtype == array.dtype
    np.testing.assert_array_equal(parsed, array)


@pytest.mark.parametrize("dtype", DTYPES)
def test_typed_fields_are_read_as_onnx_reads_them(dtype: str) -> None:
    array = np.array([[-1, 1], [3, 100]]).astype(dtype) if dtype[0] != "u" else np.array([[0, 1], [3, 100]], dtype)
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    proto = onnx.helper.make_tensor("x", kind, array.shape, array.flatten().tolist())
    _, parsed = parse_tensor(proto.SerializeToString())
    np.testing.assert_array_equal(parsed, onnx.numpy_helper.to_array(proto))
    np.testing.assert_array_equal(parsed, array)


def test_bfloat16_keeps_its_type() -> None:
    proto = onnx.helper.make_tensor("x", onnx.TensorProto.BFLOAT16, (2,), [1.0, 2.5])
    parsed = parse_tensor(proto.SerializeToString())[1]
    assert parsed.dtype == ml_dtypes.bfloat16
    assert parsed.astype(np.float32).tolist() == [1.0, 2.5]


def test_scalars_and_empty_tensors_keep_their_shape() -> None:
    for array in (np.array(3.0, np.float32), np.zeros((0, 4), np.float32)):
        parsed = parse_tensor(onnx.numpy_helper.from_array(array).SerializeToString())[1]
        assert parsed.shape == array.shape


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
@pytest.mark.parametrize("shape", [(), (0, 4), (2, 3), (300, 1)])
def test_what_is_written_is_what_onnx_would_write(dtype: str, shape: tuple[int, ...]) -> None:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    data = tensor_bytes("dense/add:0", array)
    proto = onnx.TensorProto.FromString(data)
    assert (proto.name, tuple(proto.dims)) == ("dense/add:0", shape)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(proto), array)
    assert parse_tensor(data)[1].dtype == array.dtype


def test_texts_can_not_be_written() -> None:
    with pytest.raises(ValueError, match="holds <U1"):
        tensor_bytes("x", np.array(["a"]))


def strings() -> bytes:
    return bytes(onnx.helper.make_tensor("x", onnx.TensorProto.STRING, (1,), [b"a"]).SerializeToString())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a TensorProto"),
        (b"<html>", "not a TensorProto|truncated"),
        (strings(), "no numbers"),
        (onnx.numpy_helper.from_array(np.ones(9, np.float32)).SerializeToString()[:-3], "truncated"),
    ],
)
def test_what_is_no_tensor_of_numbers_is_a_value_error(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_tensor(data)


def test_a_shape_that_does_not_fit_its_numbers_is_refused() -> None:
    proto: Any = onnx.numpy_helper.from_array(np.ones(9, np.float32))
    proto.dims[0] = 8
    with pytest.raises(ValueError, match="9 numbers where its shape"):
        parse_tensor(proto.SerializeToString())
