"""How fast this machine can be at most: a matrix product and a copy. Runs in a worker of its own.

Every thread has matrices and a slice of its own, and the library is held to the thread that calls it: that reaches more
than one product split over threads, which wait for one another at its end.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.measure.machine import available_bytes, last_caches_bytes
from bench.measure.product_file import write_product
from bench.records import Roofs, RoofsRequest, SessionSettings
from bench.runtimes.loading import open_session

_SIDES = (384, 512, 768)  # of square matrices: which one a library does best differs
_TRIALS = (
    32  # of each product, and of the copy: short ones, so that some are undisturbed on a machine that is not quiet
)
_PRODUCT_NS = 8_000_000  # of a trial, about
_COPY_BYTES, _CACHES = 256 << 20, 8  # of all slices together; at least so many times the last caches
_PARTS = 8  # of a slice: a trial copies the next one, which the others have driven from the caches
_SHARE_OF_MEMORY = 8  # the copied array and its copy each take at most this part of what is there
_TRAFFIC = 2  # every byte is read and written
_RUNTIME = "onnxruntime-cpu"
Work = Callable[[], object]


def measure_roofs(request: RoofsRequest) -> Roofs:
    """Several trials of each, with the threads asked for, on ``request.cpus`` where there are some.

    The product is float32, two operations a multiply-add: the best of numpy's (OpenBLAS) and ONNX Runtime's, which
    packs fixed weights before and reaches a tenth more; where that is not installed, numpy's alone. An algorithm that
    needs fewer multiplications (Winograd's convolution) may do more than that. The copy counts every byte twice, read
    and written; where the processor first reads a line that it is going to write (write-allocate) three bytes move for
    those two, so that this is what a program gets, not what the memory could.
    """
    if request.cpus:
        os.sched_setaffinity(0, request.cpus)
    products = [_rates(works, 2 * side**3, _PRODUCT_NS) for side, works in _products(request.threads)]
    return Roofs(threads=request.threads, flops_per_s=max(products, key=max), bytes_per_s=_copied(request.threads))


def _products(threads: int) -> Iterator[tuple[int, list[Work]]]:
    """Side of the matrices, and what each thread has to do."""
    for side in _SIDES:
        yield side, [_numpy_product(side) for _ in range(threads)]
        try:
            yield side, [_runtime_product(side) for _ in range(threads)]
        except BenchError:  # not installed
            continue


def _numpy_product(side: int) -> Work:
    rng = np.random.default_rng(side)
    a, b = rng.random((side, side), np.float32), rng.random((side, side), np.float32)
    result = np.empty_like(a)
    return lambda: np.matmul(a, b, out=result)


def _runtime_product(side: int) -> Work:
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        artifact = write_product(Path(folder) / "product.onnx", side)
        settings = SessionSettings(threads=1, batch_size=1, inputs=artifact.inputs, outputs=("y",))
        session = open_session(_RUNTIME, artifact, settings)
    feed = {"x": np.random.default_rng(side).random((side, side), np.float32)}
    return lambda: session.call(feed)


def _copied(threads: int) -> tuple[float, ...]:
    wanted = max(_COPY_BYTES, _CACHES * last_caches_bytes(threads))
    each = min(wanted, available_bytes() // _SHARE_OF_MEMORY) // threads
    part = each // _PARTS
    return _rates([_copy(part) for _ in range(threads)], _TRAFFIC * part, 0)


def _copy(part: int) -> Work:
    source, target = np.ones((_PARTS, part), np.uint8), np.zeros((_PARTS, part), np.uint8)
    target[:] = source  # its pages are there from here on
    places = itertools.cycle(range(_PARTS))

    def copy_next() -> None:
        place = next(places)
        np.copyto(target[place], source[place])

    return copy_next


def _rates(works: Sequence[Work], amount: int, trial_ns: int) -> tuple[float, ...]:
    """Per second, what all threads do at once, each ``amount`` a piece of work; a trial takes about ``trial_ns``."""
    once = min(_together(works, 1) for _ in range(2))  # the first one also warms up
    repeats = max(1, round(trial_ns / once))
    done = amount * repeats * len(works)
    return tuple(done / (_together(works, repeats) * 1e-9) for _ in range(_TRIALS))


def _together(works: Sequence[Work], repeats: int) -> int:
    """From the moment when all threads are ready to the end of the last, in ns."""
    begins: list[int] = []
    barrier = threading.Barrier(len(works), action=lambda: begins.append(time.perf_counter_ns()))
    ends = [0] * len(works)

    def run(thread: int) -> None:
        work = works[thread]
        barrier.wait()
        for _ in range(repeats):
            work()
        ends[thread] = time.perf_counter_ns()

    others = [threading.Thread(target=run, args=(thread,)) for thread in range(1, len(works))]
    for other in others:
        other.start()
    run(0)
    for other in others:
        other.join()
    return max(ends) - begins[0]
