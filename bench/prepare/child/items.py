"""Which inputs a model is taken apart over, how they are fed, and the files that truths go to. In the child."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench.errors import UsageError
from bench.prepare.arrays import save_arrays
from bench.prepare.child.reference import Array, Arrays
from bench.prepare.dissection import Step
from bench.records import ArrayFile, Artifact, Tensor

ITEMS = 8  # of the pool, where they fit: as many as agreement needs
_SOME_ITEMS = 4  # so many before precision is given up for more
_LEAST_ITEMS = 2  # a spread over items needs two


def batch_of(inputs: Sequence[Tensor]) -> int:
    """How many items a run takes: what the batch is fixed to, or 1."""
    return next((tensor.shape[0] for tensor in inputs if tensor.batched and tensor.shape[0]), 1)


def one_by_one(inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs with a free batch set to 1: results without the batch in front are then those of one item."""
    return tuple(
        msgspec.structs.replace(tensor, shape=(1, *tensor.shape[1:])) if tensor.shape[:1] == (None,) else tensor
        for tensor in inputs
    )


def file_feed(artifact: Artifact, pool: Arrays) -> dict[str, Array]:
    """The pool by the file's names and in its types; ``pool`` is by the model's."""
    feed = {}
    for tensor in artifact.inputs:
        rows = pool[artifact.names.get(tensor.name, tensor.name)]
        feed[tensor.name] = rows if rows.dtype.name == tensor.dtype else rows.astype(tensor.dtype)
    return feed


def chosen_items(
    inputs: Sequence[Tensor], pool: Arrays, bytes_per_item: int, budget_bytes: int
) -> tuple[dict[str, Array], bool]:
    """The first items of the pool, and whether their truths are kept in float64.

    Fewer items where all would take too much, then half the precision, then fewer still; whole batches where the batch
    is fixed. Raises UsageError for a pool of one item, by which no layer varies.
    """
    batch, there = batch_of(inputs), len(next(iter(pool.values())))
    if there < _LEAST_ITEMS:
        raise UsageError(
            f"taking a model apart: it was given {there} input{'s' * (there != 1)}, and how far a layer is off is told "
            f"by how its result varies from input to input; give {_LEAST_ITEMS} inputs or more, {ITEMS} are best"
        )
    wide, narrow = budget_bytes // max(1, bytes_per_item), 2 * budget_bytes // max(1, bytes_per_item)
    is_wide = wide >= _SOME_ITEMS
    items = min(there, ITEMS, wide) if is_wide else min(there, _SOME_ITEMS, max(_LEAST_ITEMS, narrow))
    items = -(-items // batch) * batch
    return {name: np.take(rows, range(items), axis=0, mode="wrap") for name, rows in pool.items()}, is_wide


def save_truths(truths: Sequence[Array], folder: Path, *, is_wide: bool) -> list[ArrayFile]:
    """One file for each different array, which it holds as ``"value"``."""
    known: dict[str, ArrayFile] = {}
    files = []
    for place, truth in enumerate(truths):
        stored = truth.astype(np.float32) if truth.dtype == np.float64 and not is_wide else truth
        file = save_arrays(folder / f"step_{place:04d}.npz", {"value": np.ascontiguousarray(stored)})
        if file.digest in known:
            Path(file.path).unlink()
        files.append(known.setdefault(file.digest, file))
    return files


def with_truths(steps: Sequence[Step], files: Sequence[ArrayFile]) -> tuple[Step, ...]:
    """The steps with their files of truth."""
    return tuple(msgspec.structs.replace(step, truth=file) for step, file in zip(steps, files, strict=True))
