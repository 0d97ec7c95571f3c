"""The benchmark's own rows: no noise breaks the bound, and power falls with the spread."""

from __future__ import annotations

import math
import runpy
from pathlib import Path
from typing import Any

import pytest

from bench.analysis.sequential import make_design

GATES = 2000


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "gate_statistics.py"))


def test_every_kind_of_noise_stays_below_the_bound_within_sampling_error(tables: dict[str, Any]) -> None:
    design = make_design()
    rows = tables["false_alarms"](design, GATES)
    assert len(rows) == len(tables["KINDS"])
    bound = design.false_alarm_bound
    for kind, alarm, passed, undecided in rows:
        assert alarm <= bound + 3 * math.sqrt(bound / GATES), kind
        assert alarm + passed + undecided == pytest.approx(1)


def test_power_falls_with_the_spread_and_grows_with_the_slowdown(tables: dict[str, Any]) -> None:
    rows = tables["power"](make_design(), GATES)
    at_delta = [alarms[tables["SLOWDOWNS"].index(0.05)] for _, alarms, _, _ in rows]
    assert at_delta == sorted(at_delta, reverse=True)
    assert at_delta[0] == 1.0
    for _, alarms, _, _ in rows:
        assert alarms == sorted(alarms)


def test_an_unknown_noise_is_an_error(tables: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no noise is called pink"):
        tables["hostile_noise"]("pink", 1, 16)
