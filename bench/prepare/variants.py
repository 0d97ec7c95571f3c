"""Artifacts that only some runtimes need, made on demand from a prepared model and kept by their contents.

A float16 or int8 file, a LiteRT file, a Keras file: other forms of the same model, in a child process. Runs in the
parent, which never imports TensorFlow, Keras or ONNX.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.records import Artifact, ArtifactKind, Failure, ModelSpec, Precision, Prepared, PrepareSettings


def make_variant(
    prepared: Prepared,
    spec: ModelSpec,
    settings: PrepareSettings,
    kind: ArtifactKind,
    precision: Precision,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Artifact | Failure:
    """The artifact, or why there is none. UsageError is raised, every other error is a Failure."""
    del prepared, spec, settings, on_stage
    return Failure(status="unsupported", reason=f"no {precision} {kind} file is made yet")
