"""Which runtimes can be used on this machine: the parent's view, found in child processes and bounded in time.

The parent imports no runtime; each of our runtime modules gets a child of its own, all at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from bench.records import Probe
from bench.runtimes.entry import SYSTEM_NAMES
from bench.runtimes.table import RUNTIMES, canonical_name

TIME_LIMIT_S = 90.0  # of one child; importing TensorFlow from a cold disk takes a third of it

Finished = tuple[int | None, bytes, bytes]  # exit code, None after a time-out; standard output; standard error
Start = Callable[[Sequence[str]], Finished]


def probe_all(names: Sequence[str] | None = None, *, start: Start | None = None) -> list[Probe]:
    """State of each runtime (all of the table by default), in the order asked for.

    A probe that crashes or hangs is state ``broken`` with its reason; it never hides the others.
    """
    wanted = list(RUNTIMES) if names is None else [canonical_name(name) for name in names]
    groups: dict[str, list[str]] = {}
    found: dict[str, Probe] = {}
    for name in dict.fromkeys(wanted):
        if sys.platform in RUNTIMES[name].systems:
            groups.setdefault(RUNTIMES[name].module, []).append(name)
        else:
            found[name] = _other_system(name)
    with ThreadPoolExecutor(max_workers=max(len(groups), 1)) as pool:
        for probes in pool.map(lambda group: _probe_group(group, start or _start_child), groups.values()):
            found |= {probe.name: probe for probe in probes}
    return [found[name] for name in wanted]


def usable_runtimes() -> tuple[str, ...]:
    """What ``-e all`` stands for: every runtime whose probe says usable, in the table's order."""
    return tuple(probe.name for probe in probe_all() if probe.state == "usable")


def _probe_group(names: Sequence[str], start: Start) -> list[Probe]:
    """Answers of one child; after a crash the next child goes on with the names behind the one that crashed."""
    answers: list[Probe] = []
    while len(answers) < len(names):
        exit_code, out, err = start(names[len(answers) :])
        told = [msgspec.json.decode(line, type=Probe) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        answers += told
        if len(answers) < len(names):
            answers.append(_broken(names[len(answers)], exit_code, err))
    return answers


def _start_child(names: Sequence[str]) -> Finished:
    command = [sys.executable, "-P", "-m", "bench.runtimes.probe_child", *names]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
    )
    with child:
        try:
            out, err = child.communicate(timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            return None, out, err
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return child.returncode, out, err


def _broken(name: str, exit_code: int | None, err: bytes) -> Probe:
    entry = RUNTIMES[name]
    return Probe(name=name, state="broken", detail=_why(exit_code, err), install=entry.install)


def _why(exit_code: int | None, err: bytes) -> str:
    lines = [line.strip() for line in err.decode(errors="replace").splitlines() if line.strip()]
    last = f": {lines[-1]}" if lines else ""
    if exit_code is None:
        return f"its probe did not end within {TIME_LIMIT_S:g} s{last}"
    if exit_code < 0:
        return f"its probe was ended by {_signal_name(-exit_code)}{last}"
    return f"its probe ended with exit code {exit_code}{last}"


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"


def _other_system(name: str) -> Probe:
    here = SYSTEM_NAMES.get(sys.platform, sys.platform)
    where = ", ".join(SYSTEM_NAMES[system] for system in RUNTIMES[name].systems)
    return Probe(name=name, state="other system", detail=f"not on {here}, only on {where}")
