"""One model through tf2onnx's two ways and Keras's own, at several operator sets, as a user would call them.

A task of ``prepare/tasks.py``, see ``prepare/exporters.py``. Runs in the child. Ours come first: Keras's export patches
tf2onnx for the rest of the process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import onnx

from bench.errors import BenchError
from bench.prepare.child import diagnose, onnx_file, onnx_graph
from bench.prepare.child.again import load_again
from bench.prepare.child.export import SIGNATURE, convert
from bench.prepare.child.named import NamedModel, trace
from bench.prepare.child.onnx_run import load_error, open_as_deployed
from bench.prepare.child.saved_model import load_saved_model
from bench.prepare.child.serving import OnStage, serve
from bench.prepare.exporters import OURS, ExportedFile, Exporter, ExportersAnswer, ExportersRequest, exporters_for
from bench.prepare.interface import less_sure, pair_tensors
from bench.records import Failure, Prepared, Tensor

Write = Callable[["Source", int, Path], str]  # source, opset, path -> why there is no file, or ""


@dataclass(frozen=True)
class Source:
    """What every exporter starts from."""

    prepared: Prepared
    named: NamedModel
    model: keras.Model | None


def export_each(request: ExportersRequest, on_stage: OnStage) -> ExportersAnswer:
    """A file of each exporter and operator set, or its reason."""
    on_stage("load")
    source = _load(request)
    files = []
    for exporter in exporters_for(request.spec):
        for opset in request.opsets:
            on_stage(f"{exporter}, opset {opset}")
            path = Path(request.folder) / f"{exporter.replace(' ', '-')}-{opset}" / "model.onnx"
            path.parent.mkdir(parents=True)
            files.append(_export(exporter, opset, source, path))
    return ExportersAnswer(files=tuple(files))


def _load(request: ExportersRequest) -> Source:
    if request.spec.kind == "saved_model":
        assert request.spec.path is not None
        return Source(request.prepared, load_saved_model(Path(request.spec.path), request.settings), None)
    made = load_again(request.spec, request.settings, request.prepared)
    if isinstance(made, Failure):
        raise BenchError(made.reason)
    return Source(request.prepared, *made)


def _export(exporter: Exporter, opset: int, source: Source, path: Path) -> ExportedFile:
    reason = _WRITERS[exporter](source, opset, path)
    if reason or not path.is_file():
        return ExportedFile(exporter=exporter, opset=opset, reason=reason or "it wrote no file and gave no reason")
    return look_into(ExportedFile(exporter=exporter, opset=opset), path, source)


def _from_function(source: Source, opset: int, path: Path) -> str:
    proto = convert(source.named, trace(source.named), source.prepared.outputs, opset)
    if isinstance(proto, Failure):
        return proto.reason
    onnx.save(proto, path)
    return ""


def _from_saved_model(source: Source, opset: int, path: Path) -> str:
    """``python -m tf2onnx.convert --saved-model``, without another start of TensorFlow."""
    import tf2onnx.convert

    folder = source.prepared.artifacts.get("saved_model")
    if folder is None:
        return source.prepared.failures["saved_model"].reason
    given = ["--saved-model", folder.path, "--signature_def", SIGNATURE, "--tag", "serve"]
    with _arguments("tf2onnx.convert", *given, "--opset", str(opset), "--output", str(path)):
        return _attempt("tf2onnx could not convert the SavedModel", tf2onnx.convert.main)


def _from_keras(source: Source, opset: int, path: Path) -> str:
    model = source.model
    assert model is not None
    return _attempt(
        "Keras could not export the model",
        lambda: model.export(str(path), format="onnx", opset_version=opset, verbose=False),
    )


_WRITERS: dict[Exporter, Write] = {
    OURS: _from_function,
    "tf2onnx SavedModel": _from_saved_model,
    "Keras export": _from_keras,
}


def _attempt(what: str, write: Callable[[], Any]) -> str:
    try:
        write()
    except (Exception, SystemExit) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{what}: {type(error).__name__}" + (f": {lines[0]}" if lines else "")
    return ""


@contextmanager
def _arguments(*words: str) -> Iterator[None]:
    before, sys.argv = sys.argv, list(words)
    try:
        yield
    finally:
        sys.argv = before


def look_into(file: ExportedFile, path: Path, source: Source) -> ExportedFile:
    """What is in a written file, whether it loads, and which of its tensors is which of the model's."""
    proto = onnx.load(path)
    nodes = list(onnx_graph.all_nodes(proto))
    prepared = source.prepared
    seen = msgspec.structs.replace(
        file,
        artifact=onnx_file.read_artifact(path, prepared.inputs, prepared.outputs),
        nodes=len(nodes),
        operators=tuple(sorted({node.op_type for node in nodes})),
    )
    refused = _why_refused(proto, path, source.model)
    if refused:
        return msgspec.structs.replace(seen, reason=refused)
    return _paired(seen, proto, path, prepared)


def _why_refused(proto: Any, path: Path, model: keras.Model | None) -> str:
    unsupported = diagnose.unsupported_operations(proto, model)
    if unsupported:
        return unsupported
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as error:
        return diagnose.explain(str(error), model)
    try:
        open_as_deployed(path)
    except Exception as error:
        return diagnose.explain(load_error(error), model)
    return ""


def _paired(seen: ExportedFile, proto: Any, path: Path, prepared: Prepared) -> ExportedFile:
    saved = prepared.artifacts.get("saved_model")
    known = saved.names if saved else {}
    theirs = onnx_file.read_tensors(proto)
    both = [pair_tensors(t, o, known) for t, o in zip(theirs, (prepared.inputs, prepared.outputs), strict=True)]
    if both[0] is None or both[1] is None:
        has, ours = (_listed([*i, *o]) for i, o in (theirs, (prepared.inputs, prepared.outputs)))
        return msgspec.structs.replace(seen, reason=f"its tensors can't be paired: {has}; the model has {ours}")
    (inputs, how_in), (outputs, how_out) = both[0], both[1]
    artifact = onnx_file.read_artifact(
        path,
        _under_their_names(prepared.inputs, inputs),
        _under_their_names(prepared.outputs, outputs),
        {name: model for name, model in (inputs | outputs).items() if name != model},
    )
    return msgspec.structs.replace(seen, artifact=artifact, paired=less_sure((how_in, how_out)))


def _under_their_names(ours: tuple[Tensor, ...], names: dict[str, str]) -> tuple[Tensor, ...]:
    back = {model: name for name, model in names.items()}
    return onnx_file.with_names(ours, back)


def _listed(tensors: list[Tensor]) -> str:
    return ", ".join(f"{tensor.name} {list(tensor.shape)} {tensor.dtype}" for tensor in tensors)


def _work(request: ExportersRequest, _: Path, on_stage: OnStage) -> ExportersAnswer:
    return export_each(request, on_stage)


if __name__ == "__main__":
    serve(ExportersRequest, _work)
