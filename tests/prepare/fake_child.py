"""A child of prepare that imports nothing big: makes two small artifacts, and counts how often it was started."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np

from bench.prepare.arrays import save_arrays
from bench.prepare.digests import artifact_digest, dependency_digests
from bench.prepare.messages import ANSWER_FILE, REQUEST_FILE, STAGES_FILE, ChildAnswer, ChildRequest
from bench.records import Artifact, Failure, ModelFacts, Prepared, Tensor

X = Tensor(name="x", shape=(None, 2), dtype="float32")
Y = Tensor(name="y", shape=(None, 2), dtype="float32")


def answer(request: ChildRequest, folder: Path) -> ChildAnswer:
    """Facts, or a model whose ONNX file fails as its ``fail`` option says."""
    if request.describe:
        return ChildAnswer(facts=tuple(ModelFacts(model=spec.display, parameters=6) for spec in request.specs))
    spec = request.specs[0]
    for place, name, content in (("saved_model", "saved_model.pb", b"graph"), ("onnx", "model.onnx", b"onnx")):
        (folder / place).mkdir()
        (folder / place / name).write_bytes(content)
    (folder / "onnx" / "weights.bin").write_bytes(b"weights")
    made = {"saved_model": make(folder, "saved_model", "saved_model"), "onnx": make(folder, "onnx", "onnx/model.onnx")}
    failures = {}
    if verdict := spec.options.get("fail"):
        del made["onnx"]
        failures["onnx"] = Failure(status="failed", reason="wrong by 0.6", verdict=verdict)  # type: ignore[arg-type]
    pool = save_arrays(folder / "inputs.npz", {"x": np.arange(16, dtype=np.float32).reshape(8, 2)})
    truth = save_arrays(folder / "truth.npz", {"y": np.arange(16, dtype=np.float64).reshape(8, 2)})
    prepared = Prepared(
        model=spec.display,
        model_digest="m",
        inputs=(X,),
        outputs=(Y,),
        output_paths={"y": ""},
        artifacts=made,
        failures=failures,
        pool=msgspec.structs.replace(pool, path="inputs.npz"),
        truth_file=msgspec.structs.replace(truth, path="truth.npz"),
        truth="float64",
        yardstick={"y": 1e-6},
        parameters=6,
        multiply_adds=4,
        versions={},
        stages_ns={"load": 5},
    )
    beside = [Path(spec.path).with_name("layers.py")] if spec.path else []
    files = [file for file in beside if file.exists()]
    return ChildAnswer(prepared=prepared, dependencies=dependency_digests(files, Path(spec.path or ".").parent))


def make(folder: Path, kind: str, path: str) -> Artifact:
    """The record of what lies at ``path``."""
    return Artifact(
        kind=kind,  # type: ignore[arg-type]
        path=path,
        digest=artifact_digest(folder / path),
        size_bytes=4,
        inputs=(X,),
        outputs=(Y,),
    )


if __name__ == "__main__":
    counter, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with counter.open("a") as file:
        file.write("started\n")
    (folder / STAGES_FILE).write_text("load\n")
    request = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=ChildRequest)
    (folder / ANSWER_FILE).write_bytes(msgspec.json.encode(answer(request, folder)))
