"""Kernels of two profiled cases -> lines: what does the same work on both sides, together. Pure.

Matched by the layers whose work it is (names of layers, or of a bare file's nodes), then by operator. What is fused
otherwise on the other side is one line with all that it shares layers with. Kernels of no layer are matched by the
layers that they stand between, where these are told of all of an operator, and are else one line an operator: what a
runtime calls them is not the same in two sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.analysis.operators import NO_LAYER, short_name
from bench.analysis.profiled import Kernel, ProfiledCase

_Matched = tuple[str, list[Kernel], list[Kernel]]  # name of the line, kernels of A, of B


class _Place(NamedTuple):
    """One side of a kernel of no layer. Two of an operator that have one in common may do the same work."""

    operator: str
    side: str  # "after", "before"
    layer: str  # the nearest on that side


class _Key(NamedTuple):
    marks: frozenset[str | _Place]  # names of layers, or the places of a kernel of none
    operator: str


def match_kernels(a: ProfiledCase, b: ProfiledCase) -> list[_Matched]:
    """Every line; each kernel is in exactly one."""
    unplaced = {kernel.operator for case in (a, b) for kernel in case.kernels if not _marks(case, kernel)}
    ours, theirs = _by_key(a, unplaced), _by_key(b, unplaced)
    keys = dict.fromkeys((*ours, *theirs))
    together = [key for key in keys if not key.marks or (key in ours and key in theirs)]
    groups = [[key] for key in together]
    for component in _components([key for key in keys if key not in together]):
        is_shared = any(key in ours for key in component) and any(key in theirs for key in component)
        groups += [component] if is_shared else [[key] for key in component]
    return [_line(group, (a, ours), (b, theirs)) for group in groups]


def _line(keys: Sequence[_Key], *sides: tuple[ProfiledCase, dict[_Key, list[Kernel]]]) -> _Matched:
    one_a, one_b = ([kernel for key in keys for kernel in found.get(key, ())] for _, found in sides)
    said = [", ".join(dict.fromkeys(kernel.operator for kernel in side)) for side in (one_a, one_b) if side]
    operators = " -> ".join(dict.fromkeys(said))
    owners = _owners((sides[0][0], one_a), (sides[1][0], one_b))
    where = short_name(owners) if owners else _where([key.marks for key in keys])
    return f"{operators} {where}", one_a, one_b


def _by_key(case: ProfiledCase, unplaced: set[str]) -> dict[_Key, list[Kernel]]:
    found: dict[_Key, list[Kernel]] = {}
    for kernel in case.kernels:
        is_placed = bool(kernel.layers) or kernel.operator not in unplaced
        key = _Key(_marks(case, kernel) if is_placed else frozenset(), kernel.operator)
        found.setdefault(key, []).append(kernel)
    return found


def _marks(case: ProfiledCase, kernel: Kernel) -> frozenset[str | _Place]:
    if kernel.layers:
        return frozenset(case.layers[place].name for place in kernel.layers)
    before, after = kernel.between  # the tensor that it changes lies between the last of these and the first of those
    sides = (("after", before[-1:]), ("before", after[:1]))
    return frozenset(_Place(kernel.operator, side, case.layers[one].name) for side, ones in sides for one in ones)


def _components(keys: Sequence[_Key]) -> list[list[_Key]]:
    """Keys that share a layer or a place, directly or by others, together."""
    found: list[tuple[frozenset[str | _Place], list[_Key]]] = []
    for key in keys:
        touched = [one for one in found if one[0] & key.marks]
        found = [one for one in found if not one[0] & key.marks]
        members = [member for _, others in touched for member in others]
        found.append((key.marks.union(*(marks for marks, _ in touched)), [*members, key]))
    return [members for _, members in found]


def _owners(*sides: tuple[ProfiledCase, Sequence[Kernel]]) -> list[str]:
    """Names of the kernels' layers, in order of computation."""
    names = [
        case.layers[place].name
        for case, kernels in sides
        for place in sorted({place for kernel in kernels for place in kernel.layers})
    ]
    return list(dict.fromkeys(names))


def _where(marks: Sequence[frozenset[str | _Place]]) -> str:
    """``"between conv_a and conv_b"``, or on which side they all are; ``"(no layer)"`` where that is not known."""
    places = [{one.side: one.layer for one in some if isinstance(one, _Place)} for some in marks]
    sides = {side: {one.get(side) for one in places} for side in ("after", "before")}
    same = {side: layer for side, layers in sides.items() if len(layers) == 1 for layer in layers if layer}
    if len(same) == 2:
        after, before = same["after"], same["before"]
        return f"within {after}" if after == before else f"between {after} and {before}"
    if same:
        return " ".join(next(iter(same.items())))
    return f"({NO_LAYER})"
