"""A profile as sentences and tables of plain text: what its text, Markdown and page have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import units
from bench.analysis.operators import (
    OUTSIDE,
    Kind,
    Line,
    kinds_of,
    lines_of,
    profiling_cost,
    unclaimed,
    uncounted,
)
from bench.analysis.profile_times import typical as typical_of
from bench.analysis.profile_times import wall_times
from bench.analysis.profiled import Profile, ProfiledCase
from bench.analysis.roofline import Rate, by_headroom, rates_of, roof_of, why_no_roof
from bench.analysis.statistics import Interval
from bench.analysis.summary import barred_rows
from bench.records import LayerCost

KIND_HEADER = ("kind of layer", "time", "share of time", "of multiply-adds", "of parameters")
LINE_HEADER = (
    *("layers", "operators", "time", "share", "multiply-adds", "bytes", "GFLOP/s", "GB/s", "flop/byte"),
    *("of the roof", "bound by", "saved at the roof"),
)
LINE_NUMBERS = (2, 3, 4, 5, 6, 7, 8, 9, 11)
WHY_ABOVE = (  # as far as can be thought of: the profile can't tell which
    "data that stay in caches, fewer products than are counted (Winograd), or roofs measured too low, as on a machine "
    "that was busy meanwhile"
)
_LONGEST = 48  # letters of a name
_GIGA = 1e9
_ROUNDING = 1e-9  # of a share that is a sum
_LEAST_ROUNDING = 0.005  # of a call


@dataclass(frozen=True)
class CaseView:
    """One case with everything that is computed of it, once."""

    case: ProfiledCase
    lines: list[Line]
    rates: list[Rate]
    kinds: list[Kind]

    @property
    def name(self) -> str:
        """As in a heading: unique among the cases."""
        row = self.case.row
        return f"{row.model}, {row.runtime_spec or row.runtime}, batch {row.batch_size}"

    @property
    def wall_ns(self) -> float:
        """Of a profiled call."""
        return typical_of(wall_times(self.case)).estimate

    @property
    def whole_ns(self) -> float:
        """What shares are of: the wall time, or where kernels ran at the same time the sum of theirs."""
        return sum(line.time.estimate for line in self.lines)


def views_of(profile: Profile) -> list[CaseView]:
    """Every case; one without kernels has no lines."""
    roof = roof_of(profile.roofs)
    views = []
    for case in profile.cases:
        lines = lines_of(case)
        kinds = kinds_of(case, lines) if lines else []
        views.append(CaseView(case=case, lines=lines, rates=rates_of(case, lines, roof), kinds=kinds))
    return views


def case_sentences(view: CaseView) -> list[str]:
    """What it takes and where, what profiling costs, and what must be known of its numbers."""
    case = view.case
    if not view.lines:
        return [f"{view.name}: not profiled: {case.reason or case.row.status_reason or 'nothing was measured'}."]
    said = [f"{view.name}{_mark(case)}: {_plain(case)}; {_where(view)}."]
    if case.row.agreement != "agrees":
        reason = f" ({case.row.agreement_reason})" if case.row.agreement_reason else ""
        said.append(f"Its outputs are not verified: {case.row.agreement}{reason}. No speed without agreement.")
    else:
        said += [f"It cannot win: {why}." for _, why in barred_rows([case.row])]
    said.append(_cost(view))
    if not any(line.is_outside for line in view.lines):
        said.append(
            f"Its kernels take {units.duration(view.whole_ns)} together, more than the wall time: some ran at the same "
            "time, or medians do not add up. Shares and what would be saved are of the kernels' time; what is outside "
            "of them can't be told."
        )
    if why := why_no_roof(case):
        said.append(f"No roofs: {why}.")
    if case.layers_reason:
        said.append(f"Its layers are not known: {case.layers_reason}.")
    elif case.layers:
        said += _unfound(view)
    return said


def kind_cells(kinds: Sequence[Kind]) -> list[tuple[str, ...]]:
    """One row a kind."""
    return [
        (
            kind.name,
            units.duration(kind.time_ns),
            percent(kind.time_share),
            percent(kind.multiply_adds_share),
            percent(kind.parameters_share),
        )
        for kind in kinds
    ]


def line_pairs(view: CaseView) -> list[tuple[Line, Rate]]:
    """Every line, that with most to win first; what is outside of kernels last."""
    outside = [(line, rate) for line, rate in zip(view.lines, view.rates, strict=True) if line.is_outside]
    return [*by_headroom(view.lines, view.rates), *outside]


def line_cells(view: CaseView) -> list[tuple[str, ...]]:
    """One row a line, as in ``line_pairs``."""
    return [_line(line, rate, view.whole_ns) for line, rate in line_pairs(view)]


def giga(per_second: float | None) -> str:
    """``"98.3"``: in thousands of millions, three digits."""
    return units.UNKNOWN if per_second is None else f"{per_second / _GIGA:.3g}"


def spanned(found: Interval) -> str:
    """``"12.3 ms (11.9 ms to 12.8 ms)"``."""
    if found.low is None or found.high is None:
        return units.duration(found.estimate)
    return f"{units.duration(found.estimate)} ({units.duration(found.low)} to {units.duration(found.high)})"


def short(name: str) -> str:
    """A name that leaves a table its width."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."


def _line(line: Line, rate: Rate, whole_ns: float) -> tuple[str, ...]:
    return (
        line.name,
        ", ".join(line.operators),
        spanned(line.time),
        percent(line.time.estimate / whole_ns if whole_ns else None),
        units.count(rate.flops / 2 if rate.flops is not None else None),
        units.size(rate.traffic_bytes),
        giga(rate.flops_per_s),
        giga(rate.bytes_per_s),
        units.UNKNOWN if rate.intensity is None else f"{rate.intensity:.3g}",
        percent(rate.roof_share),
        units.UNKNOWN if rate.bound == "unknown" else rate.bound,
        units.duration(rate.headroom_ns),
    )


def _mark(case: ProfiledCase) -> str:
    """What the first sentence must not be read without: the verdict of a page has no other."""
    if case.row.agreement != "agrees":
        return f" (outputs not verified: {case.row.agreement})"
    return "".join(f" (cannot win: {why.partition(': ')[0]})" for _, why in barred_rows([case.row]))


def _plain(case: ProfiledCase) -> str:
    plain = [one for one in case.plain_ns if one is not None]
    return f"{spanned(typical_of(plain))} a call" if plain else "no plain latency"


def _where(view: CaseView) -> str:
    """The paper's sentence: the kind that takes most time, beside its share of multiply-adds."""
    first = next((kind for kind in view.kinds if kind.name != OUTSIDE), view.kinds[0])
    products = first.multiply_adds_share
    said = f"{first.name} {percent(first.time_share)} of a profiled call"
    if products is not None:
        said += f", {percent(products)} of multiply-adds"
    outside = next((line for line in view.lines if line.is_outside), None)
    if outside is None:
        return f"{said} (of its kernels)"
    share = percent(outside.time.estimate / view.whole_ns if view.whole_ns else None)
    return f"{said}; outside kernels {share}{_rounding(view, outside.time.estimate)}"


def _rounding(view: CaseView, outside_ns: float) -> str:
    """How much of what is outside of kernels may be theirs; "" where whole percents would not show it."""
    cut_ns = view.case.rounding_ns
    if outside_ns <= 0 or cut_ns < _LEAST_ROUNDING * view.whole_ns:
        return ""
    of = f"rounding ({_many(len(view.case.kernels), 'kernel')}, times cut off)"
    return f", all of which may be {of}" if cut_ns >= outside_ns else f", up to {units.duration(cut_ns)} of it {of}"


def _cost(view: CaseView) -> str:
    cost = profiling_cost(view.case)
    told = "" if cost is None else f", {cost:.2f}x the plain latency"
    kernels, calls = _many(len(view.case.kernels), "kernel"), _many(len(view.case.calls_ns[0]), "call")
    repetitions = _many(len(view.case.repetitions), "repetition")
    return f"Profiled: {units.duration(view.wall_ns)} a call{told}; {kernels} in {repetitions} of {calls}."


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _unfound(view: CaseView) -> list[str]:
    """Layers whose multiply-adds can't be counted, and layers with multiply-adds that no kernel was found for."""
    said = []
    unknown = uncounted(view.case.layers)
    if unknown:
        said.append(f"Multiply-adds of {_layers(unknown)} can't be counted, so that no shares of them are told.")
    lost = [layer for layer in unclaimed(view.case, view.lines) if layer.multiply_adds]
    if lost:
        products = sum(layer.multiply_adds or 0 for layer in lost)
        whole = sum(layer.multiply_adds or 0 for layer in view.case.layers)
        much = f"{units.count(products)} multiply-adds" if unknown else f"{percent(products / whole)} of multiply-adds"
        said.append(f"No kernel was found for {much}: {_layers(lost)}.")
    return said


def _layers(layers: Sequence[LayerCost], most: int = 3) -> str:
    """``"2 layers (dense, dense_1)"``."""
    names = ", ".join(layer.name for layer in layers[:most]) + ", ..." * (len(layers) > most)
    return f"{_many(len(layers), 'layer')} ({names})"


def percent(share: float | None) -> str:
    """Whole percents; a part is never shown as nothing or as all."""
    if share is None:
        return units.UNKNOWN
    if share < 0:
        return f"-{percent(-share)}"
    text = f"{100 * share:.0f} %"
    if text == "100 %" and share < 1 - _ROUNDING:
        return ">99 %"
    return "<1 %" if text == "0 %" and share > 0 else text
