"""A named TensorFlow model -> SavedModel and ONNX, the latter checked, loaded, run and compared before it appears.

Runs in the child. What cannot be exported is a Failure that names the operation or layer and the way out; the
SavedModel stays usable then.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from bench.errors import first_line
from bench.prepare.child import diagnose, onnx_graph, reference
from bench.prepare.child.layer_steps import first_wrong_layer
from bench.prepare.child.named import NamedModel, safe_names, trace
from bench.prepare.child.onnx_file import check_interface, read_artifact
from bench.prepare.child.onnx_run import load_error, open_as_deployed
from bench.prepare.child.reference import Arrays
from bench.prepare.child.xla import is_compiled, without_xla
from bench.prepare.digests import artifact_digest, artifact_files
from bench.records import Artifact, Failure, Tensor

SIGNATURE = "serving_default"
REJECTED = "rejected.onnx"
_LIMIT_BYTES = 2**31 - 2**24  # of a protobuf message, some of it for the graph itself
_UNTRACKED = re.compile(r"untracked.*(?:Trackable referencing this tensor|Captured Tensor) = (\S[^\n]*)", re.DOTALL)


@dataclass(frozen=True)
class Sample:
    """What the converted file has to reproduce: inputs, the source's own outputs and its yardsticks."""

    inputs: tuple[Tensor, ...]  # no axis free but the batch
    outputs: tuple[Tensor, ...]
    pool: Arrays
    reference: Arrays
    yardstick: Mapping[str, float | None]
    repeatable: bool = True
    truth: Arrays = field(default_factory=dict)  # in float64: it may be NaN where ``reference`` is not


def export_saved_model(named: NamedModel, function: Any, sample: Sample, folder: Path) -> Artifact | Failure:
    """A SavedModel in ``folder`` whose ``serving_default`` takes and gives tensors by name."""
    module = tf.Module()
    module.function = function
    module.weights = _weights_in_use(named, function)
    module.keep = named.keep
    try:
        try:
            tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})
        except AssertionError:  # a table that nobody tracks: only the model itself knows all that it uses
            module.keep = named.keras_model
            tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})
    except Exception as error:
        return Failure(status="unsupported", reason=f"TensorFlow could not save the model: {_why_unsaved(error)}")
    _write_in_order(folder / "saved_model.pb")
    arguments = safe_names([tensor.name for tensor in named.inputs])
    files = artifact_files(folder)
    return Artifact(
        kind="saved_model",
        path=str(folder),
        digest=artifact_digest(folder),
        size_bytes=sum(file.stat().st_size for file in files),
        inputs=tuple(
            Tensor(name=argument, shape=t.shape, dtype=t.dtype, batched=t.batched)
            for argument, t in zip(arguments, sample.inputs, strict=True)
        ),
        outputs=sample.outputs,
        names={argument: name for argument, name in arguments.items() if argument != name},
    )


def _weights_in_use(named: NamedModel, function: Any) -> list[Any]:
    """The variables that inference reads, in the model's order: seeds of dropout and the like differ each time."""
    used = {id(variable): variable for variable in function.get_concrete_function().variables}
    known = {id(getattr(variable, "value", variable)) for variable in named.variables}
    ours = [variable for variable in named.variables if id(getattr(variable, "value", variable)) in used]
    others = [variable for key, variable in used.items() if key not in known]
    return [*ours, *sorted(others, key=lambda variable: variable.name)]


def _write_in_order(path: Path) -> None:
    """Write a protobuf message anew with its maps in order: the same model is then the same bytes."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path.write_bytes(SavedModel.FromString(path.read_bytes()).SerializeToString(deterministic=True))


def export_onnx(named: NamedModel, function: Any, sample: Sample, path: Path, opset: int) -> Artifact | Failure:
    """The ONNX file at ``path``, there only if it loads and computes the same.

    One that loads and computes something else is kept beside it as ``REJECTED``, to be explained.
    """
    n_bytes = weight_bytes(named)
    if n_bytes > _LIMIT_BYTES:
        return Failure(
            status="unsupported",
            reason=f"its weights take {n_bytes / 2**30:.1f} GiB; tf2onnx cannot write more than 2 GiB: "
            "export a smaller model, or convert it elsewhere and give the file with --onnx",
        )
    proto = convert(named, function, sample.outputs, opset)
    if isinstance(proto, Failure):
        return proto
    unfinished = path.with_name(f"{path.name}.unfinished")
    onnx.save(proto, unfinished)
    try:
        failure = _try_file(named, proto, unfinished, sample)
        if failure:
            if failure.verdict == "disagrees":
                os.replace(unfinished, path.with_name(REJECTED))
            return failure
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return read_artifact(path, sample.inputs, sample.outputs)


def convert(named: NamedModel, function: Any, outputs: Sequence[Tensor], opset: int) -> Any:
    """The ONNX model of the traced function, its names the model's own, the same bytes every time; or a Failure."""
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.WARNING)  # to the child's stderr, a file
    onnx_graph.make_conversion_repeatable()
    if is_compiled(function.get_concrete_function()):
        function = _without_xla(named)
    try:
        proto, _ = tf2onnx.convert.from_function(function, input_signature=function.input_signature, opset=opset)
    except Exception as error:
        return Failure(status="failed", reason=f"tf2onnx could not convert the model: {first_line(error, named=True)}")
    onnx_graph.add_captured_constants(proto, function.get_concrete_function())
    onnx_graph.rename(proto, safe_names([tensor.name for tensor in named.inputs]))
    onnx_graph.name_axes(proto, {tensor.name for tensor in (*named.inputs, *outputs) if tensor.batched})
    onnx_graph.order_outputs(proto, list(named.output_paths))
    onnx_graph.make_names_stable(proto)
    unsupported = diagnose.unsupported_operations(proto, named.keras_model)
    if unsupported:
        return Failure(status="unsupported", reason=unsupported)
    return proto


def _without_xla(named: NamedModel) -> Any:
    """The traced function with what XLA would compile laid open; never called, for TensorFlow may be unable to."""
    function = trace(named)
    with without_xla():
        function.get_concrete_function()
    return function


def weight_bytes(named: NamedModel) -> int:
    """What all weights take."""
    return sum(int(np.prod(v.shape)) * tf.dtypes.as_dtype(v.dtype).size for v in named.variables)


def _try_file(named: NamedModel, proto: Any, path: Path, sample: Sample) -> Failure | None:
    """Why the written file is not good enough to keep."""
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        return Failure(status="unsupported", reason=diagnose.explain(str(error), named.keras_model))
    wrong = check_interface(proto, [t.name for t in sample.inputs], [t.name for t in sample.outputs])
    if wrong:
        return Failure(status="failed", reason=wrong)
    try:
        run = open_as_deployed(path)
        outputs = reference.run_pool(run, sample.inputs, sample.pool)
    except Exception as error:
        return Failure(status="unsupported", reason=diagnose.explain(load_error(error), named.keras_model))
    worst = compare(sample, outputs)
    return None if worst is None else _disagreement(named, sample, path, *worst)


def compare(sample: Sample, outputs: Arrays) -> tuple[str, float | None, str] | None:
    """(output, relative error, what is wrong) of the worst output that is not the model's; None where all agree.

    Outputs that hardly depend on the inputs are let through: their verdict is "vacuous", later.
    """
    if not sample.repeatable:
        return None
    found = [(name, *problem) for name in sample.reference if (problem := _problem(sample, name, outputs[name]))]
    return max(found, key=lambda item: float("inf") if item[1] is None else item[1], default=None)


def _problem(sample: Sample, name: str, output: Any) -> tuple[float | None, str] | None:
    from bench.analysis import distance

    expected = sample.reference[name]
    structural = distance.structural_problem(expected, output)
    if structural:
        return None, structural
    if distance.dtype_class(expected) not in ("float", "complex"):
        share = reference.shift(expected, output)
        return (share, f"{share:.2g} of its values differ") if share else None
    if any(distance.nonfinite_count(array) for array in (expected, sample.truth.get(name, expected), output)):
        made = _made_nonfinite(expected, sample.truth.get(name, expected), output)
        return (None, "NaN or infinity where the model gives numbers") if made else None
    far = distance.distance(expected, output)
    if far.relative_error is None:
        return None
    yardstick = max(sample.yardstick.get(name) or 0.0, far.rounding / far.spread)
    tolerance = max(distance.YARDSTICKS * yardstick, distance.LEAST_TOLERANCE)
    if far.relative_error <= tolerance or tolerance > distance.GREATEST_TOLERANCE:
        return None
    return far.relative_error, (
        f"largest difference {far.max_abs_error:.2g}, relative error {far.relative_error:.2g} "
        f"where {tolerance:.2g} is allowed"
    )


def _made_nonfinite(expected: Any, truth: Any, output: Any) -> bool:
    """Whether the file gives NaN or infinity where neither the source's float32 nor the truth does."""
    given = np.isfinite(expected) & np.isfinite(truth)
    return bool(np.any(given & ~np.isfinite(output)))


def _disagreement(
    named: NamedModel, sample: Sample, path: Path, output: str, error: float | None, what: str
) -> Failure:
    layer = first_wrong_layer(named, sample.inputs, sample.pool, path)
    where = f"; the first that differs is {layer}" if layer else ""
    return Failure(
        status="failed",
        reason=f"the converted file computes something else: output {output!r}: {what}{where}",
        verdict="disagrees",
        relative_error=error,
    )


def _why_unsaved(error: Exception) -> str:
    """The first line of an error, unless what matters stands below it."""
    untracked = _UNTRACKED.search(str(error))
    if untracked is None:
        return first_line(error, named=True)
    return (
        f"it uses {untracked[1]}, which neither the model nor a layer of it keeps; "
        "make it an attribute of the layer that uses it"
    )
