"""The smallest part of a model that is wrong alone: from the last right tensors to the first wrong one, with its data.

In ONNX's own layout, so that it can be handed to whoever makes the runtime. Joins prepare and measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analysis.distance import Array
from bench.analysis.tensor_layout import as_rows
from bench.bisect_probes import Prober, Rows
from bench.errors import BenchError, UnsupportedError
from bench.measure import plan
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.data_sets import write_data_set
from bench.prepare.prepare import copy_with_data
from bench.records import Artifact, OutputCheck, Tensor

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Part:
    """A file that is wrong alone, with inputs and what it should give: rows, items first, by the file's names."""

    artifact: Artifact
    inputs: Arrays
    outputs: Arrays
    tensor: str
    check: OutputCheck  # of that tensor, as the runtime gave it in this part
    from_inputs: bool  # the part begins at the model's own inputs
    is_wide: bool = False  # a shorter part was tried, and was not wrong alone
    why_wide: str = ""


def make_part(prober: Prober, good: int, bad: int, tensor: str) -> Part:
    """The part between two prefixes that computes ``tensor``, proved wrong by a run of it.

    From the model's inputs where a shorter one is not wrong: that was proved by the search. Raises BenchError where
    not even that can be cut.
    """
    if good == 0:
        return _prefix(prober, bad, tensor, "")
    try:
        part = _between(prober, good, tensor)
    except BenchError as error:
        return _prefix(prober, bad, tensor, str(error))
    if part.check.verdict == "disagrees":
        return part
    shown = f"{part.check.relative_error:.2g}" if part.check.relative_error is not None else "unknown"
    return _prefix(prober, bad, tensor, f"alone it is right (error {shown}): only with what is before is it wrong")


def _between(prober: Prober, good: int, tensor: str) -> Part:
    """Fed with the truth of the last right tensors."""
    stops = tuple(prober.chain.tensors[place] for place in prober.chain.frontier(good))
    artifact = prober.cutter.between(stops, tensor)
    loose = [one.name for one in (*artifact.inputs, *artifact.outputs) if not one.batched]
    if loose:
        raise UnsupportedError(f"{loose[0]!r} has not the batch in front")
    inputs = {one.name: _fed(prober, good, one, artifact) for one in artifact.inputs}
    pool = save_arrays(
        prober.folder / "part-inputs.npz", {artifact.names.get(name, name): v for name, v in inputs.items()}
    )
    rows = prober.run_part(artifact, pool)
    expected = _expected(prober, artifact, rows)
    return Part(artifact, inputs, expected, tensor, prober.judge(tensor, rows), from_inputs=False)


def _fed(prober: Prober, good: int, tensor: Tensor, artifact: Artifact) -> Array:
    """What a part's input is fed with: the pool, or what the layer should give."""
    if tensor.name not in prober.chain.tensors:
        return load_arrays(prober.dissection.pool)[artifact.names.get(tensor.name, tensor.name)]
    rows, step = prober.rows[good], prober.step_of(tensor.name)
    if rows.reference is not None:
        return rows.reference[tensor.name]
    return as_rows(prober.truth_of(step), step, rows.got[tensor.name].shape[1:]).astype(tensor.dtype)


def _prefix(prober: Prober, bad: int, tensor: str, why: str) -> Part:
    """All from the model's inputs, as the search ran it."""
    tensors = [prober.chain.tensors[place] for place in prober.chain.frontier(bad)]
    artifact = prober.cutter.part(tensors)
    pool = load_arrays(prober.dissection.pool)
    return Part(
        artifact,
        {one.name: pool[artifact.names.get(one.name, one.name)] for one in artifact.inputs},
        _expected(prober, artifact, prober.rows[bad]),
        tensor,
        prober.seen[bad][tensor],
        from_inputs=True,
        is_wide=bool(why),
        why_wide=why,
    )


def _expected(prober: Prober, artifact: Artifact, seen: Rows) -> Arrays:
    """What the part should give, as its outputs are laid out and in their types."""
    if seen.reference is not None:
        return {one.name: seen.reference[one.name] for one in artifact.outputs}
    expected = {}
    for one in artifact.outputs:
        step = prober.step_of(one.name)
        rows = seen.got[one.name]
        expected[one.name] = as_rows(prober.truth_of(step), step, rows.shape[1:]).astype(rows.dtype)
    return expected


def write_part(part: Part, folder: Path, readme: str) -> None:
    """``model.onnx``, ``test_data_set_N`` and ``README.md`` in a new folder."""
    folder.mkdir(parents=True)
    copy_with_data(Path(part.artifact.path), folder / "model.onnx")
    tensors = {"input": part.artifact.inputs, "output": part.artifact.outputs}
    for number, items in enumerate(_sets(part)):
        write_data_set(folder / f"test_data_set_{number}", tensors, {**part.inputs, **part.outputs}, items)
    (folder / "README.md").write_text(readme)


def _sets(part: Part) -> Sequence[Sequence[int]]:
    """Which items are one call: all of them, as many as the batch is fixed to, or one where something has no batch."""
    items = len(next(iter(part.inputs.values())))
    if not all(tensor.batched for tensor in (*part.artifact.inputs, *part.artifact.outputs)):
        together = 1
    else:
        together = plan.fixed_batch(part.artifact) or items
    return [range(start, min(start + together, items)) for start in range(0, items, together)]
