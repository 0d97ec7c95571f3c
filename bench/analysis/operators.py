"""Kernels of a profiled case -> where its time goes, by line (layers whose work is done together) and by kind. Pure.

Times are those of the profiled calls (``profile_times``), never scaled to the plain latency; what profiling costs is
told beside them. Where kernels ran at the same time and take more than the wall time together, no line is outside of
them, and shares are of their sum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

from bench.analysis.profile_times import residual, summed, typical, wall_times
from bench.analysis.profiled import Kernel, ProfiledCase
from bench.analysis.statistics import Interval
from bench.records import LayerCost, Record

OUTSIDE = "outside kernels"  # Python, dispatch, waiting, copies that the runtime does not count as kernels
LAYOUT, NO_LAYER = "layout", "no layer"  # kinds of lines without an owner
_LAYOUT_WORDS = {"reorder", "transpose", "cast", "reshape", "copy", "convert", "memcpy"}
_OF_LAYOUT = {"input", "output", "from", "to", "host", "like"}  # that stand beside them: MemcpyFromHost
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Line(Record, frozen=True):
    """Layers that the same kernels do, or kernels of no layer; times of one profiled call."""

    name: str  # "conv1 + conv1_bn + conv1_relu", "layout (ReorderInput) before conv2", or OUTSIDE
    kind: str  # of the layer with most multiply-adds: "Conv2D 1x1"
    time: Interval  # ns
    by_repetition: tuple[float, ...]
    layers: tuple[int, ...] = ()  # places among the case's
    operators: tuple[str, ...] = ()  # kinds of its kernels in the runtime's words, each once
    kernels: tuple[str, ...] = ()  # names

    @property
    def is_outside(self) -> bool:
        """Whether it is the rest; a layer may be called OUTSIDE, too."""
        return not self.kernels


class Costs(Record, frozen=True):
    """What layers have to do in one call of a batch; None where it is not known."""

    multiply_adds: int | None
    parameters: int
    traffic_bytes: int | None  # a lower bound, see ``costs_of``


class Kind(Record, frozen=True):
    """One row of the paper's table 2: a kind of layer with its shares of the whole."""

    name: str
    time_ns: float | None  # None where no line is of this kind: its work is done in others, or by no kernel found
    time_share: float | None  # of all lines
    multiply_adds_share: float | None  # of the model's; None where there are none, or a layer's can't be counted
    parameters_share: float | None


def lines_of(case: ProfiledCase) -> list[Line]:
    """Every line, the dearest first; their estimates add up to the wall time's, or are more and without OUTSIDE."""
    if not case.kernels:
        return []
    groups = [_line(case, group) for group in groups_of([kernel.layers for kernel in case.kernels], case.kernels)]
    wall = wall_times(case)
    outside = [total - spent for total, spent in zip(wall, summed(case.kernels, case), strict=True)]
    rest = residual(median(wall) - sum(line.time.estimate for line in groups), outside)
    left = [Line(name=OUTSIDE, kind=OUTSIDE, time=rest, by_repetition=tuple(outside))] if rest.estimate >= 0 else []
    return sorted([*groups, *left], key=lambda line: -line.time.estimate)


def groups_of(owners: Sequence[tuple[int, ...]], kernels: Sequence[Kernel]) -> list[list[Kernel]]:
    """Kernels that share a layer, directly or by others, together; those of no layer by operator and place."""
    found: list[tuple[set[object], list[Kernel]]] = []
    for places, kernel in zip(owners, kernels, strict=True):
        keys: set[object] = set(places) or {(kernel.operator, *kernel.between)}
        touched = [one for one in found if one[0] & keys]
        found = [one for one in found if not one[0] & keys]
        merged = [member for _, members in touched for member in members]
        found.append((keys.union(*(one[0] for one in touched)), [*merged, kernel]))
    return [members for _, members in found]


def kind_of(layer: LayerCost) -> str:
    """``"Conv2D 1x1"``."""
    return f"{layer.kind} {layer.window}".rstrip()


def costs_of(places: Sequence[int], layers: Sequence[LayerCost], batch_size: int) -> Costs:
    """What the layers cost together; a layer whose multiply-adds can't be counted leaves those of the group unknown.

    Who reads whose result is not known here, so traffic is a lower bound: the last result leaves the group, the most
    that any layer reads beyond all results before it arrives, and weights are read once whatever the calls.
    """
    chosen = [layers[place] for place in sorted(places)]
    products = [layer.multiply_adds for layer in chosen]
    counted = [one for one in products if one is not None]
    return Costs(
        multiply_adds=sum(counted) * batch_size if chosen and len(counted) == len(products) else None,
        parameters=sum(layer.parameters for layer in chosen),
        traffic_bytes=_traffic(chosen, batch_size),
    )


def kinds_of(case: ProfiledCase, lines: Sequence[Line]) -> list[Kind]:
    """Where the time goes beside where multiply-adds and parameters are, the dearest first.

    Time is that of lines, so a normalisation folded into a convolution takes none; costs are each layer's own.
    """
    wall = sum(line.time.estimate for line in lines)
    times: dict[str, float] = {}
    for line in lines:
        times[line.kind] = times.get(line.kind, 0.0) + line.time.estimate
    products, parameters = (_by_kind(case.layers, field) for field in ("multiply_adds", "parameters"))
    is_counted = not uncounted(case.layers)
    names = [*times, *(name for name in products if name not in times and (products[name] or parameters[name]))]
    kinds = [
        Kind(
            name=name,
            time_ns=times.get(name),
            time_share=times[name] / wall if name in times and wall else None,
            multiply_adds_share=_share(products, name) if is_counted else None,
            parameters_share=_share(parameters, name),
        )
        for name in names
    ]
    return sorted(kinds, key=lambda kind: (-(kind.time_ns or 0.0), -(kind.multiply_adds_share or 0.0), kind.name))


def unclaimed(case: ProfiledCase, lines: Sequence[Line]) -> list[LayerCost]:
    """Layers that no kernel was found for: folded into another by the exporter or the runtime, or not mapped."""
    claimed = {place for line in lines for place in line.layers}
    return [layer for place, layer in enumerate(case.layers) if place not in claimed]


def uncounted(layers: Sequence[LayerCost]) -> list[LayerCost]:
    """Layers whose multiply-adds are not known: with one of them there is no whole that others are a share of."""
    return [layer for layer in layers if layer.multiply_adds is None]


def profiling_cost(case: ProfiledCase) -> float | None:
    """Profiled over plain time of a call; None where nothing was timed without profile."""
    plain = [one for one in case.plain_ns if one]
    return median(wall_times(case)) / median(plain) if plain and case.calls_ns else None


def main_layer(case: ProfiledCase, line: Line) -> str:
    """The line's layer with most multiply-adds; of no layer the line's own name."""
    layers = [case.layers[place] for place in line.layers]
    return max(layers, key=lambda layer: layer.multiply_adds or 0).name if layers else line.name


def short_name(names: Sequence[str], most: int = 3) -> str:
    """``"conv1 + bn1 + relu1"``; of more than ``most`` the first and the last, and how many are between."""
    if len(names) <= most:
        return " + ".join(names)
    return f"{names[0]} + {len(names) - 2} more + {names[-1]}"


def _line(case: ProfiledCase, kernels: Sequence[Kernel]) -> Line:
    places = tuple(sorted({place for kernel in kernels for place in kernel.layers}))
    times = summed(kernels, case)
    operators = tuple(dict.fromkeys(kernel.operator for kernel in kernels))
    name, kind = _named(case, places, kernels[0])
    return Line(
        name=name,
        kind=kind,
        time=typical(times),
        by_repetition=tuple(times),
        layers=places,
        operators=operators,
        kernels=tuple(kernel.name for kernel in kernels),
    )


def _named(case: ProfiledCase, places: Sequence[int], kernel: Kernel) -> tuple[str, str]:
    if places:
        layers = [case.layers[place] for place in places]
        main = max(layers, key=lambda layer: layer.multiply_adds or 0)
        return short_name([layer.name for layer in layers]), kind_of(main)
    kind = LAYOUT if _is_layout(kernel.operator) else NO_LAYER
    return f"{kind} ({kernel.operator}){_standing(case, kernel)}", kind


def _standing(case: ProfiledCase, kernel: Kernel) -> str:
    """``" between conv1_relu and conv2"``: the last layer before a kernel and the first after it, where told."""
    before, after = ([case.layers[place].name for place in places] for places in kernel.between)
    if before and after:
        is_one = before[-1] == after[0]
        return f" within {after[0]}" if is_one else f" between {before[-1]} and {after[0]}"
    return f" after {before[-1]}" if before else f" before {after[0]}" if after else ""


def _is_layout(operator: str) -> bool:
    """Whether it does nothing but move or convert: ``ReorderInput`` does, ``ConvTranspose`` and ``BroadcastTo`` not."""
    words = {word.lower() for word in _WORD.findall(operator)}
    return bool(words & _LAYOUT_WORDS) and words <= _LAYOUT_WORDS | _OF_LAYOUT


def _traffic(layers: Sequence[LayerCost], batch_size: int) -> int | None:
    arriving, leaving = [one.input_bytes for one in layers], [one.output_bytes for one in layers]
    if not layers or None in arriving or None in leaving:
        return None
    into, out = [one or 0 for one in arriving], [one or 0 for one in leaving]
    within = accumulate(out, initial=0)  # bytes of all results before each layer
    moved = max(reads - most for reads, most in zip(into, within, strict=False)) + out[-1]
    weights = {layer.name: layer.weight_bytes for layer in layers}  # calls of a shared layer have one name
    return moved * batch_size + sum(weights.values())


def _by_kind(layers: Sequence[LayerCost], field: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for layer in layers:
        sums[kind_of(layer)] = sums.get(kind_of(layer), 0) + (getattr(layer, field) or 0)
    return sums


def _share(sums: dict[str, int], name: str) -> float | None:
    whole = sum(sums.values())
    return sums[name] / whole if whole and name in sums else None
