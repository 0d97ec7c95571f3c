"""A model of two nodes, to prove that a provider runs anything at all: Relu(Conv(x, ones 3x3)), 184 bytes.

Written by ``onnx.helper`` with opset 13 and IR version 7, so that any ONNX Runtime of the last years loads it; kept as
bytes because a probing child may have no onnx package.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UnavailableError
from bench.records import Artifact, SessionSettings, Tensor

TINY_INPUT = (1, 1, 4, 4)
TINY_RESULT = 9.0  # every element, for an input of ones
_MODEL = base64.b64decode(
    "CAcSADqrAQomCgF4CgF3EgFjIgRDb252KhUKDGtlcm5lbF9zaGFwZUADQAOgAQcKDAoBYxIBeSIEUmVsdRIEdGlueSozCAEIAQgDCAMQAUIB"
    "d0okAACAPwAAgD8AAIA/AACAPwAAgD8AAIA/AACAPwAAgD8AAIA/WhsKAXgSFgoUCAESEAoCCAEKAggBCgIIBAoCCARiGwoBeRIWChQIARIQ"
    "CgIIAQoCCAEKAggCCgIIAkIECgAQDQ=="
)


def write_tiny_onnx(folder: Path) -> Artifact:
    """The model as a file in ``folder``: input ``x`` of TINY_INPUT, output ``y``."""
    path = folder / "tiny.onnx"
    path.write_bytes(_MODEL)
    return Artifact(
        kind="onnx",
        path=str(path),
        digest=hashlib.sha256(_MODEL).hexdigest(),
        size_bytes=len(_MODEL),
        inputs=(Tensor(name="x", shape=TINY_INPUT, dtype="float32", batched=False),),
        outputs=(Tensor(name="y", shape=(1, 1, 2, 2), dtype="float32", batched=False),),
        opset=13,
        ir_version=7,
    )


def run_tiny_onnx(name: str, open_session: Callable[[str, Artifact, SessionSettings], Any]) -> None:
    """Open and call it as strictly as any model; UnavailableError where it does not run or gives another result."""
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        artifact = write_tiny_onnx(Path(folder))
        settings = SessionSettings(threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",))
        session = open_session(name, artifact, settings)
        try:
            result = np.array(session.call({"x": np.full(TINY_INPUT, 1, np.float32)})[0])
        except Exception as error:
            raise UnavailableError(f"running a tiny model: {type(error).__name__}: {error}") from error
        finally:
            session.close()
    if not np.allclose(result, TINY_RESULT, rtol=1e-2):
        raise UnavailableError(f"a tiny model gave {result.flat[0]} in place of {TINY_RESULT}")
