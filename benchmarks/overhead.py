"""What the harness adds to a call: our timed loop over a bare loop on the same session, interleaved in one process.

Prints, for MobileNetV1 and for a one-op model on ONNX Runtime, the median of each loop, their ratio and difference,
with the range of the ratio over blocks. Usage: python benchmarks/overhead.py [--blocks 40]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from bench.measure.loop import time_calls
from bench.prepare.arrays import load_arrays
from bench.prepare.prepare import prepare_model
from bench.records import Artifact, PrepareSettings, SessionSettings, Tensor
from bench.runtimes.loading import open_session
from bench.specs import parse_model


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=40)
    blocks = parser.parse_args().blocks
    print("| model | calls | bare median | harness median | harness / bare | range over blocks | difference |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        report("one Add", one_op(Path(folder)), [{"x": np.full((1, 4), i, "float32")} for i in range(8)], blocks, 5000)
    artifact, feeds = mobilenet()
    report("mobilenet_v1", artifact, feeds, blocks, 20)


def one_op(folder: Path) -> Artifact:
    """A model of one addition: nearly nothing but the call."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "one_op", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, folder / "one_op.onnx")
    tensors = [(Tensor(name=name, shape=(None, 4), dtype="float32"),) for name in ("x", "y")]
    path = str(folder / "one_op.onnx")
    return Artifact(kind="onnx", path=path, digest="", size_bytes=0, inputs=tensors[0], outputs=tensors[1])


def mobilenet() -> tuple[Artifact, list[dict[str, Any]]]:
    """MobileNetV1 as `bench run` prepares it, and its pool one item a call."""
    prepared = prepare_model(parse_model("mobilenet_v1"), PrepareSettings(), on_stage=lambda _name: None)
    pool = load_arrays(prepared.pool)
    feeds = [{name: array[i : i + 1] for name, array in pool.items()} for i in range(prepared.pool.items)]
    return prepared.artifacts["onnx"], feeds


def report(name: str, artifact: Artifact, feeds: list[dict[str, Any]], blocks: int, calls: int) -> None:
    """One line of the table: blocks of both loops, taken in turn, first one then the other leading."""
    inputs = tuple(Tensor(name=key, shape=array.shape, dtype=str(array.dtype)) for key, array in feeds[0].items())
    outputs = tuple(tensor.name for tensor in artifact.outputs)
    settings = SessionSettings(threads=1, batch_size=1, inputs=inputs, outputs=outputs)
    session = open_session("onnxruntime-cpu", artifact, settings)
    inner: Any = session
    run, names = inner.call.func, list(outputs)
    bare, ours, ratios = [], [], []
    gc.disable()
    for block in range(-2, blocks):
        durations = [0] * calls
        if block % 2:
            time_calls(session.call, feeds, 0, durations, time.perf_counter_ns)
            plain = bare_loop(run, names, feeds, calls)
        else:
            plain = bare_loop(run, names, feeds, calls)
            time_calls(session.call, feeds, 0, durations, time.perf_counter_ns)
        if block >= 0:  # the first two blocks warm up
            bare += plain
            ours += durations
            ratios.append(statistics.median(durations) / statistics.median(plain))
    gc.enable()
    a, b = statistics.median(bare), statistics.median(ours)
    print(
        f"| {name} | 2 x {len(bare)} | {a / 1000:.2f} us | {b / 1000:.2f} us | {b / a:.4f} | "
        f"{min(ratios):.4f} to {max(ratios):.4f} | {(b - a) / 1000:+.3f} us |"
    )


def bare_loop(run: Any, names: list[str], feeds: list[dict[str, Any]], calls: int) -> list[int]:
    """What a person would write by hand."""
    durations = []
    for i in range(calls):
        start = time.perf_counter_ns()
        run(names, feeds[i % len(feeds)])
        durations.append(time.perf_counter_ns() - start)
    return durations


if __name__ == "__main__":
    main()
