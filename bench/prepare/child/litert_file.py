"""The model as a LiteRT file, converted from the SavedModel: the same weights. Runs in the child."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.errors import UnsupportedError, first_line
from bench.prepare.arrays import load_arrays
from bench.prepare.child.conversion import conversion_errors
from bench.prepare.child.export import SIGNATURE
from bench.prepare.child.litert_interpreter import open_exactly
from bench.prepare.child.reference import Arrays, batches, run_pool
from bench.prepare.digests import file_digest
from bench.records import Artifact, Precision, Prepared

FILE = "model.tflite"
_LIMIT_BYTES = 2**31 - 2**24  # of a flatbuffer


def write_litert(prepared: Prepared, precision: Precision, folder: Path, on_stage: Callable[[str], None]) -> Artifact:
    """The file in ``folder``, its inputs and outputs float32 by the signature's names; UnsupportedError for none."""
    source = prepared.artifacts["saved_model"]
    if source.size_bytes > _LIMIT_BYTES:
        raise UnsupportedError(
            f"a model of {source.size_bytes / 2**30:.1f} GiB cannot be converted: the limit is 2 GiB"
        )
    arrays = load_arrays(prepared.pool)
    pool = {tensor.name: arrays[source.names.get(tensor.name, tensor.name)] for tensor in source.inputs}
    try:
        content = _convert(source, precision, pool)
    except Exception as error:  # the converter raises what it likes
        raise UnsupportedError(f"converting to LiteRT: {first_line(error, named=True)}") from error
    on_stage("run exactly")
    try:
        outputs = run_pool(open_exactly(content), source.inputs, pool)
    except Exception as error:
        raise UnsupportedError(f"the LiteRT file does not run: {first_line(error, named=True)}") from error
    path, unfinished = folder / FILE, folder / f"unfinished-{FILE}"
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
    return Artifact(
        kind="litert",
        path=str(path),
        digest=file_digest(path),
        size_bytes=len(content),
        inputs=source.inputs,
        outputs=source.outputs,
        names=source.names,
        precision=precision,
        has_integer_products=precision == "int8",
        conversion_error={} if precision == "float32" else conversion_errors(prepared, outputs),
    )


def _convert(source: Artifact, precision: Precision, pool: Arrays) -> bytes:
    """The flatbuffer. From the signature's function, which freezes the variables: from the folder they stay reads."""
    loaded = tf.saved_model.load(source.path)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([loaded.signatures[SIGNATURE]], loaded)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        converter.representative_dataset = lambda: _samples(source, pool)
    content: bytes = converter.convert()
    return content


def _samples(source: Artifact, pool: Arrays) -> Iterator[dict[str, Any]]:
    yield from batches(source.inputs, pool)
