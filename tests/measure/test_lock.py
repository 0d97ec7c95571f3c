from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.measure.lock import machine_lock

HOLD = """
import sys
from pathlib import Path
from bench.measure.lock import machine_lock
with machine_lock(print, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""

HOLD_AGAIN = """
import sys, time
from pathlib import Path
from bench.measure.lock import machine_lock
for _ in range(60):
    with machine_lock(print, Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(0.05)
"""


def test_a_second_run_says_that_it_waits_and_goes_on_when_the_first_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    said: list[str] = []
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    def on_wait(text: str) -> None:
        said.append(text)
        holder.kill()  # however the holder ends, the lock is free

    with machine_lock(on_wait, path):
        assert len(said) == 1
        assert "waiting" in said[0]
    holder.wait()


def test_who_takes_it_again_and_again_lets_a_waiting_run_in_between(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD_AGAIN, path], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with machine_lock(lambda _: None, path):
        holder.kill()
        later = holder.stdout.read().split().count("held")
    holder.wait()
    assert later < 10


def test_nobody_waits_for_a_free_lock(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with machine_lock(said.append, tmp_path / "lock"):
            pass
    assert said == []


def test_a_lock_that_cannot_be_opened_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "lock"
    with pytest.raises(UsageError, match=rf"{path} can't be opened: Not a directory; make it readable"):
        machine_lock(print, path).__enter__()
    unreadable = tmp_path / "lock"
    unreadable.symlink_to(unreadable)  # a right taken away would not stop root
    with pytest.raises(UsageError, match=rf"{unreadable} can't be opened: "):
        machine_lock(print, unreadable).__enter__()
