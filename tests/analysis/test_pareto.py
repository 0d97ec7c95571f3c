from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.pareto import pareto_rows
from bench.rows import Row
from report_fakes import reference, row

MIB = 1 << 20


def one(name: str, ratio: float, peak: float | None = 100, error: float | None = 6e-6, **changes: Any) -> Row:
    peak_bytes = None if peak is None else int(peak * MIB)
    return row(name, ratio, rss_peak_bytes=peak_bytes, relative_error=error, **changes)


def front(*rows: Row) -> list[str]:
    return [name.removeprefix("net | ") for name, is_on in pareto_rows(rows).items() if is_on]


def test_a_row_that_is_worse_in_everything_is_off_the_front() -> None:
    assert front(one("a", 0.5, 100), one("b", 0.8, 150)) == ["a"]


def test_a_trade_of_latency_for_memory_keeps_both() -> None:
    assert front(one("a", 0.5, 150), one("b", 0.8, 100)) == ["a", "b"]


def test_better_in_one_and_equal_in_the_others_is_better() -> None:
    assert front(one("a", 0.5), one("b", 0.8)) == ["a"]
    assert front(one("a", 0.5, 90), one("b", 0.5, 100)) == ["a"]


def test_rows_that_are_alike_are_all_on_the_front() -> None:
    assert front(one("a", 0.5), one("b", 0.5)) == ["a", "b"]


def test_latencies_count_only_where_their_intervals_are_apart() -> None:
    assert front(one("a", 0.50), one("b", 0.52)) == ["a", "b"]
    assert front(one("a", 0.50), one("b", 0.60)) == ["a"]
    assert front(one("a", 0.52, 90), one("b", 0.50, 100)) == ["a"]  # b's lead is no more than noise


def test_three_percent_of_memory_are_no_difference() -> None:
    assert front(one("a", 0.5, 102), one("b", 0.8, 100)) == ["a"]
    assert front(one("a", 0.5, 104), one("b", 0.8, 100)) == ["a", "b"]


def test_errors_within_the_float32_tolerance_are_equal() -> None:
    assert front(one("a", 0.5, error=8e-5), one("b", 0.8, error=7e-5)) == ["a"]


def test_reduced_precision_competes_and_pays_with_its_error() -> None:
    small = one("int8", 0.2, 60, error=0.02, precision="int8", tolerance=0.1)
    worse = one("worse", 0.2, 60, error=0.05, precision="int8", tolerance=0.1)
    assert front(one("float32", 0.5), small, worse) == ["float32", "int8"]
    assert front(one("float32", 0.1, 50), small) == ["float32"]


def test_without_a_float32_row_any_difference_of_errors_counts() -> None:
    rows = [one("a", 0.5, error=0.02, precision="int8"), one("b", 0.5, error=0.03, precision="int8")]
    assert front(*rows) == ["a"]


def test_a_row_that_lacks_a_number_others_have_has_no_place() -> None:
    assert pareto_rows([one("a", 0.5), one("b", 0.8), one("c", 0.9, None)]) == {"net | a": True, "net | b": False}
    assert pareto_rows([one("a", 0.5), one("b", 0.8, error=None)]) == {}


def test_a_number_that_no_row_has_does_not_count() -> None:
    assert front(one("a", 0.5, None), one("b", 0.8, None)) == ["a"]
    assert front(one("a", 0.5, error=None), one("b", 0.8, error=None)) == ["a"]


def test_a_row_alone_is_in_no_contest() -> None:
    assert pareto_rows([reference()]) == {}
    assert pareto_rows([]) == {}


def test_without_intervals_the_latencies_themselves_decide() -> None:
    bare: dict[str, Any] = {"ratio_low": None, "ratio_high": None}
    assert front(one("a", 0.5, **bare), one("b", 0.5, latency_ns_best=9e6, **bare)) == ["a"]


numbers = st.tuples(st.floats(0.2, 3), st.integers(50, 60), st.sampled_from([1e-5, 1e-3, 0.01, 0.02]))


@given(st.lists(numbers, min_size=2, max_size=6))
def test_the_front_is_never_empty(found: list[tuple[float, int, float]]) -> None:
    rows = [one(str(i), ratio, peak, error, precision="int8") for i, (ratio, peak, error) in enumerate(found)]
    places = pareto_rows(rows)
    assert any(places.values())
    assert len(places) == len(rows)
