"""The child of prepare: one request in a folder, one answer beside it. ``python -m bench.prepare.child.main FOLDER``.

The only process that imports TensorFlow, tf2onnx and ONNX together, once for everything. It ends with its parent.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from bench.children import die_with
from bench.prepare.child.serving import Stages, error_of, leave, write_answer
from bench.prepare.messages import REQUEST_FILE, STAGES_FILE, ChildAnswer, ChildRequest


def answer(request: ChildRequest, folder: Path) -> ChildAnswer:
    """The answer to a request; an exception becomes an error in it, one of ours with its traceback."""
    stages = Stages(folder / STAGES_FILE)
    try:
        stages.begin("import")
        if request.variant:
            from bench.prepare.child import variant

            return variant.make(request.variant, request.specs[0], request.settings, folder, stages.begin)
        from bench.prepare.child import pipeline

        if request.describe:
            return ChildAnswer(facts=tuple(pipeline.describe(spec, request.settings) for spec in request.specs))
        return pipeline.prepare(request.specs[0], request.settings, folder, stages)
    except Exception as error:
        return ChildAnswer(error=error_of(error, "preparing the model"))


def main(folder: Path) -> None:
    """Read the request, write the answer."""
    request = msgspec.json.decode((folder / REQUEST_FILE).read_bytes(), type=ChildRequest)
    die_with(request.parent)
    write_answer(folder, answer(request, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    leave()
