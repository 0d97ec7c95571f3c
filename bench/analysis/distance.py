"""How far an output is from the truth, and whether the two can be compared at all.

Pure functions of arrays, and the numbers of the contract's tolerance: no verdict, no files. Both sides hold one row an
item (axis 0). prepare may import this module (for the yardstick), everything else of analysis stays to its right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from bench.records import Record

Array = np.ndarray[Any, np.dtype[Any]]
DtypeClass = Literal["float", "complex", "integer", "boolean", "string", "other"]

# An output agrees iff its relative error is at most max(YARDSTICKS x yardstick, LEAST_TOLERANCE); a tolerance beyond
# GREATEST_TOLERANCE is vacuous. The least one is five times what the worst right runtime was off (7e-6, of eight on
# eight shallow networks), rounded up; on fresh weights and inputs it was 1.1e-5. It is near what must be seen: an
# epsilon of 1e-3 doubled moves an output by 6.7e-5 to 8.8e-5, TF32 by 5e-4. A fault below it passes.
YARDSTICKS = 8.0
LEAST_TOLERANCE = 5e-5
GREATEST_TOLERANCE = 0.1
DENORMAL = 1e-38  # absolute differences up to here are flushing to zero, not another function (TensorFlow flushes)
_KINDS: dict[str, DtypeClass] = {
    "f": "float",
    "c": "complex",
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "U": "string",
    "S": "string",
    "O": "string",
    "T": "string",
}


class Distance(Record, frozen=True):
    """Two arrays of finite numbers of one shape, compared in float64."""

    spread: float  # of the truth: rms over elements of the standard deviation over inputs
    rounding: float  # what one rounding of the largest value to the output's type costs, absolute
    max_abs_error: float
    relative_error: float | None  # max_abs_error over spread; None where the spread is 0
    max_rel_error: float | None  # over entries where the truth is not 0; None where there is none
    smallest_rtol: float | None  # with atol 0; None where no rtol would do
    cosine: float | None  # None where either side is all zeros
    worst_index: tuple[int, ...]  # of max_abs_error; element 0 is the item
    worst_value: float  # of the output there
    worst_truth: float


def dtype_class(array: Array) -> DtypeClass:
    """What kind of values an array holds; the width is not looked at."""
    if _is_bfloat16(array.dtype) or (array.dtype.kind == "V" and "float" in array.dtype.name):
        return "float"
    return _KINDS.get(array.dtype.kind, "other")


def as_float64(array: Array) -> Array:
    """Numbers in float64; complex ones get a last axis of real and imaginary part."""
    if _is_bfloat16(array.dtype) and array.dtype.kind == "u":
        wide: Array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
        return wide
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], axis=-1).astype(np.float64)
    return np.asarray(array, dtype=np.float64)


def structural_problem(truth: Array, output: Array) -> str | None:
    """Why two arrays of one name can't be compared entry by entry: shape first, then the kind of values."""
    if truth.shape != output.shape:
        return f"shape {output.shape} where {truth.shape} was expected"
    expected, seen = dtype_class(truth), dtype_class(output)
    if expected != seen:
        return f"{seen} values ({output.dtype.name}) where {expected} values ({truth.dtype.name}) were expected"
    return "values of unknown type" if seen == "other" else None


def nonfinite_count(array: Array) -> int:
    """How many entries are NaN or infinite; 0 for values that can't be."""
    if dtype_class(array) not in ("float", "complex"):
        return 0
    return int(np.count_nonzero(~np.isfinite(as_float64(array))))


def denormal_count(array: Array, like: Array) -> int:
    """How many entries are not 0 but below the least normal number of ``like``'s type; 0 for values that can't be."""
    if dtype_class(array) not in ("float", "complex") or dtype_class(like) not in ("float", "complex"):
        return 0
    size = np.abs(as_float64(array))
    return int(np.count_nonzero((size > 0) & (size < _least_normal(like.dtype))))


def same_nonfinite(truth: Array, output: Array) -> bool:
    """Whether NaN and the infinities, by sign, are in the same places on both sides."""
    t, y = as_float64(truth), as_float64(output)
    inf = (np.isposinf(t) == np.isposinf(y)).all() and (np.isneginf(t) == np.isneginf(y)).all()
    return bool(inf and (np.isnan(t) == np.isnan(y)).all())


def spread(truth: Array) -> float:
    """Rms over elements of the standard deviation over inputs (axis 0): how much the output depends on the input.

    Exactly 0 for rows that are all equal, whatever their magnitude; invariant under powers of two.
    """
    t, scale = _scaled(truth)
    return scale * _spread(t)


def relative_error(truth: Array, output: Array) -> float | None:
    """Largest difference in units of the spread; None where the spread is 0. Both finite and of one shape."""
    return distance(truth, output).relative_error


def distance(truth: Array, output: Array) -> Distance:
    """All the numbers about two arrays of finite numbers; raises ValueError where they can't be compared."""
    problem = structural_problem(truth, output)
    if problem or truth.size == 0 or dtype_class(truth) in ("string", "other"):
        raise ValueError(f"cannot measure a distance: {problem or 'nothing to compare'}")
    t, scale = _scaled(truth)
    y = as_float64(output) / scale
    difference = np.abs(y - t)
    spread_, worst = _spread(t), float(difference.max())
    max_rel, smallest_rtol = _relative_to_entries(t, difference, DENORMAL / scale)
    where = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
    return Distance(
        spread=scale * spread_,
        rounding=rounding(truth, output),
        max_abs_error=scale * worst,
        relative_error=worst / spread_ if spread_ > 0 else None,
        max_rel_error=max_rel,
        smallest_rtol=smallest_rtol,
        cosine=_cosine(t, y),
        worst_index=where,
        worst_value=scale * float(y[where]),
        worst_truth=scale * float(t[where]),
    )


def rounding(truth: Array, output: Array) -> float:
    """Half a unit in the last place at the truth's largest value: nobody who rounds to this type can be nearer.

    The type is float32 or the output's own where that is finer: a runtime earns no tolerance by answering in fewer
    bits. A truth that is itself stored in fewer bits counts as such.
    """
    eps = max(_epsilon(truth.dtype), min(_epsilon(output.dtype), float(np.finfo(np.float32).eps)))
    return 0.5 * eps * float(np.abs(as_float64(truth)).max())


def top_agreement(truth: Array, output: Array, k: int, tie_margin: float) -> float | None:
    """Share of items whose best class is among the truth's k best, classes within the margin being ties.

    None where the arrays are not [items, classes] floats with more than k classes.
    """
    if truth.ndim != 2 or dtype_class(truth) != "float" or truth.shape[1] <= k:
        return None
    t, y = as_float64(truth), as_float64(output)
    kth_best = np.partition(t, -k, axis=1)[:, -k]
    chosen = np.take_along_axis(t, y.argmax(axis=1)[:, None], axis=1)[:, 0]
    return float((chosen >= kth_best - tie_margin).mean())


def differing(truth: Array, output: Array) -> Array:
    """Where two arrays of integers, booleans or strings of one shape are not equal; bytes are text in UTF-8."""
    return np.asarray(_as_text(truth) != _as_text(output) if dtype_class(truth) == "string" else truth != output)


def varying_share(truth: Array) -> float:
    """Share of elements that are not the same for every input: the spread of what has no distances."""
    rows = _as_text(truth) if dtype_class(truth) == "string" else truth
    rows = np.atleast_1d(rows)
    return float((rows != rows[:1]).any(axis=0).mean()) if rows.size else 0.0


def distinct_items(arrays: Mapping[str, Array]) -> int:
    """How many different items there are along axis 0 of all arrays together."""
    items = min((len(array) for array in arrays.values()), default=0)
    return len({_item_digest(arrays, i) for i in range(items)})


def _item_digest(arrays: Mapping[str, Array], item: int) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        row = arrays[name][item]
        digest.update(repr(row.tolist()).encode() if dtype_class(arrays[name]) == "string" else row.tobytes())
    return digest.digest()


def _scaled(truth: Array) -> tuple[Array, float]:
    """The truth over a power of two near its largest value, so that no square over- or underflows."""
    t = as_float64(truth)
    largest = float(np.abs(t).max()) if t.size else 0.0
    scale = float(np.ldexp(1.0, min(int(np.frexp(largest)[1]), 1023))) if largest > 0 else 1.0
    return t / scale, scale


def _spread(t: Array) -> float:
    rows = np.atleast_1d(t)
    if rows.size == 0:
        return 0.0
    deviation = (rows - rows[:1]).std(axis=0)  # shifted by a row: equal rows give 0, not the rounding of a mean
    return float(np.sqrt(np.mean(np.square(deviation))))


def _relative_to_entries(t: Array, difference: Array, floor: float) -> tuple[float | None, float | None]:
    """Largest difference over the truth's own entry, and the smallest rtol that would pass everywhere."""
    size, counted = np.abs(t), np.where(difference <= floor, 0.0, difference)
    there = size > 0
    if not there.any():
        return None, None if counted.any() else 0.0
    largest = float((counted[there] / size[there]).max())
    return largest, None if counted[~there].any() else largest


def _cosine(t: Array, y: Array) -> float | None:
    norms = float(np.linalg.norm(t)) * float(np.linalg.norm(y))
    return max(-1.0, min(1.0, float(np.vdot(t, y)) / norms)) if norms > 0 else None


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """``ml_dtypes.bfloat16``, or 16 bits with a note of it in the dtype's metadata."""
    noted = dtype.metadata is not None and "bfloat16" in dtype.metadata.values()
    return dtype.name == "bfloat16" or (noted and dtype.itemsize == 2)


def _epsilon(dtype: np.dtype[Any]) -> float:
    if _is_bfloat16(dtype):
        return 2.0**-7
    width = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    return {16: 2.0**-52, 8: 2.0**-52, 4: 2.0**-23, 2: 2.0**-10}.get(width, 2.0**-2)


def _least_normal(dtype: np.dtype[Any]) -> float:
    width = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    if width == 2 and not _is_bfloat16(dtype):
        return 2.0**-14
    return 2.0**-1022 if width >= 8 else 2.0**-126


def _as_text(array: Array) -> Array:
    """Strings of any storage as an object array of str, so that bytes and text of one content are equal."""
    texts = [v.decode("utf-8", "surrogateescape") if isinstance(v, bytes) else str(v) for v in array.ravel().tolist()]
    return np.array([*texts, None], dtype=object)[:-1].reshape(array.shape)
