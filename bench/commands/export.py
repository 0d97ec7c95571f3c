"""``bench export``."""

from __future__ import annotations

from pathlib import Path

from bench import units
from bench.commands.console import Console
from bench.errors import EXIT_OK, UsageError
from bench.flags import Flags, parse_flags
from bench.progress import Progress
from bench.suite import build_suite


def export_model(flags: Flags, out: Path | None, *, console: Console, progress: Progress) -> int:
    """Write one model as ONNX to ``out`` and print what the file is."""
    asked = parse_flags(flags)
    if out is None:
        raise UsageError("exporting: say where the file goes with -o FILE, such as -o model.onnx")
    if out.is_dir():
        raise UsageError(f"-o {out}: this is a folder; name the file, such as {out / 'model.onnx'}")
    suite = build_suite(asked, cpus=1, default_runtimes=())

    from bench.prepare.prepare import export_onnx

    artifact = export_onnx(suite.models[0], suite.prepare, out, on_stage=progress.stage)
    progress.done()
    names = ", ".join(tensor.name for tensor in artifact.inputs), ", ".join(tensor.name for tensor in artifact.outputs)
    console.say(f"{out}: {units.size(artifact.size_bytes)}, opset {artifact.opset}, sha256 {artifact.digest}")
    console.say(f"inputs {names[0]}; outputs {names[1]}")
    return EXIT_OK


def export_test_data(flags: Flags, out: Path | None, *, console: Console, progress: Progress) -> int:
    """Write one model and what it should compute, in ONNX's own layout, to the folder ``out``."""
    asked = parse_flags(flags)
    if out is None:
        raise UsageError("exporting: say which folder the file and its test data go into with -o DIR")
    if out.suffix == ".onnx":
        other = out.with_suffix("")
        raise UsageError(
            f"-o {out}: with --test-data this is the folder of model.onnx and its data, such as -o {other}"
        )
    suite = build_suite(asked, cpus=1, default_runtimes=())

    from bench.prepare.data_sets import export_with_data

    made = export_with_data(suite.models[0], suite.prepare, out, on_stage=progress.stage)
    progress.done()
    artifact = made.artifact
    console.say(
        f"{out / 'model.onnx'}: {units.size(artifact.size_bytes)}, opset {artifact.opset}, sha256 {artifact.digest}"
    )
    console.say(f"{made.sets} test_data_set_N: inputs, and as outputs the truth ({made.truth}) in the file's types")
    console.say(f"read by onnx.backend.test, and by: bench verify {out / 'model.onnx'}")
    return EXIT_OK
