from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.measure import machine
from bench.measure.machine import (
    MachineWatch,
    Snapshot,
    available_bytes,
    busy_shares,
    effective_cpus,
    last_caches_bytes,
)


@pytest.fixture
def cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))


def membership(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "membership"
    path.write_text(text)
    return path


@pytest.mark.usefixtures("cpus")
@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1)]
)
def test_a_version_2_quota_bounds_the_cpus(tmp_path: Path, quota: str, expected: int) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (tmp_path / "a" / "cpu.max").write_text(quota)
    assert effective_cpus(tmp_path, membership(tmp_path, "0::/a/b\n")) == expected


@pytest.mark.usefixtures("cpus")
def test_a_version_1_quota_bounds_the_cpus(tmp_path: Path) -> None:
    folder = tmp_path / "cpu,cpuacct" / "docker"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("300000")
    (folder / "cpu.cfs_period_us").write_text("100000")
    assert effective_cpus(tmp_path, membership(tmp_path, "4:cpu,cpuacct:/docker\n")) == 3
    (folder / "cpu.cfs_quota_us").write_text("-1")
    assert effective_cpus(tmp_path, membership(tmp_path, "4:cpu,cpuacct:/docker\n")) == 8


def test_affinity_bounds_the_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3})
    (tmp_path / "cpu.max").write_text("400000 100000")
    assert effective_cpus(tmp_path, membership(tmp_path, "0::/\n")) == 1


def test_a_version_2_memory_limit_bounds_what_is_available_and_cached_files_count_as_free(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000")
    (tmp_path / "memory.current").write_text("900")
    assert available_bytes(tmp_path, membership(tmp_path, "0::/\n")) == 100
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 700\n")
    assert available_bytes(tmp_path, membership(tmp_path, "0::/\n")) == 800


def caches(root: Path, cpu: int, *told: tuple[str, str, str]) -> None:
    """Of one CPU: level, size and the CPUs that share it, as the kernel writes them."""
    for number, (level, size, shared) in enumerate(told):
        folder = root / f"cpu{cpu}" / "cache" / f"index{number}"
        folder.mkdir(parents=True)
        for name, text in (("level", level), ("size", size), ("shared_cpu_list", shared)):
            (folder / name).write_text(f"{text}\n")


def test_a_cache_that_cpus_share_counts_once_and_no_more_caches_than_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2, 3})
    for cpu, shared in ((0, "0-1"), (1, "0-1"), (2, "2-3"), (3, "2-3"), (4, "4")):
        caches(tmp_path, cpu, ("1", "32K", str(cpu)), ("3", "32768K", shared), ("2", "1024K", str(cpu)))
    assert last_caches_bytes(1, tmp_path) == 32 << 20
    assert last_caches_bytes(4, tmp_path) == 64 << 20  # not that of CPU 4, which we may not use


def test_without_a_word_of_caches_there_are_none(tmp_path: Path) -> None:
    assert last_caches_bytes(2, tmp_path) == 0
    caches(tmp_path, min(os.sched_getaffinity(0)), ("3", "?", "0"))
    assert last_caches_bytes(2, tmp_path) == 0


def test_a_version_1_memory_limit_bounds_what_is_available(tmp_path: Path) -> None:
    folder = tmp_path / "memory" / "docker"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("5000")
    (folder / "memory.usage_in_bytes").write_text("3000")
    (folder / "memory.stat").write_text("cache 9\ntotal_inactive_file 500\n")
    assert available_bytes(tmp_path, membership(tmp_path, "5:memory:/docker\n")) == 2500


@pytest.mark.parametrize(
    ("threads", "foreign", "disturbed"), [(2, 0.5, True), (2, 0.1, False), (1, 2.0, False), (1, 4.0, True)]
)
@pytest.mark.usefixtures("cpus")
def test_others_disturb_where_they_take_half_of_the_cpus_that_are_left(
    monkeypatch: pytest.MonkeyPatch, threads: int, foreign: float, disturbed: bool
) -> None:
    cpus = {2: 2, 1: 8}[threads]
    monkeypatch.setattr(machine, "effective_cpus", lambda: cpus)
    monkeypatch.setattr(machine, "busy_shares", lambda _before, _after: (foreign, 0.0))
    watch = MachineWatch([], threads)
    watch.end_round(0, 1)
    watch.finish()
    assert [state.disturbed for state in watch.states] == [disturbed]


def test_what_others_kept_busy_is_what_we_did_not() -> None:
    before = Snapshot(0, busy=10.0, steal=0.0, total=20.0, own=5.0)
    after = Snapshot(2_000_000_000, busy=13.0, steal=0.4, total=24.0, own=6.0)
    foreign, steal = busy_shares(before, after)
    assert foreign == pytest.approx(1.0)
    assert steal == pytest.approx(0.1)
    quiet, _ = busy_shares(before, Snapshot(2_000_000_000, busy=11.0, steal=0.0, total=24.0, own=6.0))
    assert quiet == 0.0


def test_the_machine_is_described_without_its_name() -> None:
    import socket

    described = machine.describe_machine()
    assert described.effective_cpus >= 1
    assert described.memory_bytes > 2**30
    assert described.cpu
    assert socket.gethostname() not in repr(described)
