"""The model's ONNX file in float16 or int8, checked, loaded and run before it appears. Runs in the child.

Inputs and outputs stay float32, the batch symbolic, the IR version that of the source. int8 is static quantisation
(QDQ), calibrated on the run's own pool: weights in s8 per output channel. Activations are s8 too, ONNX Runtime's own
advice: its CPU provider turns them into u8 on x86, and u8 x s8 saturates there without VNNI unless
``quantprecision=exact``; the same file is exact elsewhere. Softmax stays float32: its quantised outputs would be
multiples of 1/256, which doubles the error of the article's network (0.11 of the spread in place of 0.05).
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx

from bench.errors import UnsupportedError
from bench.prepare.arrays import load_arrays
from bench.prepare.child.conversion import conversion_errors
from bench.prepare.child.onnx_file import read_artifact
from bench.prepare.child.onnx_graph import all_nodes
from bench.prepare.child.onnx_run import load_error, open_as_deployed, open_unoptimised
from bench.prepare.child.reference import Arrays, batches, run_pool
from bench.records import Artifact, Precision, Prepared

_LIMIT_BYTES = 2**31 - 2**24  # of a protobuf message, some of it for the graph itself
_LEAST_FLOAT16, _GREATEST_FLOAT16 = 2.0**-24, 65504.0
_STAY_FLOAT32 = ("Softmax", "LogSoftmax")


def write_onnx(prepared: Prepared, precision: Precision, folder: Path, on_stage: Callable[[str], None]) -> Artifact:
    """The converted file in ``folder``; UnsupportedError where there is none that loads and runs."""
    source = prepared.artifacts["onnx"]
    if source.size_bytes > _LIMIT_BYTES:
        raise UnsupportedError(
            f"a model of {source.size_bytes / 2**30:.1f} GiB cannot be converted: the limit is 2 GiB"
        )
    pool = {given: load_arrays(prepared.pool)[name] for given, name in _given_names(source).items()}
    path, unfinished = folder / "model.onnx", folder / "unfinished-model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each number that float16 rounds is one
        try:
            proto = to_float16(source) if precision == "float16" else to_int8(source, pool, folder)
            _keep_interface(proto, source)
            onnx.checker.check_model(proto)
        except Exception as error:  # the converters raise what they like
            raise UnsupportedError(f"converting the ONNX file to {precision}: {load_error(error)}") from error
    onnx.save(proto, unfinished)
    on_stage("run exactly")
    outputs = _run(unfinished, source, pool, precision)
    os.replace(unfinished, path)
    artifact = read_artifact(path, source.inputs, source.outputs, source.names)
    errors = conversion_errors(prepared, {source.names.get(name, name): rows for name, rows in outputs.items()})
    return msgspec.structs.replace(artifact, precision=precision, conversion_error=errors)


def to_float16(source: Artifact) -> Any:
    """Weights and operations in float16; what ONNX Runtime has no float16 for (Resize, TopK, ...) stays float32."""
    from onnxconverter_common import float16

    return float16.convert_float_to_float16(
        onnx.load(source.path),
        min_positive_val=_LEAST_FLOAT16,
        max_finite_val=_GREATEST_FLOAT16,
        keep_io_types=True,
        op_block_list=list(float16.DEFAULT_OP_BLOCK_LIST),
    )


def to_int8(source: Artifact, pool: Arrays, folder: Path, *, per_channel: bool = True) -> Any:
    """Folded and fused as far as any runtime does, then quantised by the ranges that are seen over the pool.

    ``pool`` has the file's own input names; ``folder`` is left as it was.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.registry import QDQRegistry
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.getLogger().setLevel(logging.ERROR)  # the quantiser advises on the root logger
    folded, quantised = folder / "folded.onnx", folder / "quantised.onnx"
    try:
        quant_pre_process(source.path, str(folded), skip_symbolic_shape=True)
        quantize_static(
            str(folded),
            str(quantised),
            _Calibration(source, pool),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[kind for kind in QDQRegistry if kind not in _STAY_FLOAT32],
            per_channel=per_channel,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return onnx.load(quantised)
    finally:
        for file in (folded, quantised):
            file.unlink(missing_ok=True)


class _Calibration:
    """The pool batch by batch, as ``onnxruntime.quantization`` reads it."""

    def __init__(self, source: Artifact, pool: Arrays) -> None:
        self._feeds: Iterator[Mapping[str, np.ndarray[Any, Any]]] = iter(batches(source.inputs, pool))

    def get_next(self) -> Mapping[str, np.ndarray[Any, Any]] | None:
        """The next feed, None after the last."""
        return next(self._feeds, None)


def _keep_interface(proto: Any, source: Artifact) -> None:
    """The source's IR version, and no operator set that no node uses: other runtimes refuse those they don't know."""
    if source.ir_version is not None:
        proto.ir_version = source.ir_version
    used = {node.domain or "" for node in all_nodes(proto)} | {""}
    kept = [entry for entry in proto.opset_import if ("" if entry.domain == "ai.onnx" else entry.domain) in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)


def _run(path: Path, source: Artifact, pool: Arrays, precision: Precision) -> dict[str, Any]:
    """What the file itself computes; UnsupportedError where it does not load as users will load it."""
    try:
        open_as_deployed(path)
        return run_pool(open_unoptimised(path), source.inputs, pool)
    except Exception as error:
        raise UnsupportedError(f"the {precision} file does not run: {load_error(error)}") from error


def _given_names(source: Artifact) -> dict[str, str]:
    """Input name in the file -> in the model."""
    return {tensor.name: source.names.get(tensor.name, tensor.name) for tensor in source.inputs}
