"""Outputs that one side calls otherwise: what is missing, what it may be called, and the flag that says so.

Pure. Which of several outputs of one shape is which, their values tell: a pairing by position would only guess.
prepare may import this module, as it may ``distance.py``.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.records import Record

_NEAR = far.GREATEST_TOLERANCE  # relative error below which values tell that two outputs are the same


class Pair(Record, frozen=True):
    """An output of a file and the output of the model that it may be."""

    theirs: str
    ours: str
    error: float | None  # relative, for values without distances the share that differs; None where it has no number

    @property
    def is_near(self) -> bool:
        """Whether the values are alike, not only the shape."""
        return self.error is not None and self.error <= _NEAR


def pair_by_value(truth: Mapping[str, Array], outputs: Mapping[str, Array]) -> list[Pair]:
    """Each output of the file with the one of the model that it is nearest to, the nearest pair first.

    No name is in two pairs. Only what could be compared is paired: one shape and kind of values.
    """
    possible = [
        Pair(theirs=theirs, ours=ours, error=_gap(rows, array))
        for ours, rows in truth.items()
        for theirs, array in outputs.items()
        if rows.size and far.structural_problem(rows, array) is None
    ]
    taken: list[Pair] = []
    for pair in sorted(possible, key=_size):
        if all(pair.theirs != other.theirs and pair.ours != other.ours for other in taken):
            taken.append(pair)
    return taken


def flag_line(flag: str, pairs: Iterable[tuple[str, str]]) -> str:
    """``--onnx-names a:0=b --onnx-names c=d``, as a shell takes it."""
    return " ".join(f"{flag} {shlex.quote(f'{theirs}={ours}')}" for theirs, ours in pairs)


def name_problems(
    truth: Mapping[str, Array], outputs: Mapping[str, Array], flag: str = "--onnx-names"
) -> dict[str, str]:
    """One sentence for each output that is on one side only, by its name: both sides, and the flag that pairs them."""
    absent = {name: array for name, array in truth.items() if name not in outputs}
    extra = {name: array for name, array in outputs.items() if name not in truth}
    sides = f"the model has {_listed(truth)}, the runtime gave {_listed(outputs)}"
    near = sorted((pair for pair in pair_by_value(absent, extra) if pair.is_near), key=lambda p: [*truth].index(p.ours))
    missing = {
        name: f"output {name!r} is missing: {sides}{_way_on(name, array, extra, near, flag)}"
        for name, array in absent.items()
    }
    return missing | {name: f"output {name!r} is not the model's: {sides}" for name in extra}


def _way_on(name: str, truth: Array, extra: Mapping[str, Array], near: list[Pair], flag: str) -> str:
    for pair in near:
        if pair.ours == name:
            line = flag_line(flag, ((one.theirs, one.ours) for one in near))
            return f"; {pair.theirs!r} has its values ({pair.error:.1e} off): add {line}"
    twins = [other for other, array in extra.items() if far.structural_problem(truth, array) is None]
    if len(twins) != 1:
        return ""
    return f"; {twins[0]!r} has its shape: if it is that, add {flag_line(flag, [(twins[0], name)])}"


def _gap(truth: Array, output: Array) -> float | None:
    if far.dtype_class(truth) not in ("float", "complex"):
        return float(far.differing(truth, output).mean())
    if far.nonfinite_count(truth) or far.nonfinite_count(output):
        return None
    return far.relative_error(truth, output)


def _size(pair: Pair) -> float:
    return float("inf") if pair.error is None else pair.error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
