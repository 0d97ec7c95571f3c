"""A child of prepare that converts nothing: it writes what it was asked for, and counts how often it was started."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from bench.prepare.digests import artifact_digest
from bench.prepare.messages import (
    ANSWER_FILE,
    REQUEST_FILE,
    STAGES_FILE,
    ChildAnswer,
    ChildError,
    ChildRequest,
    Variant,
)


def answer(request: ChildRequest, folder: Path) -> ChildAnswer:
    """A file that names itself, or the error that the model's ``fail`` option says."""
    spec, wanted = request.specs[0], request.variant
    assert wanted is not None
    if kind := spec.options.get("fail"):
        return ChildAnswer(error=ChildError(kind=kind, text="no such operator"))  # type: ignore[arg-type]
    path = folder / wanted.kind / "model"
    path.parent.mkdir()
    path.write_text(f"{wanted.precision} {wanted.kind}")
    artifact = msgspec.structs.replace(
        wanted.prepared.artifacts["onnx"],
        kind=wanted.kind,
        precision=wanted.precision,
        path=f"{wanted.kind}/model",
        digest=artifact_digest(path),
    )
    return ChildAnswer(variant=Variant(model=f"{spec.display} as {wanted.kind} {wanted.precision}", artifact=artifact))


if __name__ == "__main__":
    counter, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with counter.open("a") as file:
        file.write("started\n")
    (folder / STAGES_FILE).write_text("convert\n")
    request = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=ChildRequest)
    (folder / ANSWER_FILE).write_bytes(msgspec.json.encode(answer(request, folder)))
