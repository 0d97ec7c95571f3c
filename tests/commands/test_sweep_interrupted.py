"""A sweep that Ctrl-C ends says how to go on, and the very words that it says do so."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from bench.commands.sweep import SweepAsked, sweep_models
from bench.errors import EXIT_INTERRUPTED
from bench.flags import Flags
from bench.progress import Silent
from command_fakes import Heard

NET = """
import keras

def build(units: int = 4) -> keras.Model:
    image = keras.Input((16,), name="image")
    return keras.Model(image, keras.layers.Dense(units, name="out")(image))
"""
SWEEP = ["bench", "sweep", "net.py:build", "--units", "4,8,16", "-e", "cpu", "--quick", "-x", "1", "-o"]
FOLDER = "a sweep"  # has to be quoted


def started(words: list[str], place: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.cli", *words[1:]]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_a_repetition(child: subprocess.Popen[str], folder: Path) -> None:
    while not any(folder.glob("journal/group-*")):
        assert child.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
def test_an_interrupted_sweep_goes_on_with_the_command_that_it_prints(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    child = started([*SWEEP, FOLDER], tmp_path)
    wait_for_a_repetition(child, tmp_path / FOLDER)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate()
    assert child.returncode == EXIT_INTERRUPTED
    kept = pd.read_parquet(tmp_path / FOLDER / "samples.parquet")
    (way_on,) = re.findall("go on with: (bench sweep --resume .*)", said)
    assert said.rstrip().endswith(way_on)  # the last word
    again = started(shlex.split(way_on), tmp_path)
    _, said = again.communicate()
    assert (again.returncode, "--resume" in said) == (0, False), said
    table = pd.read_parquet(tmp_path / FOLDER / "sweep.parquet")
    assert (list(table["units"]), set(table["status"]), set(table["repetitions"])) == ([4, 8, 16], {"ok"}, {3})
    whole = pd.read_parquet(tmp_path / FOLDER / "samples.parquet")
    assert kept.merge(whole).shape == kept.shape  # nothing that was measured was measured again
    assert len(whole) > len(kept) > 0


@pytest.mark.parametrize("begun", [True, False])
def test_a_way_on_is_told_only_where_something_was_begun(
    begun: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_suite(*_: object, **__: object) -> None:
        if begun:
            (tmp_path / "out" / "journal").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.pipeline.run_suite", run_suite)
    heard = Heard()
    asked = SweepAsked(swept=(("--alpha", "0.25,0.5"),), out=tmp_path / "out")
    flags = Flags(model=("mobilenet_v1",), runtime=("cpu",))
    with pytest.raises(KeyboardInterrupt):
        sweep_models(flags, asked, command="", console=heard.console, progress=Silent(), platform="linux")
    said = f"interrupted; go on with: bench sweep --resume {tmp_path}/out"
    assert (heard.err[-1] == said) is begun
    assert (tmp_path / "out").exists() is begun
