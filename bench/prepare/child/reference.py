"""Running a model over the pool, and how far its outputs move when nothing or next to nothing changes. In the child.

``Run`` is any function from one batch of named arrays to named arrays: TensorFlow and ONNX Runtime alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bench.analysis import distance
from bench.errors import UnsupportedError
from bench.records import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]
Run = Callable[[Arrays], dict[str, Array]]
REJECTED = "the model failed on the inputs: {}; set --input-range or --load-inputs"

CHUNK = 8  # items that run together where the batch is free
NONDETERMINISTIC = 1e-4  # relative; threads move the outputs of two equal calls by 1e-5 at most
_HALF = 0.5


def run_pool(run: Run, inputs: Sequence[Tensor], pool: Arrays, *, together: int = CHUNK) -> dict[str, Array]:
    """Output name -> array [items, ...] over the whole pool.

    Up to ``together`` items run at once where they can. An output that does not have the batch in front is taken from
    items run alone, and is then that item's whole output. Raises UnsupportedError where an output's shape depends on
    the values.
    """
    items = len(next(iter(pool.values())))
    chunk = _chunk(inputs, items, together)
    if chunk > 1:
        batches_ = [run(_items(inputs, pool, start, chunk)) for start in range(0, items, chunk)]
        if all(output.ndim and len(output) == chunk for outputs in batches_ for output in outputs.values()):
            return {name: np.concatenate([outputs[name] for outputs in batches_])[:items] for name in batches_[0]}
    if _is_fixed(inputs) and chunk > 1:
        raise UnsupportedError(f"the model's batch is fixed to {chunk}, but its outputs do not have the batch in front")
    alone = [run(_items(inputs, pool, item, 1)) for item in range(items)]
    return {name: _stack(name, [outputs[name] for outputs in alone]) for name in alone[0]}


def describe_outputs(run: Run, inputs: Sequence[Tensor], pool: Arrays, outputs: Arrays) -> tuple[Tensor, ...]:
    """Name, shape and type of each output, seen and not declared: ``batched`` where the rows are those of a batch."""
    seen = run(_items(inputs, pool, 0, _fixed_batch(inputs) or 1))
    fixed = _fixed_batch(inputs)
    described = []
    for name, rows in outputs.items():
        batched = seen[name].ndim == rows.ndim
        shape = (fixed, *rows.shape[1:]) if batched else rows.shape[1:]
        described.append(Tensor(name=name, shape=shape, dtype=rows.dtype.name, batched=batched))
    return tuple(described)


def batches(inputs: Sequence[Tensor], pool: Arrays) -> Iterator[dict[str, Array]]:
    """The pool in feeds of one item each, or of as many as the batch is fixed to: what converters are calibrated on."""
    chunk = _fixed_batch(inputs) or 1
    for start in range(0, len(next(iter(pool.values()))), chunk):
        yield _items(inputs, pool, start, chunk)


def shared_inputs(inputs: Sequence[Tensor], pool: Arrays) -> dict[str, Array]:
    """The pool with one value of each unbatched input for all items, where others are batched.

    Items of one batch then never need two values of it.
    """
    if not any(tensor.batched for tensor in inputs):
        return dict(pool)
    free = {tensor.name for tensor in inputs if not tensor.batched}
    return {name: np.repeat(rows[:1], len(rows), axis=0) if name in free else rows for name, rows in pool.items()}


def shift(truth: Array, output: Array) -> float | None:
    """How far two arrays are apart, relative to the truth's spread; None where that has no number or is 0.

    For values without distances (integers, booleans): the share that differs.
    """
    if distance.structural_problem(truth, output) or truth.size == 0:
        return None
    if distance.dtype_class(truth) not in ("float", "complex"):
        return float(distance.differing(truth, output).mean()) or None
    if distance.nonfinite_count(truth) or distance.nonfinite_count(output):
        return None
    return distance.relative_error(truth, output) or None


def shifts(truth: Arrays, outputs: Arrays) -> dict[str, float | None]:
    """``shift`` of every output."""
    return {name: shift(truth[name], outputs[name]) for name in truth}


def larger(one: Mapping[str, float | None], other: Mapping[str, float | None]) -> dict[str, float | None]:
    """The larger of two shifts of each output; None where neither is a number."""
    return {name: max(one[name] or 0.0, other.get(name) or 0.0) or None for name in one}


def one_ulp_away(values: Array, rng: np.random.Generator) -> Array:
    """The same floats, each moved by one unit in the last place, up or down at random; zeros stay."""
    up = rng.random(values.shape) < _HALF
    moved = np.nextafter(values, np.where(up, np.inf, -np.inf).astype(values.dtype))
    return np.where(values == 0, values, moved).astype(values.dtype)


def is_float(dtype: np.dtype[Any]) -> bool:
    """Floating point of any width, bfloat16 included."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def is_number(dtype: np.dtype[Any]) -> bool:
    """Numbers of any kind, truth values included."""
    return dtype.kind in "biufc" or dtype.name == "bfloat16" or "float8" in dtype.name


def _chunk(inputs: Sequence[Tensor], items: int, together: int) -> int:
    if not all(tensor.batched for tensor in inputs):
        return 1
    return _fixed_batch(inputs) or min(items, together)


def _is_fixed(inputs: Sequence[Tensor]) -> bool:
    return _fixed_batch(inputs) is not None


def _fixed_batch(inputs: Sequence[Tensor]) -> int | None:
    return next((tensor.shape[0] for tensor in inputs if tensor.batched and tensor.shape[0] is not None), None)


def _items(inputs: Sequence[Tensor], pool: Arrays, start: int, count: int) -> dict[str, Array]:
    """A batch of ``count`` items from ``start``; the pool begins anew at its end."""
    feed = {}
    for tensor in inputs:
        rows = pool[tensor.name]
        places = [place % len(rows) for place in range(start, start + count)]
        feed[tensor.name] = np.ascontiguousarray(rows[places]) if tensor.batched else np.asarray(rows[places[0]])
    return feed


def _stack(name: str, alone: list[Array]) -> Array:
    rows = [output[0] if output.ndim and len(output) == 1 else output for output in alone]
    shapes = {row.shape for row in rows}
    if len(shapes) > 1:
        raise UnsupportedError(
            f"output {name!r} has another shape for other inputs ({', '.join(str(s) for s in sorted(shapes))}): "
            "it can't be compared row by row; cut the model before the operation that selects"
        )
    return np.stack(rows)
