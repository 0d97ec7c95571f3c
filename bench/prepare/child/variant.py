"""Another form of a prepared model: float16 and int8 files, LiteRT's, Keras's. Runs in the child of prepare.

Each form has a module of its own, imported when it is asked for: most need neither TensorFlow nor all of ONNX.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.prepare.messages import ChildAnswer, Variant, WantedVariant
from bench.records import Artifact, Failure, ModelSpec, PrepareSettings, artifact_key


def make(
    wanted: WantedVariant, spec: ModelSpec, settings: PrepareSettings, folder: Path, on_stage: Callable[[str], None]
) -> ChildAnswer:
    """The artifact in ``folder``, its path relative to it; a Failure is raised as the error that it stands for."""
    key = artifact_key(wanted.kind, wanted.precision)
    on_stage("convert")
    made = _made(wanted, spec, settings, folder / wanted.kind, on_stage)
    if isinstance(made, Failure):
        raise _as_error(made)
    artifact = msgspec.structs.replace(made, path=os.path.relpath(made.path, folder))
    return ChildAnswer(variant=Variant(model=f"{spec.display} as {key}", artifact=artifact))


def _made(
    wanted: WantedVariant, spec: ModelSpec, settings: PrepareSettings, folder: Path, on_stage: Callable[[str], None]
) -> Artifact | Failure:
    folder.mkdir()
    if wanted.kind == "keras":
        from bench.prepare.child.keras_file import write_keras

        return write_keras(spec, settings, folder, wanted.prepared)
    if wanted.kind == "litert" and settings.litert_file is not None:
        from bench.prepare.child.litert_source import user_litert

        own = Path(settings.litert_file)
        return user_litert(own, settings.litert_names, wanted.prepared, wanted.precision, folder)
    if wanted.kind == "litert":
        from bench.prepare.child.litert_file import write_litert

        return write_litert(wanted.prepared, wanted.precision, folder, on_stage)
    from bench.prepare.child.onnx_variant import write_onnx

    return write_onnx(wanted.prepared, wanted.precision, folder, on_stage)


def _as_error(failure: Failure) -> BenchError:
    kinds = {"unsupported": UnsupportedError, "unavailable": UnavailableError}
    return kinds.get(failure.status, BenchError)(failure.reason)
