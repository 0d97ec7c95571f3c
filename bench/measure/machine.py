"""What the numbers depend on: CPUs that we may use, memory, and who else is busy (Linux)."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.records import Machine, RoundState

CGROUP_ROOT = Path("/sys/fs/cgroup")
SELF_CGROUP = Path("/proc/self/cgroup")
CPU_ROOT = Path("/sys/devices/system/cpu")
DISTURBED_CPUS = 0.3  # a round is flagged when others keep so many CPUs busy
DISTURBED_ROOM = 0.5  # or so large a part of those that we leave free, if that is more
DISTURBED_STEAL = 0.05
WINDOW_NS = 400_000_000  # /proc counts in 10 ms: shorter rounds share a window
_V1_MEMORY = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_ISA = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16",
    "avx512_fp16", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve",
)  # fmt: skip


def effective_cpus(root: Path = CGROUP_ROOT, membership: Path = SELF_CGROUP) -> int:
    """The least of CPU affinity and cgroup quota (v1 or v2), whole CPUs, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cpu_quota(root, membership)
    return max(1, affinity if quota is None else min(affinity, int(quota)))


def available_bytes(root: Path = CGROUP_ROOT, membership: Path = SELF_CGROUP) -> int:
    """Memory that new processes can take: the least of the machine's and the cgroup's (v1 or v2).

    Page cache that the kernel would give back counts as free.
    """
    free = int(psutil.virtual_memory().available)
    for folder in _cgroup_folders(root, membership, "memory"):
        for limit_file, used_file in (("memory.max", "memory.current"), _V1_MEMORY):
            limit, used = _read_int(folder / limit_file), _read_int(folder / used_file)
            if limit is not None and used is not None:
                free = min(free, max(0, limit - used + _inactive_file(folder)))
    return free


def last_caches_bytes(threads: int, root: Path = CPU_ROOT) -> int:
    """The last caches that so many threads can fill on the CPUs that we may use, together; 0 where none is told."""
    sizes: dict[str, int] = {}  # by the CPUs that share it
    for cpu in os.sched_getaffinity(0):
        caches = list((root / f"cpu{cpu}" / "cache").glob("index*"))
        if caches:
            last = max(caches, key=lambda cache: _read_int(cache / "level") or 0)
            size = "".join(_read_words(last / "size")).removesuffix("K")  # "32768K"
            sizes["".join(_read_words(last / "shared_cpu_list"))] = int(size) << 10 if size.isdigit() else 0
    return sum(sorted(sizes.values())[-threads:])


@functools.cache
def describe_machine() -> Machine:
    """The machine by fields that do not jitter: no frequency, no load, no host name."""
    import cpuinfo  # pytest-benchmark brings it; slow to import

    info = cpuinfo.get_cpu_info()
    flags = set(info.get("flags", ()))
    return Machine(
        cpu=str(info.get("brand_raw") or platform.machine()),
        isa=tuple(name for name in _ISA if name in flags),
        logical_cpus=os.cpu_count() or 1,
        effective_cpus=effective_cpus(),
        memory_bytes=int(psutil.virtual_memory().total),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def oom_kills() -> int:
    """Processes that the kernel has killed for memory since it started, as far as it tells."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


class MachineWatch:
    """Tells for each round who else used the CPUs; one window spans as many rounds as make 0.4 s."""

    def __init__(self, pids: Sequence[int], threads: int) -> None:
        """``pids`` are our workers, of which one at a time runs ``threads`` threads."""
        self._pids = pids
        room = (effective_cpus() - threads) * DISTURBED_ROOM
        self._limit = max(DISTURBED_CPUS, room)
        self._start = _snapshot(pids)
        self._open: list[tuple[int, int]] = []
        self.states: list[RoundState] = []

    def end_round(self, number: int, wall_ns: int) -> None:
        """A round is over; close the window when it is long enough to be counted."""
        self._open.append((number, wall_ns))
        if time.monotonic_ns() - self._start.at_ns >= WINDOW_NS:
            self.finish()

    def finish(self) -> None:
        """Close the window in hand: its figures go to each of its rounds."""
        if not self._open:
            return
        now = _snapshot(self._pids)
        foreign, steal = busy_shares(self._start, now)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        frequency = psutil.cpu_freq()
        for number, wall_ns in self._open:
            self.states.append(
                RoundState(
                    round=number,
                    wall_ns=wall_ns,
                    load_1min=load,
                    steal_share=steal,
                    foreign_cpus=foreign,
                    frequency_mhz=frequency.current if frequency else None,
                    disturbed=(foreign or 0) > self._limit or (steal or 0) > DISTURBED_STEAL,
                )
            )
        self._open = []
        self._start = now


class Snapshot:
    """CPU seconds since boot: of the CPUs that we may use, stolen from them, and of our own processes."""

    def __init__(self, at_ns: int, busy: float, steal: float, total: float, own: float) -> None:
        self.at_ns = at_ns
        self.busy = busy
        self.steal = steal
        self.total = total
        self.own = own


def busy_shares(before: Snapshot, after: Snapshot) -> tuple[float | None, float | None]:
    """CPUs kept busy by others, and the share of CPU time that was stolen, between two snapshots."""
    wall = (after.at_ns - before.at_ns) / 1e9
    total = after.total - before.total
    if wall <= 0 or total <= 0:
        return None, None
    foreign = max(0.0, (after.busy - before.busy) - (after.own - before.own)) / wall
    return foreign, max(0.0, after.steal - before.steal) / total


def _snapshot(pids: Sequence[int]) -> Snapshot:
    usable = os.sched_getaffinity(0)
    cpus = [times for cpu, times in enumerate(psutil.cpu_times(percpu=True)) if cpu in usable]
    steal = sum(getattr(times, "steal", 0.0) for times in cpus)
    idle = sum(times.idle + getattr(times, "iowait", 0.0) for times in cpus)
    total = sum(sum(times[:8]) for times in cpus)  # guest time is part of user time
    own = 0.0
    for pid in (os.getpid(), *pids):
        try:
            spent = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue
        own += spent.user + spent.system
    return Snapshot(time.monotonic_ns(), total - idle - steal, steal, total, own)


def _cpu_quota(root: Path, membership: Path) -> float | None:
    """CPUs that the cgroup and its ancestors allow, or None without a limit."""
    quotas = []
    for folder in _cgroup_folders(root, membership, "cpu"):
        words = _read_words(folder / "cpu.max")
        if len(words) == 2 and words[0] != "max":
            quotas.append(int(words[0]) / int(words[1]))
        quota, period = _read_int(folder / "cpu.cfs_quota_us"), _read_int(folder / "cpu.cfs_period_us")
        if quota is not None and quota > 0 and period:
            quotas.append(quota / period)
    return min(quotas) if quotas else None


def _cgroup_folders(root: Path, membership: Path, controller: str) -> list[Path]:
    """The process's cgroup folders for a controller, v1 and v2, each with its ancestors up to the mount."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    folders = [root, root / controller]
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controllers if controllers else root
        parts = [part for part in place.split("/") if part not in ("", "..")]
        folders += [base.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    return folders


def _inactive_file(folder: Path) -> int:
    """Bytes of page cache in a cgroup that are given back when needed."""
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    fields = dict(line.split(" ", 1) for line in lines if " " in line)
    return int(fields.get("total_inactive_file", fields.get("inactive_file", "0")))


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _read_int(path: Path) -> int | None:
    words = _read_words(path)
    return int(words[0]) if words and words[0].lstrip("-").isdigit() else None
