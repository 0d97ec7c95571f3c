from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from bench.analysis.soak import Soak, summarise_soak
from bench.measure.soak import SAMPLES, soak
from bench.records import Memory
from fakes import FakeClock

SECOND = 10**9


class Served:
    """Calls of a second's fraction, each of which keeps some bytes."""

    def __init__(self, takes_ns: int, keeps: int = 0) -> None:
        self.clock = FakeClock()
        self.takes_ns = takes_ns
        self.keeps = keeps
        self.held = 0

    def step(self, calls: int) -> int:
        self.clock.advance(self.takes_ns)
        self.held += self.keeps
        return 1

    def read(self) -> Memory:
        return Memory(rss_bytes=10**8 + self.held, private_bytes=10**7 + self.held)


def test_memory_is_looked_at_about_evenly_before_the_first_call_and_after_the_last() -> None:
    served = Served(SECOND // 100)
    samples = soak(served.step, 60, served.read, served.clock)
    assert (samples[0].elapsed_ns, samples[0].calls) == (0, 0)
    assert (samples[-1].elapsed_ns, samples[-1].calls) == (60 * SECOND, 6000)
    assert SAMPLES <= len(samples) <= SAMPLES + 2
    gaps = [b.elapsed_ns - a.elapsed_ns for a, b in pairwise(samples)]
    assert max(gaps) <= 60 * SECOND / SAMPLES + SECOND // 100


def test_long_calls_are_looked_at_after_each() -> None:
    served = Served(SECOND)
    samples = soak(served.step, 10, served.read, served.clock)
    assert [one.calls for one in samples] == list(range(11))


def test_steps_of_several_callers_are_counted_as_they_say() -> None:
    served = Served(SECOND)
    seen: list[int] = []

    def step(calls: int) -> int:
        seen.append(calls)
        return 3 * served.step(calls)

    assert soak(step, 3, served.read, served.clock)[-1].calls == 9
    assert seen == [0, 3, 6]


def verdict(served: Served, seconds: float = 60) -> Soak:
    said = summarise_soak(soak(served.step, seconds, served.read, served.clock))
    assert said is not None
    return said


def test_a_session_that_keeps_a_megabyte_a_call_grows_and_one_that_keeps_nothing_stands() -> None:
    leak = verdict(Served(SECOND // 50, keeps=2**20))
    assert leak.soak_verdict == "growing"
    assert leak.soak_slope_per_minute == pytest.approx(3000 * 2**20, rel=0.01)
    assert verdict(Served(SECOND // 50)).soak_verdict == "plateau"


CHILD = """
    import sys, time
    from bench.measure.memory import read_memory
    from bench.measure.soak import soak
    import msgspec
    kept = []
    def step(calls):
        kept.append(bytearray({keeps}))
        if calls >= 40: time.sleep(0.002)
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(soak(step, 3, read_memory, time.perf_counter_ns)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("keeps", "told"), [(20_000, "growing"), (0, "plateau")])
def test_a_leak_planted_in_a_process_is_found_by_the_kernels_account(tmp_path: Path, keeps: int, told: str) -> None:
    import subprocess
    import sys

    from bench.records import SoakSample

    child = tmp_path / "child.py"
    child.write_text(textwrap.dedent(CHILD.format(keeps=keeps)))
    done = subprocess.run([sys.executable, str(child)], capture_output=True, check=True)
    said = summarise_soak(msgspec.json.decode(done.stdout, type=list[SoakSample]))
    assert said is not None
    assert said.soak_verdict == told, said.reason
