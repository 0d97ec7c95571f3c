"""The burst load is one child a CPU, and none is left on any way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from bench.burst import burst_load

PARENT = """
import sys, time
from bench.burst import burst_load
with burst_load(0):
    print("ready", flush=True)
    time.sleep(60)
"""


def bursts() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "bench.burst" in one.cmdline()]


def fail_with(error: type[BaseException], children: list[psutil.Process]) -> None:
    children += bursts()
    raise error


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_there_is_one_for_each_cpu_and_the_line_says_what_it_does() -> None:
    with burst_load(7) as text:
        children = bursts()
        assert len(children) == len(os.sched_getaffinity(0))
        assert text.startswith(f"burst load: each of {len(children)} CPUs busy for 0.1 to 1 s")
        assert until(lambda: all(len(one.cpu_affinity()) == 1 for one in children))
    assert not any(one.is_running() for one in children)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_ends_it(error: type[BaseException]) -> None:
    children: list[psutil.Process] = []
    with pytest.raises(error), burst_load(0):
        fail_with(error, children)
    assert children
    assert not any(one.is_running() for one in children)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_the_end_of_its_parent_ends_it(sign: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        children = psutil.Process(parent.pid).children()
        assert children
        parent.send_signal(sign)
    assert until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))
