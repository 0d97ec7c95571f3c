"""Layers of two models -> which of A is which of B. Pure.

Names alone do not tell: one Conv2D more at the start of a Keras model moves the number in every later name. Layers are
aligned in their order by the least cost of all: names and work both alike cost nothing, a name that moved costs less
than work that changed, and either less than one layer that went and another that came.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.operators import kind_of
from bench.records import LayerCost, Record

_RENAMED = 4  # the same work under another name
_RENAMED_PLAIN = 11  # likewise, of a layer without weights: activations of different models often do as much
_CHANGED = 12  # another work under the same name
_MOVED = 13  # another work under another name, of one kind and window, with as much written
_REMADE = 15  # another window under the same name
_ALONE = 8  # a layer without a twin
_NEVER = 2 * _ALONE + 1  # two layers that are never one

_Calls = tuple[LayerCost, ...]  # of one layer
_Pair = tuple[_Calls | None, _Calls | None]


class Same(Record, frozen=True):
    """One layer by its names; None where a side has none."""

    a: str | None
    b: str | None
    is_alike: bool = True  # whether it has the same work on both sides

    @property
    def name(self) -> str:
        """In A, or where only B has it in B."""
        return self.a if self.a is not None else self.b or ""

    @property
    def is_new(self) -> bool:
        """Whether only one of the models has it."""
        return self.a is None or self.b is None


def match_layers(a: Sequence[LayerCost], b: Sequence[LayerCost]) -> list[Same]:
    """Every layer of both once; calls of a shared layer are one."""
    ours, theirs = _by_name(a), _by_name(b)
    before = _equal(ours, theirs)
    after = _equal(ours[before:][::-1], theirs[before:][::-1])
    ends = [one for place, one in enumerate(ours) if not before <= place < len(ours) - after]
    pairs: list[_Pair] = [(one, one) for one in ends]
    pairs += _aligned(ours[before : len(ours) - after], theirs[before : len(theirs) - after])
    return [_same(one, two) for one, two in _reordered(pairs)]


def _by_name(layers: Sequence[LayerCost]) -> list[_Calls]:
    found: dict[str, list[LayerCost]] = {}
    for layer in layers:
        found.setdefault(layer.name, []).append(layer)
    return [tuple(calls) for calls in found.values()]


def _equal(a: Sequence[_Calls], b: Sequence[_Calls]) -> int:
    """How many of the first are the same in name and work: whatever follows, they belong together."""
    return next((n for n, (one, two) in enumerate(zip(a, b, strict=False)) if one != two), min(len(a), len(b)))


def _aligned(a: Sequence[_Calls], b: Sequence[_Calls]) -> list[_Pair]:
    """In order of computation, by the least cost of all."""
    costs = [[_ALONE * (len(a) + len(b) - i - j) for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            alone = _ALONE + min(costs[i + 1][j], costs[i][j + 1])
            costs[i][j] = min(alone, costs[i + 1][j + 1] + _cost(a[i], b[j]))
    found: list[_Pair] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if costs[i][j] == costs[i + 1][j + 1] + _cost(a[i], b[j]):
            found.append((a[i], b[j]))
            i, j = i + 1, j + 1
        elif costs[i][j] == _ALONE + costs[i + 1][j]:
            found.append((a[i], None))
            i += 1
        else:
            found.append((None, b[j]))
            j += 1
    return [*found, *((one, None) for one in a[i:]), *((None, two) for two in b[j:])]


def _cost(one: _Calls, two: _Calls) -> int:
    is_named = one[0].name == two[0].name
    if _work(one) == _work(two):
        return 0 if is_named else _RENAMED if any(call.weight_bytes for call in one) else _RENAMED_PLAIN
    if one[0].kind != two[0].kind:
        return _NEVER
    if kind_of(one[0]) != kind_of(two[0]):
        return _REMADE if is_named else _NEVER
    if is_named:
        return _CHANGED
    return _MOVED if one[-1].output_bytes == two[-1].output_bytes is not None else _NEVER


def _work(calls: _Calls) -> list[tuple[object, ...]]:
    return [
        (kind_of(one), one.multiply_adds, one.parameters, one.input_bytes, one.output_bytes, one.weight_bytes)
        for one in calls
    ]


def _reordered(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Layers of one name and work together, too, that stand in another order on the other side."""
    left = {two: two for one, two in pairs if one is None and two is not None}
    found: list[_Pair] = [(one, left.pop(one, None) if two is None else two) for one, two in pairs if one is not None]
    return [*found, *((None, two) for two in left)]


def _same(one: _Calls | None, two: _Calls | None) -> Same:
    return Same(
        a=one[0].name if one else None,
        b=two[0].name if two else None,
        is_alike=one is None or two is None or _work(one) == _work(two),
    )
