"""Artifacts that only some runtimes need, made on demand from a prepared model and kept by their contents.

A float16 or int8 file, a LiteRT file, a Keras file: other forms of the same model, in a child process. Runs in the
parent, which never imports TensorFlow, Keras or ONNX.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import msgspec

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError
from bench.prepare import cache
from bench.prepare.digests import path_digest
from bench.prepare.launch import CHILD, run_child
from bench.prepare.messages import ChildRequest, WantedVariant
from bench.prepare.prepare import EXPORTERS, source_digest
from bench.records import (
    Artifact,
    ArtifactKind,
    Failure,
    ModelSpec,
    Precision,
    Prepared,
    PrepareSettings,
    Status,
    artifact_key,
)

_CONVERTERS = (*EXPORTERS, "onnxconverter-common")
_FROM: dict[ArtifactKind, ArtifactKind] = {"onnx": "onnx", "litert": "saved_model", "keras": "saved_model"}


def make_variant(
    prepared: Prepared,
    spec: ModelSpec,
    settings: PrepareSettings,
    kind: ArtifactKind,
    precision: Precision,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
    command: tuple[str, ...] = CHILD,
) -> Artifact | Failure:
    """The artifact, or why there is none. UsageError is raised, every other error is a Failure.

    ``on_stage`` is told what the child is at; nothing is told where the artifact was kept.
    """
    source = _source_digest(prepared, settings, kind)
    if source is None:
        return _without_source(prepared, kind)
    key = variant_key(prepared, source, kind, precision)
    is_stale = cache.is_kept(key)
    found = _kept(key)
    if found is not None and cache.is_whole(found):
        return found
    wanted = WantedVariant(prepared=prepared, kind=kind, precision=precision)
    request = ChildRequest(parent=os.getpid(), specs=(spec,), settings=settings, variant=wanted)
    said = f"{spec.display} as {artifact_key(kind, precision)}"
    try:
        with cache.unfinished_folder() as folder:
            run_child(folder, request, lambda stage: on_stage(f"{said}: {stage}"), command=command)
            cache.keep(folder, key, replacing=is_stale)
    except UsageError:
        raise
    except BenchError as error:
        return Failure(status=_status_of(error), reason=str(error))
    made = _kept(key)
    assert made is not None
    return made


def variant_key(prepared: Prepared, source: str, kind: ArtifactKind, precision: Precision) -> str:
    """What the artifact depends on, as one sha256: contents and our own source, never a path or a time.

    ``source`` is the digest of what it is made from.
    The pool is part of it, for int8 is calibrated on it, and the truth, for the conversion's error is told from it.
    """
    parts = {
        "model": prepared.model_digest,
        "source": source,
        "pool": prepared.pool.digest,
        "truth": prepared.truth_file.digest,
        "yardstick": prepared.yardstick,
        "kind": kind,
        "precision": precision,
        "versions": {name: metadata.version(name) for name in _CONVERTERS},
        "bench": source_digest(),
    }
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _source_digest(prepared: Prepared, settings: PrepareSettings, kind: ArtifactKind) -> str | None:
    """Of what the artifact is made from: a file of the user's, its names with it, or another form of the model."""
    if kind == "litert" and settings.litert_file is not None:
        own = [path_digest(Path(settings.litert_file)), *sorted(settings.litert_names.items())]
        return hashlib.sha256(msgspec.json.encode(own)).hexdigest()
    source = prepared.artifacts.get(_FROM[kind])
    return source.digest if source else None


def _kept(key: str) -> Artifact | None:
    answer = cache.lookup(key)
    return answer.variant.artifact if answer and answer.variant else None


def _without_source(prepared: Prepared, kind: ArtifactKind) -> Failure:
    """A model without the form that this one is made from."""
    failure = prepared.failures.get(_FROM[kind])
    if kind == "onnx" and failure is not None:
        return failure
    needs = {"onnx": "the ONNX file", "litert": "the Keras model or SavedModel", "keras": "the Keras model"}[kind]
    why = f": {failure.reason}" if failure else ""
    return Failure(status="unsupported", reason=f"a {kind} file is made from {needs}, and there is none{why}")


def _status_of(error: BenchError) -> Status:
    if isinstance(error, UnsupportedError):
        return "unsupported"
    return "unavailable" if isinstance(error, UnavailableError) else "failed"
