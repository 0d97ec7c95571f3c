from __future__ import annotations

from typing import Any

import pytest

from bench.runtimes.operators import Ran, added_up, cut_off, timed_calls, unique, warm_up


def _ran(call: int, key: str, time_ns: int, *, name: str | None = None, output_bytes: int | None = None) -> Ran:
    return Ran(call, key, name or key, "Conv", "CPU", time_ns, output_bytes)


def test_an_operator_that_runs_several_times_in_a_call_is_one_and_takes_their_sum() -> None:
    [one] = added_up([_ran(0, "a", 2, output_bytes=8), _ran(0, "a", 3, output_bytes=8), _ran(1, "a", 7)], 2)
    assert (one.time_ns, one.output_bytes) == ((5, 7), None)
    [one] = added_up([_ran(0, "a", 2, output_bytes=8), _ran(0, "a", 3, output_bytes=8)], 1)
    assert one.output_bytes == 16


def test_a_call_in_which_an_operator_did_not_run_counts_nothing_for_it() -> None:
    a, b = added_up([_ran(0, "a", 2), _ran(1, "b", 3)], 3)
    assert (a.time_ns, b.time_ns) == ((2, 0, 0), (0, 3, 0))


def test_two_operators_of_one_name_are_two_and_keep_their_origins() -> None:
    operators = added_up([_ran(0, "a", 2, name="x"), _ran(0, "b", 3, name="x")], 1, {"b": ("layer",)})
    assert [(one.name, one.time_ns, one.origins) for one in operators] == [("x", (2,), ()), ("x #2", (3,), ("layer",))]


def test_a_name_that_looks_like_a_second_one_is_not_given_twice() -> None:
    assert list(unique(["x", "x #2", "x"])) == ["x", "x #2", "x #3"]


def test_feeds_are_called_in_turn_and_every_call_has_its_time() -> None:
    seen: list[Any] = []
    warm_up(seen.append, ["a", "b"])
    assert 5 <= len(seen) <= 50
    assert seen[:3] == ["a", "b", "a"]
    walls = timed_calls(seen.append, ["c"], 4)
    assert len(walls) == 4
    assert min(walls) > 0


def test_an_error_of_a_call_is_not_kept_silent() -> None:
    def fails(_: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        timed_calls(fails, [1], 1)


def test_a_call_may_lack_a_microsecond_for_each_time_that_a_kernel_ran_in_it() -> None:
    assert cut_off([_ran(0, "a", 2), _ran(0, "b", 2), _ran(0, "b", 2), _ran(1, "a", 2)]) == 3000
    assert cut_off([]) == 0
