"""What a machine can gate, by the noise of its pairs."""

from __future__ import annotations

import pytest

from bench.check.calibration import Calibration, Noise, holds, noise_of, sd_interval, spell_ability
from bench.check.calibration_text import cells, notes
from bench.check.records import GateSettings
from gate_fakes import MACHINE, pairs, replace, side

DEFAULT = GateSettings()
NOISE = Noise(
    threads=1,
    pairs=24,
    sd=0.008,
    sd_low=0.0062,
    sd_high=0.0112,
    false_alarm_rate=0.0004,
    false_alarm_bound=0.0089,
    smallest_detectable=0.031,
    preempted=0.16,
    recommended=0.02,
    holds_delta=True,
)


def calibration(*threads: Noise) -> Calibration:
    return Calibration(
        model="net",
        runtime="onnxruntime-cpu",
        runtime_version="1.32.0",
        machine=MACHINE,
        settings=DEFAULT,
        threads=threads or (NOISE,),
    )


def test_quiet_pairs_hold_the_least_delta_and_never_alarm() -> None:
    found = noise_of(1, pairs([0.001, -0.001] * 12), DEFAULT)
    assert (found.threads, found.pairs) == (1, 24)
    assert found.sd == pytest.approx(0.001, rel=0.03)
    assert found.false_alarm_rate == 0.0
    assert (found.recommended, found.holds_delta) == (0.01, True)
    assert found.preempted == 0.0


def test_wild_pairs_hold_no_delta_and_alarm_no_more_than_the_bound() -> None:
    found = noise_of(2, pairs([0.6, -0.4] * 12, head=side(preempted=0.5)), DEFAULT)
    assert (found.recommended, found.holds_delta) == (None, False)
    assert 0 < found.false_alarm_rate <= found.false_alarm_bound < 0.01
    assert found.preempted == 0.25


def test_what_is_held_grows_with_delta_and_shrinks_with_noise() -> None:
    assert holds(DEFAULT, 0.05, 0.03)
    assert not holds(DEFAULT, 0.05, 0.05)
    assert holds(DEFAULT, 0.10, 0.05)
    assert [next(d for d in (0.01, 0.02, 0.03, 0.05, 0.1) if holds(DEFAULT, d, sd)) for sd in (0.005, 0.01, 0.03)] == [
        0.01, 0.02, 0.05,
    ]  # fmt: skip


def test_the_interval_of_a_standard_deviation_is_the_chi_square_one() -> None:
    assert sd_interval(1.0, 24) == pytest.approx((0.7772, 1.4028), abs=1e-4)
    assert sd_interval(1.0, 1) == (None, None)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ((True,), "this machine can gate 5% with 1 thread"),
        ((True, False), "this machine can gate 5% with 1 thread; not with 2"),
        ((True, True, False, False), "this machine can gate 5% with 1 or 2 threads; not with 3 or 4"),
        ((False,), "this machine can not gate 5% with 1 thread"),
        ((False, False), "this machine can not gate 5% with 1 or 2 threads"),
    ],
)
def test_one_sentence_says_what_this_machine_can_gate(held: tuple[bool, ...], told: str) -> None:
    noise = [replace(NOISE, threads=n, holds_delta=one) for n, one in enumerate(held, 1)]
    assert spell_ability(calibration(*noise)) == told


def test_a_line_of_the_table() -> None:
    assert cells(NOISE) == ("1", "24", "0.80%", "0.62% to 1.1%", "0.04%", "3.1%", "16%", "--delta 2%")
    unknown = replace(NOISE, sd_low=None, sd_high=None, smallest_detectable=None, preempted=None, recommended=None)
    assert cells(unknown) == ("1", "24", "0.80%", "- to -", "0.04%", "-", "-", "none")
    assert notes(calibration())[-1] == "this machine can gate 5% with 1 thread"
