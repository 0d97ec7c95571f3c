"""Kernels of two profiled cases -> lines: what does the same work on both sides, together. Pure.

Matched by the layers whose work it is (names of layers, or of a bare file's nodes), then by operator. What is fused
otherwise on the other side is one line with all that it shares layers with; kernels of no layer are one line an
operator: what a runtime calls them is not the same in two sessions.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.operators import NO_LAYER, short_name
from bench.analysis.profiled import Kernel, ProfiledCase

_Key = tuple[frozenset[str], str]  # names of layers, operator
_Matched = tuple[str, list[Kernel], list[Kernel]]  # name of the line, kernels of A, of B


def match_kernels(a: ProfiledCase, b: ProfiledCase) -> list[_Matched]:
    """Every line; each kernel is in exactly one."""
    ours, theirs = _by_key(a), _by_key(b)
    names = {
        key: _name((key[1],), _owners((a, ours.get(key, ())), (b, theirs.get(key, ())))) for key in (*ours, *theirs)
    }
    together = [key for key in names if not key[0] or (key in ours and key in theirs)]
    found = [(names[key], ours.get(key, []), theirs.get(key, [])) for key in together]
    for keys in _components([key for key in names if key not in together]):
        one_a, one_b = ([k for key in keys for k in side.get(key, ())] for side in (ours, theirs))
        if one_a and one_b:
            operators = " -> ".join(", ".join(dict.fromkeys(k.operator for k in side)) for side in (one_a, one_b))
            found.append((_name((operators,), _owners((a, one_a), (b, one_b))), one_a, one_b))
        else:
            found += [(names[key], ours.get(key, []), theirs.get(key, [])) for key in keys]
    return found


def _by_key(case: ProfiledCase) -> dict[_Key, list[Kernel]]:
    found: dict[_Key, list[Kernel]] = {}
    for kernel in case.kernels:
        owners = frozenset(case.layers[place].name for place in kernel.layers)
        found.setdefault((owners, kernel.operator), []).append(kernel)
    return found


def _components(keys: Sequence[_Key]) -> list[list[_Key]]:
    """Keys that share a layer, directly or by others, together."""
    found: list[tuple[frozenset[str], list[_Key]]] = []
    for key in keys:
        touched = [one for one in found if one[0] & key[0]]
        found = [one for one in found if not one[0] & key[0]]
        members = [member for _, others in touched for member in others]
        found.append((key[0].union(*(names for names, _ in touched)), [*members, key]))
    return [members for _, members in found]


def _owners(*sides: tuple[ProfiledCase, Sequence[Kernel]]) -> list[str]:
    """Names of the kernels' layers, in order of computation."""
    names = [
        case.layers[place].name
        for case, kernels in sides
        for place in sorted({place for kernel in kernels for place in kernel.layers})
    ]
    return list(dict.fromkeys(names))


def _name(operators: tuple[str, ...], owners: Sequence[str]) -> str:
    """``"Transpose to_nchw"``; of no layer ``"ReorderInput (no layer)"``."""
    said = ", ".join(operators)
    return f"{said} {short_name(owners)}" if owners else f"{said} ({NO_LAYER})"
