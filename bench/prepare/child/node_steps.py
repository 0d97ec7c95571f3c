"""The steps of a model that only its ONNX file knows: its nodes, each its own truth when run unoptimised. In the child.

There is nothing to look for in the file and nothing wrong in it: what is asked is which node a runtime, or an
optimiser, computes otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.analysis import distance as far
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.child import onnx_source, reference
from bench.prepare.child.items import batch_of, chosen_items, file_feed, one_by_one, save_truths, with_truths
from bench.prepare.child.long_sums import least_yardstick, longest_in_onnx
from bench.prepare.child.marked_run import MarkedFile
from bench.prepare.child.reference import Array, Arrays
from bench.prepare.child.serving import OnStage
from bench.prepare.dissection import Dissection, DissectRequest, Step
from bench.prepare.steps import with_rounding
from bench.records import Artifact


def dissect_nodes(request: DissectRequest, folder: Path, on_stage: OnStage) -> Dissection:
    """Every node of the main graph that gives floats."""
    artifact, pool = request.artifact, load_arrays(request.prepared.pool)
    on_stage("truth of each node")
    file = MarkedFile(Path(artifact.path))
    need = _bytes_per_item(file, artifact, pool, folder)
    pool, is_wide = chosen_items(artifact.inputs, pool, need, request.budget_bytes)
    truths = _rows(file, artifact, pool, folder)
    yardsticks = _moved_by_one_ulp(artifact, pool, folder, request.settings.seed)
    on_stage("store")
    longest = longest_in_onnx(onnx_source.fixed(file.proto, artifact.inputs))
    steps = node_steps(file, truths, yardsticks, least_yardstick(longest) if longest > 1 else 0.0)
    files = save_truths([truths[step.tensor] for step in steps if step.tensor], folder, is_wide=is_wide)
    return Dissection(
        model=request.prepared.model,
        steps=with_truths(steps, files),
        pool=save_arrays(folder / "pool.npz", pool),
        truth=onnx_source.UNOPTIMISED,
        outputs=_outputs(steps, artifact),
    )


def node_steps(file: MarkedFile, truths: Arrays, moved: Arrays, least: float = 0.0) -> list[Step]:
    """A step for each tensor of ``truths``, in order; ``moved`` has them with every weight moved by one ulp.

    ``least`` is the least yardstick, that of the file's longest sum.
    """
    steps: list[Step] = []
    places: dict[str, int] = {}
    for number, node in enumerate(file.nodes):
        for output, tensor in enumerate(node.output):
            if tensor not in truths:
                continue
            name = node.name or f"{node.op_type} {number}"
            before, _ = file.back_to(tensor, places)
            steps.append(
                Step(
                    name=name if output == 0 else f"{name} (output {output + 1})",
                    kind=node.op_type,
                    tensor=tensor,
                    before=tuple(sorted(places[one] for one in before)),
                    shape=tuple(truths[tensor].shape),
                    yardstick=_yardstick(truths[tensor], moved.get(tensor), least),
                    spread=far.spread(np.nan_to_num(truths[tensor], posinf=0, neginf=0)),
                    file_error=0.0,
                )
            )
            places[tensor] = len(steps) - 1
    return steps


def _yardstick(truth: Array, moved: Array | None, least: float) -> float | None:
    shift = None if moved is None else reference.shift(truth, moved)
    return with_rounding(max(shift or 0.0, least), truth)


def _rows(file: MarkedFile, artifact: Artifact, pool: Arrays, folder: Path) -> dict[str, Array]:
    """Tensor -> [items, ...] for every tensor of floats that some node but a constant makes."""
    values = file.run(one_by_one(artifact.inputs), file_feed(artifact, pool), folder)
    batch = batch_of(artifact.inputs)
    return {
        name: rows
        for name, runs in values.items()
        if far.dtype_class(runs) == "float" and file.nodes[file.maker[name]].op_type != "Constant"
        if (rows := _by_item(runs, batch)) is not None
    }


def _by_item(runs: Array, batch: int) -> Array | None:
    """[runs, batch, ...] -> [items, ...]; a result without the batch in front is that of a run of one item."""
    if runs.shape[1:2] == (batch,):
        return runs.reshape(-1, *runs.shape[2:])
    return runs if batch == 1 else None


def _moved_by_one_ulp(artifact: Artifact, pool: Arrays, folder: Path, seed: int) -> dict[str, Array]:
    """Nothing where the file does not run with other weights: one rounding is the yardstick then."""
    file = MarkedFile(Path(artifact.path))
    onnx_source.perturb_weights(file.proto, np.random.default_rng(seed))
    try:
        return _rows(file, artifact, pool, folder)
    except Exception:  # ONNX Runtime raises what it likes
        return {}


def _bytes_per_item(file: MarkedFile, artifact: Artifact, pool: Arrays, folder: Path) -> int:
    batch = batch_of(artifact.inputs)
    rows = _rows(file, artifact, {name: rows[:batch] for name, rows in pool.items()}, folder)
    return sum(array.nbytes for array in rows.values()) // batch * 2  # as if in float64, as ``chosen_items`` counts


def _outputs(steps: Sequence[Step], artifact: Artifact) -> dict[str, int]:
    places: Mapping[str | None, int] = {step.tensor: place for place, step in enumerate(steps)}
    return {artifact.names.get(t.name, t.name): places[t.name] for t in artifact.outputs if t.name in places}
