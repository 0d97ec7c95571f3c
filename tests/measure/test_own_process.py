from __future__ import annotations

import pytest

from bench.errors import BenchError, UnavailableError, UnsupportedError
from bench.measure.own_process import failure_of, involuntary_switches, thread_count
from bench.records import Failed


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("RuntimeException: Failed to allocate memory for requested buffer of size 4", "oom"),
        ("OOM when allocating tensor with shape[1,2]", "oom"),
        ("std::bad_alloc", "oom"),
        ("Non-zero status code returned", "failed"),
    ],
)
def test_out_of_memory_is_told_by_what_runtimes_really_say(message: str, status: str) -> None:
    assert failure_of(RuntimeError(message)).status == status


def test_an_error_of_ours_keeps_its_words_and_another_says_its_kind() -> None:
    assert failure_of(UnsupportedError("takes one caller")) == Failed(status="unsupported", reason="takes one caller")
    assert failure_of(UnavailableError("no device")) == Failed(status="unavailable", reason="no device")
    assert failure_of(BenchError("wrong")) == Failed(status="failed", reason="wrong")
    assert failure_of(MemoryError("8 GiB")) == Failed(status="oom", reason="MemoryError: 8 GiB")
    assert failure_of(KeyError("x")) == Failed(status="failed", reason="KeyError: 'x'")


def test_a_process_has_threads_and_loses_its_cpu_some_times_or_never() -> None:
    assert thread_count() >= 1
    assert involuntary_switches() >= 0
