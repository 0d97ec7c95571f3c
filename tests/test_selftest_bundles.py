"""How much is planted is chosen by measuring; and the faults are real bundles that the gate finds out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bench.calibrating import with_case, write_variant
from bench.check.bundle import open_bundle
from bench.check.records import GateSettings
from bench.check.selftest import Key, Outcome, TrialKind, make_trial, outcome
from bench.errors import BenchError
from bench.gating import gate_bundles
from bench.progress import Silent
from bench.selftest_bundles import Workshop, choose_amount
from bench.specs import parse_model, parse_runtimes
from gate_fakes import bundle, files_of_net, replace


class Machine:
    """Answers amounts with pairs whose slowdown is ``effect`` of the amount, spread by ``sd``."""

    def __init__(self, slope: float, fixed: float = 0.0, sd: float = 0.002) -> None:
        self.asked: list[tuple[float, int]] = []
        self._slope, self._fixed, self._sd = slope, fixed, sd

    def __call__(self, amount: float, pairs: int) -> list[float]:
        self.asked.append((round(amount, 4), pairs))
        noise = np.random.default_rng(len(self.asked)).normal(size=pairs) * self._sd
        return [math.log1p(self._fixed + self._slope * amount) + float(one) for one in noise]


def test_a_plant_that_costs_what_it_says_is_taken_at_once() -> None:
    machine = Machine(slope=1.0)
    amount, values = choose_amount(0.05, machine)
    assert machine.asked == [(0.06, 6), (0.06, 16)]
    assert amount == pytest.approx(0.06)
    assert len(values) == 16


@pytest.mark.parametrize(("slope", "fixed"), [(3.0, 0.0), (0.3, 0.0), (1.0, 0.02), (2.0, 0.03)])
def test_amounts_are_corrected_until_the_effect_is_shown(slope: float, fixed: float) -> None:
    amount, values = choose_amount(0.05, Machine(slope, fixed))
    assert 0.05 <= fixed + slope * amount <= 0.08
    assert sorted(values)[3] > math.log(1.05)


@pytest.mark.parametrize("machine", [Machine(slope=0.0), Machine(slope=1.0, fixed=0.2), Machine(slope=1.0, sd=0.1)])
def test_what_can_not_be_shown_is_an_error_that_says_what_was_seen(machine: Machine) -> None:
    with pytest.raises(BenchError, match=r"planting \+5.0%: after 6 amounts none was shown"):
        choose_amount(0.05, machine)


def test_a_copy_is_the_same_bundle_byte_for_byte(tmp_path: Path) -> None:
    from bench.check.bundle import write_bundle

    write_bundle(tmp_path / "one", bundle(models={"net": files_of_net(tmp_path / "cache")}), {})
    write_variant(tmp_path / "one", tmp_path / "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) > 3
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    write_variant(tmp_path / "one", tmp_path / "three", with_case(lambda case: replace(case, busy=0.05)))
    assert [case.busy for case in open_bundle(tmp_path / "three").cases] == [0.05]
    assert [case.busy for case in open_bundle(tmp_path / "one").cases] == [0.0]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    settings = GateSettings(metrics=("agreement",), seed=1)
    made = Workshop(
        tmp_path_factory.mktemp("bundles"),
        parse_model("mobilenet_v1:alpha=0.25,resolution=128"),
        parse_runtimes(["onnxruntime-cpu"])[0],
        settings,
        Silent(),
    )
    made.open(1)
    return made


def tried(workshop: Workshop, key: Key) -> Outcome:
    """One pair of executed workers, judged by agreement alone: nothing here depends on how fast they are."""
    settings = GateSettings(metrics=("agreement",), seed=1)
    result = gate_bundles(*workshop.sides(key), settings, out=None, command="", progress=Silent())
    return outcome(make_trial(key, result))


@pytest.mark.slow
def test_every_fault_fires_with_executed_workers(workshop: Workshop) -> None:
    faults = workshop.faults()
    kinds: list[TrialKind] = [one.kind for one in faults]
    assert kinds == ["wrong"] * 3 + ["fallback"] * (kinds.count("fallback")) + ["gone"]
    assert kinds.count("fallback") >= 2
    seen = {(one.kind, one.variant): tried(workshop, one) for one in faults if one.variant != "kernel 2 of 3"}
    assert seen == dict.fromkeys(seen, "fired")


@pytest.mark.slow
def test_identical_and_slowed_sides_compute_the_same(workshop: Workshop) -> None:
    assert workshop.slow_kinds() == ("nodes", "busy")
    workshop._amounts = {"nodes": 0.06, "busy": 0.06}
    kinds: tuple[TrialKind, ...] = ("same", "nodes", "busy")
    for kind in kinds:
        key = Key(kind=kind, number=0, load="quiet", seed=0)
        settings = GateSettings(metrics=("agreement",), seed=1)
        result = gate_bundles(*workshop.sides(key), settings, out=None, command="", progress=Silent())
        assert [one.answer for one in result.judged] == ["PASS"], kind
        assert len(result.pairs) == 1
    head = open_bundle(workshop.sides(Key(kind="nodes", number=0, load="quiet", seed=0))[1])
    base = open_bundle(workshop.baseline)
    digests = [next(iter(one.models.values())).artifacts["onnx"].digest for one in (base, head)]
    assert digests[0] != digests[1]


def test_a_runtime_that_loads_no_onnx_is_slowed_by_waiting_alone(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, parse_model("mobilenet_v1"), parse_runtimes(["tensorflow"])[0], GateSettings(), Silent())
    assert shop.slow_kinds() == ("busy",)
    assert [(one.kind, one.variant) for one in shop.faults()] == [
        ("wrong", "other weights"),
        ("fallback", "head claims a provider"),
        ("fallback", "both claim a provider"),
        ("gone", ""),
    ]
