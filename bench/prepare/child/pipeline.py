"""One model through everything that prepare does, in order. In the child; alone it knows every step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import keras
import msgspec

from bench.errors import BenchError
from bench.prepare.child import onnx_file, onnx_source, record
from bench.prepare.child.count import multiply_adds, trainable_parameters
from bench.prepare.child.digest import model_digest
from bench.prepare.child.export import REJECTED, Sample, export_onnx, export_saved_model
from bench.prepare.child.hazard_graph import own_transposes
from bench.prepare.child.hazards import Subject, find_hazards
from bench.prepare.child.load import LoadedModel, load_keras_model
from bench.prepare.child.named import NamedModel, from_keras, trace
from bench.prepare.child.onnx_run import open_unoptimised
from bench.prepare.child.pool import pool_of
from bench.prepare.child.ranges import input_ranges
from bench.prepare.child.reference import describe_outputs
from bench.prepare.child.saved_model import load_saved_model
from bench.prepare.child.shapes import Range, fix_shapes
from bench.prepare.child.truth import as_run, tensorflow_truth
from bench.prepare.child.weights import RECIPE_VERSION, apply_weights
from bench.prepare.digests import dependency_digests, path_digest
from bench.prepare.expected import STORED, expected_outputs
from bench.prepare.input_files import takes_ranges
from bench.prepare.messages import ChildAnswer
from bench.prepare.zoo import base_folder
from bench.records import Artifact, Caution, Failure, ModelFacts, ModelSpec, Prepared, PrepareSettings, Tensor
from bench.runtimes.keras_names import input_structure


class Progress(Protocol):
    """Whoever is told what is being done."""

    durations_ns: dict[str, int]

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def end(self) -> None:
        """The last one has ended."""


def prepare(spec: ModelSpec, settings: PrepareSettings, folder: Path, progress: Progress) -> ChildAnswer:
    """Artifacts, inputs and truth of a model in ``folder``, and their record; paths in it are relative to it."""
    reset_keras()
    if spec.kind == "onnx":
        return _prepare_onnx(spec, settings, folder, progress)
    return _prepare_tensorflow(spec, settings, folder, progress)


def describe(spec: ModelSpec, settings: PrepareSettings) -> ModelFacts:
    """Inputs, parameters and multiply-adds of a model, built but not calibrated; or why it can't be."""
    reset_keras()
    try:
        if spec.kind == "onnx":
            inputs, _ = onnx_file.read_tensors(onnx_file.read_graph(_path(spec)))
            return ModelFacts(model=spec.display, inputs=inputs)
        named, loaded = load_source(spec, settings)
    except BenchError as error:
        return ModelFacts(model=spec.display, reason=str(error))
    model = loaded.model if loaded else None
    return ModelFacts(
        model=spec.display,
        inputs=named.inputs,
        parameters=trainable_parameters(model) if model else None,
        multiply_adds=_count(model),
    )


def _prepare_tensorflow(spec: ModelSpec, settings: PrepareSettings, folder: Path, progress: Progress) -> ChildAnswer:
    named, loaded, inputs, ranges, cautions = load_weighted(spec, settings, progress.begin)
    model = named.keras_model
    pool, more = pool_of(inputs, ranges, settings)
    progress.begin("truth")
    function = trace(named)
    truth = tensorflow_truth(named, function, inputs, pool, settings.seed)
    outputs = describe_outputs(as_run(named, function), inputs, pool, truth.reference)
    repeatable = not any(caution.code == "non-deterministic model" for caution in truth.cautions)
    sample = Sample(inputs, outputs, pool, truth.reference, truth.yardstick, repeatable, truth.outputs)
    progress.begin("export saved_model")
    made: dict[str, Artifact | Failure] = {}
    made["saved_model"] = export_saved_model(named, function, sample, folder / "saved_model")
    progress.begin("export onnx")
    made["onnx"] = _onnx(named, function, sample, settings, folder / "onnx")
    progress.begin("hazards")
    own = own_transposes(function) if settings.onnx_file is None else None
    hazards = find_hazards(Subject(inputs, pool, truth.reference, made["onnx"], named, own))
    progress.begin("store")
    prepared = record.make_record(spec, inputs, outputs, pool, truth, made, folder)
    recipe = RECIPE_VERSION if loaded and loaded.weights == "calibrated" else None
    prepared = msgspec.structs.replace(
        prepared,
        model_digest=model_digest(model, recipe) if model else path_digest(_path(spec)),
        output_paths=dict(named.output_paths),
        parameters=trainable_parameters(model) if model else None,
        multiply_adds=_count(model),
        rejected=_rejected(folder / "onnx" / REJECTED, sample),
        cautions=(*cautions, *more, *_unsafe(spec, settings), *prepared.cautions, *hazards),
    )
    files = [*(loaded.files if loaded else []), *_data_of(settings.onnx_file)]
    return _finish(prepared, folder, dependency_digests(files, base_folder(spec)), progress)


def _prepare_onnx(spec: ModelSpec, settings: PrepareSettings, folder: Path, progress: Progress) -> ChildAnswer:
    progress.begin("load")
    source = _path(spec)
    proto = onnx_file.read_graph(source)
    external = onnx_file.external_files(proto, source.parent)
    declared, _ = onnx_file.read_tensors(proto)
    inputs = fix_shapes(declared, settings.input_shapes)
    used = takes_ranges(settings.load_inputs)
    ranges, cautions = input_ranges(inputs, settings.input_ranges, None, None, used=used)
    pool, more = pool_of(inputs, ranges, settings)
    path = onnx_file.copy_model(source, folder / "onnx")
    progress.begin("truth")
    truth = onnx_source.onnx_truth(path, source.name, inputs, pool, settings.seed)
    outputs = describe_outputs(open_unoptimised(path), inputs, pool, truth.reference)
    stored = expected_outputs(settings.load_inputs, outputs, len(next(iter(pool.values()))))
    if stored is not None:
        truth = dataclasses.replace(truth, outputs=stored, kind=STORED)
    artifact = onnx_file.read_artifact(path, inputs, outputs)
    progress.begin("hazards")
    hazards = find_hazards(Subject(inputs, pool, truth.reference, artifact))
    progress.begin("store")
    absent = Failure(status="unsupported", reason="TensorFlow runs Keras models and SavedModels, not .onnx files")
    prepared = record.make_record(spec, inputs, outputs, pool, truth, {"onnx": artifact, "saved_model": absent}, folder)
    prepared = msgspec.structs.replace(
        prepared,
        model_digest=artifact.digest,
        output_paths={tensor.name: "" for tensor in outputs},
        cautions=(*cautions, *more, *prepared.cautions, *hazards),
    )
    return _finish(prepared, folder, dependency_digests(external, source.parent), progress)


class Weighted(NamedTuple):
    """A TensorFlow source as it is compared: its weights set, its inputs fixed."""

    named: NamedModel
    loaded: LoadedModel | None
    inputs: tuple[Tensor, ...]
    ranges: Mapping[str, Range]
    cautions: tuple[Caution, ...]


def load_weighted(spec: ModelSpec, settings: PrepareSettings, begin: Callable[[str], None]) -> Weighted:
    """The source with the weights that everything is measured with: the same each time; ``begin`` hears the stages."""
    begin("load")
    named, loaded = load_source(spec, settings)
    inputs = fix_shapes(named.inputs, settings.input_shapes)
    declared = loaded.input_range if loaded else None
    used = takes_ranges(settings.load_inputs)
    ranges, cautions = input_ranges(inputs, settings.input_ranges, declared, named.keras_model, used=used)
    if loaded and loaded.weights:
        begin("weights")
        apply_weights(loaded.model, loaded.weights, settings.seed, ranges)
    return Weighted(named, loaded, inputs, ranges, cautions)


def load_source(spec: ModelSpec, settings: PrepareSettings) -> tuple[NamedModel, LoadedModel | None]:
    """The model by its names, and as Keras has it where it is Keras's; its weights as they come.

    What a builder draws at random it draws from the run's seed, so that the same model can be built once more.
    """
    keras.utils.set_random_seed(settings.seed)
    if spec.kind == "saved_model":
        return load_saved_model(_path(spec), settings), None
    loaded = load_keras_model(spec, settings)
    return from_keras(loaded.model, settings.input_shapes), loaded


def _onnx(
    named: NamedModel, function: object, sample: Sample, settings: PrepareSettings, folder: Path
) -> Artifact | Failure:
    """The converted file, or the user's own."""
    if settings.onnx_file is None:
        folder.mkdir(parents=True, exist_ok=True)
        return export_onnx(named, function, sample, folder / "model.onnx", settings.opset)
    own = Path(settings.onnx_file)
    return onnx_source.user_artifact(own, folder, settings.onnx_names, sample.inputs, sample.pool, sample.reference)


def _rejected(path: Path, sample: Sample) -> dict[str, Artifact]:
    return {"onnx": onnx_file.read_artifact(path, sample.inputs, sample.outputs)} if path.is_file() else {}


def _data_of(onnx_path: str | None) -> list[Path]:
    """External data of the user's own file, so that the cache notices when it changes."""
    if onnx_path is None:
        return []
    try:
        return onnx_file.external_files(onnx_file.read_graph(Path(onnx_path)), Path(onnx_path).parent)
    except BenchError:
        return []


def _finish(prepared: Prepared, folder: Path, dependencies: dict[str, str], progress: Progress) -> ChildAnswer:
    progress.end()
    timed = msgspec.structs.replace(prepared, stages_ns=dict(progress.durations_ns))
    return ChildAnswer(prepared=record.with_relative_paths(timed, folder), dependencies=dependencies)


def _unsafe(spec: ModelSpec, settings: PrepareSettings) -> tuple[Caution, ...]:
    if not settings.unsafe or spec.kind not in ("keras_file", "h5"):
        return ()
    return (Caution(code="unsafe", text="code within the model's file was allowed to run (--unsafe)"),)


def _count(model: keras.Model | None) -> int | None:
    """Multiply-adds of a model that knows its own inputs; None of any other."""
    return multiply_adds(model) if model is not None and input_structure(model) is not None else None


def _path(spec: ModelSpec) -> Path:
    assert spec.path is not None
    return Path(spec.path)


def reset_keras() -> None:
    """Keras's own defaults, whatever a configuration file says; names count from the start for each model."""
    keras.backend.clear_session(free_memory=False)
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
