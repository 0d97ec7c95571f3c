"""A sweep that nobody measured: two runtimes on planted lines of latency over multiply-adds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from bench.analysis.sweep_points import Point, Swept, sweep_of
from bench.records import SweepAxis, SweepPlan, SweepPoint
from report_fakes import reference, row

ALPHAS, SIDES = ("0.25", "0.5", "1"), ("128", "160", "224")
TOP1 = {("0.25", "128"): 41.5, ("0.25", "160"): 45.5, ("0.5", "128"): 56.3, ("1", "224"): 70.9}
Cost = Callable[[float], float]  # millions of multiply-adds -> ns


def tensorflow(size: float) -> float:
    return 4e6 + 2e4 * size


def onnxruntime(size: float) -> float:
    return 1e5 + 4e4 * size  # crosses TensorFlow's at 195 million


def millions(values: Mapping[str, str]) -> float:
    """Multiply-adds of a point: by the square of both."""
    return 500 * float(values["alpha"]) ** 2 * (float(values["side"]) / 224) ** 2


def plan(**changes: Any) -> SweepPlan:
    values = [{"alpha": alpha, "side": side} for alpha, side in itertools.product(ALPHAS, SIDES)]
    fields: dict[str, Any] = {
        "schema_version": 1,
        "base": "net",
        "axes": (SweepAxis(name="alpha", values=ALPHAS), SweepAxis(name="side", values=SIDES)),
        "points": tuple(
            SweepPoint(
                model=f"net:alpha={one['alpha']},side={one['side']}",
                values=one,
                published={"published_top1": TOP1[key]} if (key := (one["alpha"], one["side"])) in TOP1 else {},
            )
            for one in values
        ),
        "accuracy_file": "net_published.csv",
        "accuracy_sources": ("a table",),
    }
    return SweepPlan(**(fields | changes))


def points(
    first: Cost = tensorflow, second: Cost = onnxruntime, *, repetitions: int = 5, noise: float = 0.01
) -> list[Point]:
    """Of every model both runtimes, their latencies off by a share of ``noise`` from repetition to repetition."""
    found = []
    for one in plan().points:
        size = millions(one.values)
        costs = {"tensorflow": first(size), "onnxruntime-cpu": second(size)}
        for name, cost in costs.items():
            shifts = {r: 1 + noise * (r - (repetitions - 1) / 2) for r in range(repetitions)}
            ratio = cost / costs["tensorflow"]
            fields: dict[str, Any] = {
                "case_id": f"{one.model} | {name}",
                "model": one.model,
                "runtime_spec": name,
                "latency_ns_best": cost,
                "macs": int(size * 1e6),
                "params": int(float(one.values["alpha"]) ** 2 * 4e6),
                "interval_level": 0.9375 if repetitions >= 5 else 0.75,
            }
            made = (
                reference(**fields)
                if name == "tensorflow"
                else row(name, ratio, **fields, ratio_low=ratio * 0.98, ratio_high=ratio * 1.02)
            )
            found.append(
                Point(
                    row=made,
                    values=one.values,
                    series=name,
                    published=one.published,
                    latencies_ns={r: cost * shift for r, shift in shifts.items()},
                    peaks_bytes=dict.fromkeys(shifts, (made.rss_peak_bytes or 0) * (1 + (made.params or 0) / 1e8)),
                )
            )
    return found


def swept(**changes: Any) -> Swept:
    return sweep_of(plan(), points(**changes))
