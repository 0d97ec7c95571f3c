from __future__ import annotations

import pytest

from bench.analysis.operators import Costs, lines_of
from bench.analysis.roofline import Roof, by_headroom, rate, rates_of, roof_of, why_no_roof
from bench.records import Roofs
from profile_fakes import MS, ROOFS, case, kernel

ROOF = Roof(flops_per_s=100e9, bytes_per_s=10e9, flops_differ=0.0, bytes_differ=0.0)


def costs(products: int | None, moved: int | None) -> Costs:
    return Costs(multiply_adds=products, parameters=0, traffic_bytes=moved)


def test_two_operations_a_multiply_add_over_the_time() -> None:
    found = rate(costs(1_000_000, 100_000), 50_000, ROOF)
    assert (found.flops_per_s, found.bytes_per_s, found.intensity) == (40e9, 2e9, 20.0)
    assert found.roof_share == pytest.approx(0.4)
    assert found.bound == "compute"
    assert found.headroom_ns == pytest.approx(30_000)


@pytest.mark.parametrize(
    ("products", "moved", "time_ns", "bound"),
    [
        (1_000_000, 100_000, 50_000, "compute"),  # 20 us of products, 10 us of bytes
        (100_000, 100_000, 50_000, "memory"),  # 2 us and 10 us
        (1_000_000, 100_000, 20_000, "compute"),  # at the roof
        (1_000_000, 100_000, 200_000, "compute"),  # a tenth of it
        (1_000_000, 100_000, 200_001, "overhead"),
        (1_000_000, 100_000, 19_999, "above the roof"),
        (0, 100_000, 20_000, "memory"),  # an activation
        (None, 100_000, 20_000, "unknown"),
        (1_000_000, None, 20_000, "unknown"),
    ],
)
def test_what_bounds_a_line(products: int | None, moved: int | None, time_ns: int, bound: str) -> None:
    assert rate(costs(products, moved), time_ns, ROOF).bound == bound


def test_above_the_roof_there_is_nothing_to_save_and_it_is_said() -> None:
    found = rate(costs(1_000_000, 100_000), 10_000, ROOF)
    assert found.roof_share == pytest.approx(2.0)
    assert (found.bound, found.headroom_ns) == ("above the roof", 0.0)


def test_without_roofs_rates_are_told_and_nothing_is_held_against_them() -> None:
    found = rate(costs(1_000_000, 100_000), 50_000, None)
    assert (found.flops_per_s, found.roof_share, found.bound, found.headroom_ns) == (40e9, None, "unknown", None)


def test_the_roof_is_the_best_trial_and_a_machine_that_slowed_down_is_told() -> None:
    slower = Roofs(threads=1, flops_per_s=(80e9,), bytes_per_s=(9.5e9,))
    steady, moved = roof_of([ROOFS, ROOFS]), roof_of([ROOFS, slower])
    assert steady is not None
    assert moved is not None
    assert (steady.flops_per_s, steady.bytes_per_s, steady.ridge, steady.is_steady) == (100e9, 10e9, 10.0, True)
    assert moved.flops_per_s == 100e9
    assert moved.flops_differ == pytest.approx(0.2)
    assert moved.bytes_differ == pytest.approx(0.05)
    assert moved.is_steady is False
    once = roof_of([ROOFS])
    assert once is not None
    assert (once.flops_differ, once.is_steady) == (None, None)
    assert roof_of([]) is None


def test_lines_are_in_the_order_of_what_they_could_save() -> None:
    near = kernel("dense", "Gemm", (3,), [70_000] * 5)  # 60 us of products
    far = kernel("conv", "Conv", (0,), [60_000] * 5)  # 20 us of products
    loose = kernel("r", "ReorderInput", (), [1 * MS] * 5)
    found = case([near, far, loose], [2 * MS] * 5)
    lines = lines_of(found)
    ordered = by_headroom(lines, rates_of(found, lines, ROOF))
    assert [line.name for line, _ in ordered] == ["conv1", "dense", "layout (ReorderInput)"]


@pytest.mark.parametrize(
    ("runtime", "row", "is_held"),
    [
        ("onnxruntime-cpu", {}, True),
        ("tensorflow", {}, True),
        ("onnxruntime-cuda", {}, False),
        ("onnxruntime-cpu", {"precision": "int8"}, False),
        ("onnxruntime-cpu", {"boundary": "device"}, False),
    ],
)
def test_only_float32_on_the_cpu_is_held_against_its_roofs(runtime: str, row: dict[str, str], is_held: bool) -> None:
    found = case([kernel("conv", "Conv", (0,), [60_000] * 5)], [1 * MS] * 5, runtime, row=row)
    lines = lines_of(found)
    assert (why_no_roof(found) == "") is is_held
    assert any(one.roof_share is not None for one in rates_of(found, lines, ROOF)) is is_held
