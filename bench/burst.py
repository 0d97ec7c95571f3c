"""A burst load: one child a CPU that is busy for 0.1 to 1 s, then idle for as long, at random. For the self-test.

``python -P -m bench.burst PARENT CPU SEED`` is the child: it ends with its parent, and is killed on every way out.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.children import die_with

SHORTEST_S, LONGEST_S = 0.1, 1.0


@contextmanager
def burst_load(seed: int) -> Iterator[str]:
    """Bursts on every CPU that we may use while the block runs; gives a line that describes them.

    Enter it from a thread that outlives the block: children die with the thread that started them.
    """
    cpus = sorted(os.sched_getaffinity(0))
    children: list[subprocess.Popen[bytes]] = []
    try:
        for cpu in cpus:
            children.append(_start(cpu, seed))  # noqa: PERF401 - one that can't be started must not hide the others
        yield (
            f"burst load: each of {len(cpus)} CPUs busy for {SHORTEST_S:g} to {LONGEST_S:g} s and idle for as long, "
            f"at random (seed {seed})"
        )
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


def _start(cpu: int, seed: int) -> subprocess.Popen[bytes]:
    arguments = [str(os.getpid()), str(cpu), str(seed)]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.burst", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C at the terminal is for the parent, which ends us
    )


def main(parent: int, cpu: int, seed: int) -> None:
    """Bursts until killed or orphaned."""
    die_with(parent)
    os.sched_setaffinity(0, {cpu})
    chance = random.Random(repr((seed, cpu)))
    while os.getppid() == parent:
        end = time.monotonic() + chance.uniform(SHORTEST_S, LONGEST_S)
        while time.monotonic() < end:
            pass
        time.sleep(chance.uniform(SHORTEST_S, LONGEST_S))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
