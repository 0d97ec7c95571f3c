"""Pictures of a profile: time beside multiply-adds and parameters, and each runtime's layers under the roofs.

Only what was measured and verified is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import units
from bench.analysis.operators import OUTSIDE, uncounted
from bench.analysis.profiled import Profile
from bench.analysis.roofline import roof_of
from bench.report import theme
from bench.report.picture import Picture
from bench.report.pictures.stacks import Stack, stacked
from bench.report.profile_cells import KIND_HEADER, CaseView, kind_cells, percent, short
from bench.report.profile_roofline import OTHER, rooflines

_KINDS = len(theme.COLOURS)  # told apart by colour and shape
_OF_A_WHOLE = ("$schema", "config", "autosize", "datasets")  # what a part of a chart has no place for


def profile_pictures(profile: Profile, views: Sequence[CaseView]) -> list[Picture]:
    """Shares, then a roofline a case; of cases that are verified and were profiled."""
    shown = [view for view in views if view.lines and view.case.row.agreement == "agrees"]
    if not shown:
        return []
    kinds = _kinds(shown)
    roof = roof_of(profile.roofs)
    under = rooflines(shown, roof, kinds, [_panel_name(view, shown) for view in shown]) if roof is not None else []
    return [_shares(shown, kinds), *under]


def panels(pictures: Sequence[Picture], name: str, title: str) -> Picture:
    """Several pictures beneath one another as one, for a file."""
    specs: list[dict[str, Any]] = []
    datasets: dict[str, Any] = {}
    for picture in pictures:
        datasets |= picture.spec.get("datasets", {})  # they are looked for at the top alone
        spec = {key: value for key, value in picture.spec.items() if key not in _OF_A_WHOLE}
        specs.append({**spec, "width": theme.WIDTH, "title": {"text": picture.title, "fontSize": 13}})
    told = " ".join(picture.told for picture in pictures)
    whole = {"datasets": datasets, "vconcat": specs, "spacing": 30}
    return Picture(name=name, title=title, told=told, spec=whole, header=(), cells=())


def _shares(views: Sequence[CaseView], kinds: Sequence[str]) -> Picture:
    several = len({view.case.row.model for view in views}) > 1
    stacks: list[Stack] = []
    for view in views:
        model = view.case.row.model
        stacks.append(
            Stack(
                name=f"time, {_panel_name(view, views)}",
                sizes=_sizes([(kind.name, kind.time_share) for kind in view.kinds], kinds),
                beside=units.duration(view.whole_ns),
            )
        )
        is_last = all(other.case.row.model != model for other in views[views.index(view) + 1 :])
        if is_last and view.case.layers:
            stacks += _costs(view, kinds, f" of {short(model)}" if several else "")
    return Picture(
        name="shares",
        title="Where the time goes, beside where multiply-adds and parameters are",
        told=" ".join(_shares_told(view) for view in views),
        spec=stacked(stacks, kinds, "share of a profiled call, or of the model", whole=1.0),
        header=("runtime", *KIND_HEADER),
        cells=tuple((_panel_name(view, views), *cells) for view in views for cells in kind_cells(view.kinds)),
    )


def _costs(view: CaseView, kinds: Sequence[str], of: str) -> list[Stack]:
    layers = view.case.layers
    products = 0 if uncounted(layers) else sum(layer.multiply_adds or 0 for layer in layers)  # 0: no stack of them
    whole = (products, sum(layer.parameters for layer in layers))
    shares = (
        [(kind.name, kind.multiply_adds_share) for kind in view.kinds],
        [(kind.name, kind.parameters_share) for kind in view.kinds],
    )
    return [
        Stack(name=f"{name}{of}", sizes=_sizes(found, kinds), beside=units.count(number))
        for name, found, number in zip(("multiply-adds", "parameters"), shares, whole, strict=True)
        if number
    ]


def _sizes(shares: Sequence[tuple[str, float | None]], kinds: Sequence[str]) -> dict[str, float]:
    sizes = dict.fromkeys(kinds, 0.0)
    for name, share in shares:
        sizes[name if name in sizes else OTHER] += max(0.0, share or 0.0)
    return sizes


def _shares_told(view: CaseView) -> str:
    first = next((kind for kind in view.kinds if kind.name != OUTSIDE), view.kinds[0])
    products = first.multiply_adds_share
    of = "" if products is None else f" and has {percent(products)} of multiply-adds"
    runtime = view.case.row.runtime_spec or view.case.row.runtime
    return f"On {runtime} {first.name} takes {percent(first.time_share)} of time{of}."


def _kinds(views: Sequence[CaseView]) -> list[str]:
    """Every kind, the dearest of all cases first; the least of many are one."""
    shares: dict[str, float] = {}
    for view in views:
        for kind in view.kinds:
            most = max(kind.time_share or 0.0, kind.multiply_adds_share or 0.0, kind.parameters_share or 0.0)
            shares[kind.name] = max(shares.get(kind.name, 0.0), most)
    names = sorted(shares, key=lambda name: (name == OUTSIDE, -shares[name]))
    if len(names) <= _KINDS:
        return names
    return [*names[: _KINDS - 2], OTHER, OUTSIDE]


def _panel_name(view: CaseView, views: Sequence[CaseView]) -> str:
    """What tells the case apart from the others."""
    row = view.case.row
    name = row.runtime_spec or row.runtime
    if len({other.case.row.model for other in views}) > 1:
        name += f", {row.model}"
    return f"{name}, batch {row.batch_size}" if len({other.case.row.batch_size for other in views}) > 1 else name
