"""Model spec -> Prepared: from the cache, or by one child process that does everything. Runs in the parent.

Never imports TensorFlow, Keras, ONNX or ONNX Runtime.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import msgspec

from bench.errors import DisagreeError, UnsupportedError, UsageError
from bench.prepare import cache
from bench.prepare.digests import are_unchanged, artifact_files, listing_digest, path_digest
from bench.prepare.expected import with_data_beside
from bench.prepare.input_files import data_sets
from bench.prepare.launch import CHILD, run_child
from bench.prepare.messages import ChildRequest
from bench.prepare.opsets import GREATEST_OPSET, LEAST_OPSET
from bench.prepare.zoo import base_folder, models_folder
from bench.records import Artifact, Caution, ModelFacts, ModelSpec, Prepared, PrepareSettings

EXPORTERS = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")


def prepare_model(
    spec: ModelSpec,
    settings: PrepareSettings,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
    command: tuple[str, ...] = CHILD,
) -> Prepared:
    """Artifacts, inputs and truth of a model, kept for the next time.

    ``on_stage`` is told what the child is at. Raises UsageError for what cannot be meant, BenchError where the model
    cannot be had at all; a model that only cannot be exported is a Failure in the answer.
    """
    _check_opset(spec, settings)
    settings = with_data_beside(spec, settings)
    key = cache_key(spec, settings)
    is_stale, found = cache.is_kept(key), cache.lookup(key)
    cautions: tuple[Caution, ...] = ()
    if found and found.prepared and are_unchanged(found.dependencies, base_folder(spec)):
        damaged = cache.damage(found.prepared)
        if damaged is None:
            return msgspec.structs.replace(found.prepared, model=spec.display, stages_ns={})
        cautions = (Caution(code="cache", text=f"the kept {damaged} had changed on disk; it was made again"),)
    with cache.unfinished_folder() as folder:
        request = ChildRequest(parent=os.getpid(), specs=(spec,), settings=settings)
        run_child(folder, request, on_stage, command=command)
        cache.keep(folder, key, replacing=is_stale)
    made = cache.lookup(key)
    assert made is not None
    assert made.prepared is not None
    return msgspec.structs.replace(made.prepared, model=spec.display, cautions=made.prepared.cautions + cautions)


def describe_models(
    specs: Sequence[ModelSpec], settings: PrepareSettings, *, command: tuple[str, ...] = CHILD
) -> list[ModelFacts]:
    """Name, input, parameters and multiply-adds of each model, by one child; one that can't be built says why."""
    with cache.unfinished_folder() as folder:
        request = ChildRequest(parent=os.getpid(), specs=tuple(specs), settings=settings, describe=True)
        return list(run_child(folder, request, lambda _: None, command=command).facts or ())


def export_onnx(
    spec: ModelSpec,
    settings: PrepareSettings,
    output: Path,
    *,
    on_stage: Callable[[str], None] = lambda _: None,
    command: tuple[str, ...] = CHILD,
) -> Artifact:
    """The model's ONNX file at ``output``, external data beside it; nothing is there unless it is right.

    Raises DisagreeError where the numbers of the converted file were wrong, UnsupportedError where there is no file
    that loads, UsageError where ``output`` can't be written.
    """
    if not output.parent.is_dir():
        raise UsageError(f"writing {output}: there is no folder {output.parent}; make it first")
    artifact = exported_artifact(spec, prepare_model(spec, settings, on_stage=on_stage, command=command))
    copy_with_data(Path(artifact.path), output)
    return msgspec.structs.replace(artifact, path=str(output))


def exported_artifact(spec: ModelSpec, prepared: Prepared) -> Artifact:
    """The model's ONNX file in the cache. Raises DisagreeError or UnsupportedError where there is none."""
    artifact = prepared.artifacts.get("onnx")
    if artifact is None:
        failure = prepared.failures["onnx"]
        kind = DisagreeError if failure.verdict == "disagrees" else UnsupportedError
        raise kind(f"exporting {spec.display}: {failure.reason}")
    return artifact


def copy_with_data(source: Path, output: Path) -> None:
    """A copy of a file of the cache at ``output``, and of its external data beside it: data first, each file whole."""
    with _as_usage_error(output):
        for file in artifact_files(source):
            if file != source:
                _copy_whole(file, output.parent / file.relative_to(source.parent))
        _copy_whole(source, output)


def cache_key(spec: ModelSpec, settings: PrepareSettings) -> str:
    """What the answer depends on, as one sha256: contents, never a path or a time.

    Our own source is part of it, so a changed recipe never meets an old answer.
    """
    parts = {
        "kind": spec.kind,
        "name": spec.name if spec.kind in ("zoo", "keras") else "",
        "function": spec.function,
        "options": {name: _content(value) if name == "weights" else value for name, value in spec.options.items()},
        "model": _content(spec.path),
        "zoo": _content(str(models_folder() / f"{spec.name}.py")) if spec.kind == "zoo" else None,
        "settings": msgspec.to_builtins(
            msgspec.structs.replace(
                settings,
                load_inputs=_inputs_content(settings.load_inputs),
                onnx_file=_content(settings.onnx_file),
                litert_file=None,  # another form of the model: ``variants`` knows it
                litert_names={},
            )
        ),
        "versions": {name: metadata.version(name) for name in EXPORTERS},
        "bench": source_digest(),
    }
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _check_opset(spec: ModelSpec, settings: PrepareSettings) -> None:
    """UsageError where a model is to be converted to an operator set that it can't be."""
    is_converted = spec.kind != "onnx" and settings.onnx_file is None
    if is_converted and not LEAST_OPSET <= settings.opset <= GREATEST_OPSET:
        raise UsageError(f"--opset {settings.opset}: expected {LEAST_OPSET} to {GREATEST_OPSET}, which tf2onnx writes")


def source_digest() -> str:
    """The sha256 over the source of this stage, and of the modules beside it that its answers depend on."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in source_files())).hexdigest()


def source_files() -> list[Path]:
    """What ``source_digest`` is of."""
    stage = Path(__file__).parent
    pure = [stage.parent / "analysis" / name for name in ("distance.py", "naming.py", "noise.py")]
    beside = [stage.parent / "runtimes" / name for name in ("keras_names.py", "litert_tensors.py")]
    neutral = [stage.parent / name for name in ("children.py", "protobuf.py", "units.py")]
    return [*sorted(stage.rglob("*.py")), *pure, *beside, *neutral]


def _inputs_content(path: str | None) -> str | None:
    """The digest of a user's inputs: of a folder with ONNX test data that alone, whatever else lies there."""
    folder = Path(path) if path else None
    sets = data_sets(folder) if folder is not None and folder.is_dir() else []
    return listing_digest({one.name: path_digest(one) for one in sets}) if sets else _content(path)


def _content(path: str | None) -> str | None:
    """The digest of a file or folder where there is one; any other text as it is."""
    return path_digest(Path(path)) if path and Path(path).exists() else path


def _copy_whole(source: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, unfinished)
        os.replace(unfinished, output)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _as_usage_error(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"writing {output}: {error.strerror or error}") from error
