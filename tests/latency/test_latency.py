"""Our own latency checks: ``pytest`` verifies them, ``pytest tests/latency --benchmark-enable`` times them too.

ONNX Runtime alone: TensorFlow's threads belong to a process that other tests use as well.
"""

from __future__ import annotations

import pytest

from bench.pytest_fixture import RuntimeBenchmark

SMALL = "mobilenet_v1:alpha=0.25,resolution=128"


@pytest.mark.slow
@pytest.mark.bench_model(SMALL, runtime=("cpu", "cpu:optimization=off"), batch=(1, 4))
def test_mobilenet_v1(runtime_benchmark: RuntimeBenchmark) -> None:
    row = runtime_benchmark()
    assert (row.agreement, row.truth, row.node_share) == ("agrees", "float64", 1.0)
    assert row.relative_error is not None
    assert row.relative_error < 1e-3
