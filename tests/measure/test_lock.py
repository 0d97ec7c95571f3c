from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure.lock import machine_lock

HOLD = """
import sys
from pathlib import Path
from bench.measure.lock import machine_lock
with machine_lock(print, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
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


def test_nobody_waits_for_a_free_lock(tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        with machine_lock(said.append, tmp_path / "lock"):
            pass
    assert said == []
