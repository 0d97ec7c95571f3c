"""A process's memory by the kernel's account (Linux): one meaning for every row.

``ru_maxrss`` of a child starts from its parent's peak, so the peak is ``VmHWM``, reset before the timed calls.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from bench.records import Memory

_KIB = 1024


def read_memory(process: Path = Path("/proc/self")) -> Memory:
    """Resident bytes, bytes that the process alone has written to, and peak resident bytes of one process."""
    status = _fields(process / "status")
    if "VmRSS" not in status:  # not Linux
        return Memory(rss_bytes=int(psutil.Process().memory_info().rss))
    rollup = _fields(process / "smaps_rollup")
    return Memory(
        rss_bytes=status["VmRSS"],
        private_bytes=rollup.get("Private_Dirty"),  # clean pages are a matter of who else maps the file
        peak_rss_bytes=status.get("VmHWM"),
    )


def reset_peak(process: Path = Path("/proc/self")) -> bool:
    """Set the peak back to what is resident now; False where the kernel does not let us."""
    try:
        (process / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _fields(path: Path) -> dict[str, int]:
    """The ``Name:  123 kB`` lines of a /proc file, in bytes."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            fields[name] = int(words[0]) * _KIB
    return fields
