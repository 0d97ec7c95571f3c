from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from analysis_fakes import measured
from bench.analysis.soak import LEAST_CALLS, Soak, soak_cautions, soak_of, summarise_soak
from bench.records import SoakSample
from bench.rows import Row

MIB = 2**20
Level = Callable[[float], float]  # minutes -> bytes on top of the start


def series(level: Level, minutes: float = 4, looks: int = 240, calls: int = 3000) -> list[SoakSample]:
    """``calls`` a minute; what the process alone has written to is a third of what is resident."""
    moments = [minutes * i / (looks - 1) for i in range(looks)]
    return [
        SoakSample(
            elapsed_ns=int(t * 60e9),
            calls=int(t * calls),
            rss_bytes=300 * MIB + int(more),
            private_bytes=100 * MIB + int(more),
        )
        for t, more in ((t, level(t)) for t in moments)
    ]


def said(level: Level, minutes: float = 4, **changes: int) -> Soak:
    soak = summarise_soak(series(level, minutes, **changes))
    assert soak is not None
    return soak


def noisy(level: Level, kib: float, seed: int = 0) -> Level:
    rng = random.Random(seed)
    return lambda t: level(t) + rng.gauss(0, kib * 1024)


def test_memory_that_never_changes_is_a_plateau_of_slope_0() -> None:
    soak = said(lambda _: 0)
    assert (soak.soak_verdict, soak.soak_slope_per_minute) == ("plateau", 0)
    assert (soak.soak_slope_per_minute_low, soak.soak_slope_per_minute_high) == (0, 0)
    assert soak_cautions(soak) == []


def test_a_megabyte_a_call_is_growing_with_its_slope_a_minute_and_a_thousand_calls() -> None:
    soak = said(lambda t: t * 3000 * MIB)
    assert soak.soak_slope_per_minute == pytest.approx(3000 * MIB, rel=0.01)
    (caution,) = soak_cautions(soak)
    assert caution.code == "memory grows"
    assert caution.text == (
        "memory grew by 2.93 GiB a minute (2.93 GiB to 2.93 GiB) until the end, 1000 MiB every 1000 calls"
    )


@pytest.mark.parametrize(("mib", "told"), [(0.0, "plateau"), (0.05, "plateau"), (1.0, "growing"), (-5.0, "plateau")])
def test_a_steady_slope_is_growing_from_where_it_is_more_than_pages_in_the_counting(mib: float, told: str) -> None:
    assert said(noisy(lambda t: mib * t * MIB, 5)).soak_verdict == told


def test_growth_that_ended_in_the_first_half_is_a_plateau() -> None:
    assert said(lambda t: min(t, 1.9) * 50 * MIB).soak_verdict == "plateau"


def test_growth_that_gets_slower_is_not_called_a_leak_yet() -> None:
    soak = said(lambda t: 64 * MIB * (1 - 2.718 ** (-t / 0.8)))
    assert soak.soak_verdict == "cannot tell"
    assert "ever more slowly" in soak.reason
    assert soak_cautions(soak)[0].code == "soak"


@pytest.mark.parametrize("moment", [2.1, 2.7, 3.3, 3.9])
def test_one_step_is_no_leak_however_high_and_cannot_be_called_a_plateau_either(moment: float) -> None:
    soak = said(noisy(lambda t: 512 * MIB * (t > moment), 20))
    assert soak.soak_verdict in ("cannot tell", "plateau")
    assert soak.soak_slope_per_minute_low is not None
    assert soak.soak_slope_per_minute_low <= 0


def test_a_leak_with_a_step_in_it_is_still_a_leak() -> None:
    assert said(noisy(lambda t: t * 2 * MIB + 64 * MIB * (t > 3), 20)).soak_verdict == "growing"


def test_a_collectors_saw_is_a_plateau_and_on_top_of_a_leak_it_is_a_leak() -> None:
    def saw(t: float) -> float:
        return 8 * MIB * ((t * 10) % 1)

    assert said(saw).soak_verdict == "plateau"
    assert said(lambda t: saw(t) + 20 * t * MIB).soak_verdict == "growing"


def test_noise_that_comes_back_is_a_plateau_and_too_much_of_it_cannot_be_told() -> None:
    assert said(noisy(lambda _: 0, 200)).soak_verdict == "plateau"
    assert said(noisy(lambda _: 0, 20_000)).soak_verdict == "cannot tell"


def test_too_short_a_soak_cannot_tell_even_of_a_leak() -> None:
    few_calls = said(lambda t: t * 100 * MIB, minutes=1, calls=2 * LEAST_CALLS - 10)
    assert (few_calls.soak_verdict, few_calls.soak_slope_per_minute) == ("cannot tell", None)
    assert "soak longer" in few_calls.reason
    assert said(lambda t: t * 100 * MIB, looks=60).soak_verdict == "cannot tell"
    assert said(lambda t: t * 100 * MIB, minutes=1, calls=2 * LEAST_CALLS + 10).soak_verdict == "growing"


def test_resident_memory_decides_where_the_kernel_tells_no_other() -> None:
    samples = [
        SoakSample(elapsed_ns=one.elapsed_ns, calls=one.calls, rss_bytes=one.rss_bytes)
        for one in series(lambda t: t * 5 * MIB)
    ]
    soak = summarise_soak(samples)
    assert soak is not None
    assert soak.soak_verdict == "growing"


def test_nothing_soaked_says_nothing_and_the_last_repetition_that_was_counts() -> None:
    assert summarise_soak([]) is None
    assert soak_cautions(None) == []
    tries = [measured("c", 0, [[1]], soak=series(lambda t: t * 9 * MIB)), measured("c", 1, [[1]])]
    soak = soak_of(tries)
    assert soak is not None
    assert soak.soak_verdict == "growing"
    assert set(soak.fields()) <= set(Row.__struct_fields__)
    assert soak_of(tries[1:]) is None


def test_wandering_memory_is_seldom_called_growing() -> None:
    """The exact bound is for independent changes; least values of neighbours lean the same way: about 1 in 200."""
    growing = 0
    for seed in range(400):
        rng = random.Random(seed)
        level = [0.0]
        for _ in range(239):
            level.append(level[-1] + rng.gauss(0, 64 * 1024))
        at = iter(level)
        growing += said(lambda _, at=at: next(at)).soak_verdict == "growing"  # type: ignore[misc]
    assert growing <= 6
