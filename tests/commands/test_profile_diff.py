from __future__ import annotations

import json

import pytest

from bench.analysis.profiled import Profile
from bench.commands.profile_diff import diff_exit, diff_json, diff_text
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK
from profile_fakes import MS, case, kernel, profile

WALLS = [10 * MS + step for step in range(5)]


def one(by: int = 0, **row: object) -> Profile:
    """Five repetitions, the convolution and the whole slower by so much."""
    conv = kernel("conv", "Conv", (0,), [5 * MS + by + step for step in range(5)])
    return profile(case([conv], [wall + by for wall in WALLS], row=row))


def test_a_change_of_verified_sides_is_told_and_one_that_two_runs_may_differ_by_is_not() -> None:
    a, b, c = one(threads=1), one(15 * MS, threads=1), one(MS, threads=1)
    assert diff_text(a, b).startswith("Conv conv1 explains 100 % of +15 ms")
    assert diff_exit(a, b) == EXIT_OK
    assert "two runs of like code may differ as much" in diff_text(a, c)
    assert diff_exit(a, c) == EXIT_CANNOT_TELL


@pytest.mark.parametrize(
    "row", [{"agreement": "vacuous"}, {"agreement": "unchecked"}, {"status": "partial", "status_reason": "60 % on CPU"}]
)
def test_of_a_side_that_cannot_win_no_change_is_told_and_that_is_said_first(row: dict[str, object]) -> None:
    a, b = one(), one(MS, **row)
    first = diff_text(a, b).splitlines()[0]
    assert first.startswith("+1 ms (+1 ms to +1 ms) from A to B: B is not verified or not whole (")
    assert diff_exit(a, b) == EXIT_CANNOT_TELL
    assert diff_exit(b, a) == EXIT_CANNOT_TELL
    (pair,) = json.loads(diff_json(a, b))["pairs"]
    assert pair["verdict"] == first


def test_interleaved_sides_without_a_common_repetition_are_said_to_have_none() -> None:
    conv = kernel("conv", "Conv", (0,), [5 * MS] * 2)
    apart = profile(case([conv], WALLS[:2]), case([conv], WALLS[:2], "litert", repetitions=(7, 8)))
    assert diff_text(apart).startswith("not comparable: no repetition has both")
    assert diff_exit(apart) == EXIT_CANNOT_TELL
