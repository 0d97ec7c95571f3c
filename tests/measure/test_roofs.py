"""Laws of the roofs, not their height: that depends on who else is on the machine."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
import pytest

from bench.errors import UnavailableError
from bench.measure import roofs
from bench.measure.product_file import write_product
from bench.records import RoofsRequest


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "_SIDES", (64,))
    monkeypatch.setattr(roofs, "_PRODUCT_NS", 1_000_000)
    monkeypatch.setattr(roofs, "_COPY_BYTES", 1 << 20)
    monkeypatch.setattr(roofs, "_CACHES", 0)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_trial_of_both_roofs_is_there_and_positive(threads: int) -> None:
    told = roofs.measure_roofs(RoofsRequest(threads=threads))
    assert told.threads == threads
    for trials in (told.flops_per_s, told.bytes_per_s):
        assert len(trials) >= 5
        assert min(trials) > 0


def test_without_a_runtime_the_product_is_numpys(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise UnavailableError("not installed")

    monkeypatch.setattr(roofs, "open_session", unavailable)
    assert min(roofs.measure_roofs(RoofsRequest(threads=1)).flops_per_s) > 0


@pytest.mark.parametrize(
    ("cache", "free", "slice_bytes"),
    [(8 << 20, 1 << 30, 32 << 20), (0, 1 << 30, 1 << 20), (8 << 20, 80 << 20, 10 << 20)],
)
def test_the_copy_is_beyond_the_last_cache_and_within_the_memory_that_may_be_had(
    cache: int, free: int, slice_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roofs, "_CACHES", 4)
    monkeypatch.setattr(roofs, "last_caches_bytes", lambda _threads: cache)
    monkeypatch.setattr(roofs, "available_bytes", lambda: free)
    parts: list[int] = []
    monkeypatch.setattr(roofs, "_copy", lambda part: lambda: parts.append(part))
    roofs._copied(1)
    assert parts[0] * roofs._PARTS == slice_bytes


def test_what_is_counted_is_what_all_threads_did() -> None:
    done: list[str] = []
    works = [lambda: done.append("a"), lambda: done.append("b")]
    rates = roofs._rates(works, amount=3, trial_ns=0)
    assert done.count("a") == done.count("b") == len(rates) + 2  # two to warm up
    assert min(rates) > 0


def test_one_thread_uses_no_more_than_one_processor() -> None:
    """BLAS of a worker is held to the thread that calls it; a pool of its own would take more time than passed."""
    work = roofs._runtime_product(256)
    before = resource.getrusage(resource.RUSAGE_SELF)
    took = roofs._together([work], 50)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime - before.ru_utime <= took * 1e-9 * 1.2 + 0.02


def test_the_file_of_a_product_is_a_model(tmp_path: Path) -> None:
    artifact = write_product(tmp_path / "p.onnx", 4)
    model = onnx.load(artifact.path)
    onnx.checker.check_model(model, full_check=True)
    x = np.eye(4, dtype=np.float32)
    [y] = onnx.reference.ReferenceEvaluator(model).run(None, {"x": x})
    np.testing.assert_array_equal(y, onnx.numpy_helper.to_array(model.graph.initializer[0]))
