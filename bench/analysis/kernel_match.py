"""Kernels of two profiled cases -> lines: what does the same work on both sides, together. Pure.

Matched by the layers whose work it is (``layer_match``; of a bare file its nodes), then by operator. What is fused
otherwise on the other side is one line with all that it shares layers with. Kernels of no layer are matched by the
layers that they stand between, where these are told of all of an operator, and are else one line an operator: what a
runtime calls them is not the same in two sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.analysis.layer_match import Same, match_layers
from bench.analysis.operators import NO_LAYER, short_name
from bench.analysis.profiled import Kernel, ProfiledCase


class Matched(NamedTuple):
    """One line."""

    name: str
    ours: list[Kernel]  # of A
    theirs: list[Kernel]  # of B


class _Place(NamedTuple):
    """One side of a kernel of no layer. Two of an operator that have one in common may do the same work."""

    operator: str
    side: str  # "after", "before"
    layer: Same  # the nearest on that side


class _Key(NamedTuple):
    marks: frozenset[Same | _Place]  # layers, or the places of a kernel of none
    operator: str


class _Side(NamedTuple):
    """One case with its layers as those of both."""

    kernels: Sequence[Kernel]
    layers: Sequence[Same]  # at each place


def match_kernels(a: ProfiledCase, b: ProfiledCase) -> list[Matched]:
    """Every line; each kernel is in exactly one."""
    sides = _sides(a, b)
    unplaced = {kernel.operator for side in sides for kernel in side.kernels if not _marks(side, kernel)}
    ours, theirs = (_by_key(side, unplaced) for side in sides)
    keys = dict.fromkeys((*ours, *theirs))
    together = [key for key in keys if not key.marks or (key in ours and key in theirs)]
    groups = [[key] for key in together]
    for component in _components([key for key in keys if key not in together]):
        is_shared = any(key in ours for key in component) and any(key in theirs for key in component)
        groups += [component] if is_shared else [[key] for key in component]
    return [_line(group, (sides[0], ours), (sides[1], theirs)) for group in groups]


def _sides(a: ProfiledCase, b: ProfiledCase) -> tuple[_Side, _Side]:
    same = match_layers(a.layers, b.layers)
    of_a, of_b = {one.a: one for one in same}, {one.b: one for one in same}
    return (
        _Side(a.kernels, [of_a[layer.name] for layer in a.layers]),
        _Side(b.kernels, [of_b[layer.name] for layer in b.layers]),
    )


def _line(keys: Sequence[_Key], *sides: tuple[_Side, dict[_Key, list[Kernel]]]) -> Matched:
    one_a, one_b = ([kernel for key in keys for kernel in found.get(key, ())] for _, found in sides)
    said = [", ".join(dict.fromkeys(kernel.operator for kernel in side)) for side in (one_a, one_b) if side]
    operators = " -> ".join(dict.fromkeys(said))
    owners = _owners((sides[0][0], one_a), (sides[1][0], one_b))
    where = _named(owners) if owners else _where([key.marks for key in keys])
    return Matched(f"{operators} {where}", one_a, one_b)


def _by_key(side: _Side, unplaced: set[str]) -> dict[_Key, list[Kernel]]:
    found: dict[_Key, list[Kernel]] = {}
    for kernel in side.kernels:
        is_placed = bool(kernel.layers) or kernel.operator not in unplaced
        key = _Key(_marks(side, kernel) if is_placed else frozenset(), kernel.operator)
        found.setdefault(key, []).append(kernel)
    return found


def _marks(side: _Side, kernel: Kernel) -> frozenset[Same | _Place]:
    if kernel.layers:
        return frozenset(side.layers[place] for place in kernel.layers)
    before, after = kernel.between  # the tensor that it changes lies between the last of these and the first of those
    sides = (("after", before[-1:]), ("before", after[:1]))
    return frozenset(_Place(kernel.operator, where, side.layers[one]) for where, ones in sides for one in ones)


def _components(keys: Sequence[_Key]) -> list[list[_Key]]:
    """Keys that share a layer or a place, directly or by others, together."""
    found: list[tuple[frozenset[Same | _Place], list[_Key]]] = []
    for key in keys:
        touched = [one for one in found if one[0] & key.marks]
        found = [one for one in found if not one[0] & key.marks]
        members = [member for _, others in touched for member in others]
        found.append((key.marks.union(*(marks for marks, _ in touched)), [*members, key]))
    return [members for _, members in found]


def _owners(*sides: tuple[_Side, Sequence[Kernel]]) -> list[Same]:
    """The kernels' layers, in order of computation."""
    layers = [
        side.layers[place]
        for side, kernels in sides
        for place in sorted({place for kernel in kernels for place in kernel.layers})
    ]
    return list(dict.fromkeys(layers))


def _named(layers: Sequence[Same]) -> str:
    """``"conv1 + relu1"``; where names or work are not those of the other side, that too."""
    named = short_name([layer.name for layer in layers])
    both = [layer for layer in layers if not layer.is_new]
    renamed = short_name([layer.b or "" for layer in both]) if any(layer.a != layer.b for layer in both) else ""
    said = [f"in B {renamed}" * bool(renamed), "other work in B" * any(not layer.is_alike for layer in both)]
    return f"{named} ({', '.join(filter(None, said))})" if any(said) else named


def _where(marks: Sequence[frozenset[Same | _Place]]) -> str:
    """``"between conv_a and conv_b"``, or on which side they all are; ``"(no layer)"`` where that is not known."""
    places = [{one.side: one.layer.name for one in some if isinstance(one, _Place)} for some in marks]
    sides = {side: {one.get(side) for one in places} for side in ("after", "before")}
    same = {side: layer for side, layers in sides.items() if len(layers) == 1 for layer in layers if layer}
    if len(same) == 2:
        after, before = same["after"], same["before"]
        return f"within {after}" if after == before else f"between {after} and {before}"
    if same:
        return " ".join(next(iter(same.items())))
    return f"({NO_LAYER})"
