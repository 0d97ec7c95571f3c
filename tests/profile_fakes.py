"""Profiles by hand: every kernel's time is chosen, so that shares and changes can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.analysis.profiled import PROFILE_SCHEMA, Kernel, Profile, ProfiledCase
from bench.records import Environment, LayerCost, Roofs
from report_fakes import environment
from report_fakes import row as report_row

MS = 1_000_000
CONV = LayerCost(
    name="conv1",
    kind="Conv2D",
    window="1x1",
    multiply_adds=1_000_000,
    parameters=300,
    input_bytes=1000,
    output_bytes=500,
    weight_bytes=400,
)
NORM = LayerCost(
    name="conv1_bn", kind="BatchNormalization", multiply_adds=0, parameters=100, input_bytes=500, output_bytes=500
)
RELU = LayerCost(name="relu1", kind="ReLU", multiply_adds=0, input_bytes=500, output_bytes=500)
DENSE = LayerCost(
    name="dense",
    kind="Dense",
    multiply_adds=3_000_000,
    parameters=600,
    input_bytes=500,
    output_bytes=40,
    weight_bytes=800,
)
LAYERS = (CONV, NORM, RELU, DENSE)
ROOFS = Roofs(threads=1, flops_per_s=(90e9, 100e9), bytes_per_s=(10e9, 8e9))


def kernel(name: str, operator: str, layers: Sequence[int], times: Sequence[int], **changes: Any) -> Kernel:
    """A kernel that takes so long in each repetition, in every one of its three calls."""
    fields: dict[str, Any] = {
        "name": name,
        "operator": operator,
        "provider": "CPUExecutionProvider",
        "origins": (name,) if layers else (),
        "layers": tuple(layers),
        "time_ns": tuple((time,) * 3 for time in times),
    }
    return Kernel(**(fields | changes))


def case(
    kernels: Sequence[Kernel], walls: Sequence[int], name: str = "onnxruntime-cpu", **changes: Any
) -> ProfiledCase:
    """A verified case whose profiled calls take ``walls``, its plain ones 9/10 of that."""
    row = changes.pop("row", {})
    fields: dict[str, Any] = {
        "row": report_row(name, **{"runtime_spec": name, **row}),
        "layers": LAYERS,
        "kernels": tuple(kernels),
        "repetitions": tuple(range(len(walls))),
        "calls_ns": tuple((wall,) * 3 for wall in walls),
        "plain_ns": tuple(wall * 0.9 for wall in walls),
    }
    return ProfiledCase(**(fields | changes))


def profile(*cases: ProfiledCase, **changes: Any) -> Profile:
    """A finished profile with roofs that did not move."""
    made: Environment = environment(finished=True)
    fields: dict[str, Any] = {
        "schema_version": PROFILE_SCHEMA,
        "environment": made,
        "cases": cases,
        "roofs": (ROOFS, ROOFS),
    }
    return Profile(**(fields | changes))
