from __future__ import annotations

from pathlib import Path

import pytest

from bench.measure.memory import read_memory, reset_peak


def test_the_fields_are_read_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\nThreads:\t4\n")
    (tmp_path / "smaps_rollup").write_text("Rss: 200 kB\nPrivate_Clean: 10 kB\nPrivate_Dirty: 30 kB\n")
    read = read_memory(tmp_path)
    assert (read.rss_bytes, read.private_bytes, read.peak_rss_bytes) == (204800, 30720, 307200)


def test_what_the_kernel_does_not_tell_is_none(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("VmRSS:\t  200 kB\n")
    read = read_memory(tmp_path)
    assert (read.private_bytes, read.peak_rss_bytes) == (None, None)


def test_the_peak_is_forgotten_when_it_is_reset() -> None:
    block = bytearray(200 * 2**20)
    block[::4096] = b"x" * len(block[::4096])
    del block
    before = read_memory().peak_rss_bytes
    if not reset_peak():
        pytest.skip("this kernel does not let a process reset its peak")
    after = read_memory().peak_rss_bytes
    assert before is not None
    assert after is not None
    assert before - after > 150 * 2**20
