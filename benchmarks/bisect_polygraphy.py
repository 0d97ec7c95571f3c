"""What Polygraphy names on the files of ``bisect_faults.py``: mark-all, and ``debug reduce`` in bisect mode.

It has no Keras truth: ``good.onnx``, the right export of the same model, stands for it, which nobody has whose export
is wrong. It runs in an environment of its own, made with uv.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.environments.uv import last_words, run_uv

PACKAGES = ("polygraphy==0.53.6", "onnx-graphsurgeon==0.6.1", "onnx==1.23.2", "onnxruntime==1.32.0", "sympy", "numpy")
TOLERANCE = ("--rtol", "1e-3", "--atol", "1e-3")  # its default, 1e-5, is beyond what fusing changes
_FAILED = re.compile(r"FAILED \| Output: '([^']+)'")
_TIME_LIMIT_S = 900
_NAMES = "import json, onnx, sys; print(json.dumps([n.name for n in onnx.load(sys.argv[1]).graph.node]))"


class Named(msgspec.Struct):
    """What a way of looking came to, and what it took."""

    layers: tuple[str, ...]  # that the tensor or the nodes named belong to; none where no layer's name is in theirs
    seconds: float
    cpu_seconds: float
    note: str = ""


def make_environment(folder: Path) -> Path:
    """The folder of the programs of a new environment in ``folder``."""
    programs = folder / "bin"
    install = ["pip", "install", "--only-binary", ":all:", "--python", str(programs / "python"), *PACKAGES]
    for arguments in (["venv", "--python", sys.executable, str(folder)], install):
        done = run_uv(arguments, limit_s=_TIME_LIMIT_S)
        if done.exit_code != 0:
            raise SystemExit(f"making an environment for Polygraphy: {last_words(done, _TIME_LIMIT_S)}")
    return programs


def mark_all(programs: Path, folder: Path, layers: Sequence[str]) -> Named:
    """The first tensor that differs, every tensor of both files an output. Both runs count."""
    timer = Timer()
    work = folder / "polygraphy"
    work.mkdir(exist_ok=True)
    run: list[str | Path] = [programs / "polygraphy", "run"]
    marked = ["--onnxrt", "--onnx-outputs", "mark", "all"]
    golden: list[str | Path] = ["--save-inputs", work / "inputs.json", "--save-outputs", work / "golden.json"]
    stored: list[str | Path] = ["--load-inputs", work / "inputs.json", "--load-outputs", work / "golden.json"]
    said = _call([*run, folder / "good.onnx", *marked, *golden])
    said = _call([*run, folder / "faulty.onnx", *marked, *stored, *TOLERANCE])
    found = _FAILED.findall(said)
    return timer.named(_layers_of(found[:1], layers), "" if found else "nothing differs")


def debug_reduce(programs: Path, folder: Path, layers: Sequence[str]) -> Named:
    """The layers of the nodes that ``debug reduce --mode=bisect`` is left with.

    After ``mark_all``, whose golden outputs it uses: its own time counts alone.
    """
    timer = Timer()
    work, program = folder / "polygraphy", programs / "polygraphy"
    inputs, reduced = work / "layerwise.json", work / "reduced.onnx"
    _call([program, "data", "merge", work / "inputs.json", work / "golden.json", "-o", inputs])
    check: list[str | Path] = [program, "run", "polygraphy_debug.onnx", "--onnxrt", "--load-inputs", inputs]
    check += ["--load-outputs", work / "golden.json", *TOLERANCE]
    command: list[str | Path] = [program, "debug", "reduce", folder / "faulty.onnx", "-o", reduced, "--mode=bisect"]
    said = _call([*command, "--load-inputs", inputs, "--check", *check], cwd=work)
    if not reduced.is_file():
        return timer.named((), said.strip().splitlines()[-1][:120] if said.strip() else "nothing was written")
    nodes = json.loads(_call([programs / "python", "-c", _NAMES, reduced]))
    tries = len(re.findall(r"(?:PASSED|FAILED) \| Iteration", said))
    return timer.named(_layers_of(nodes, layers), f"{len(nodes)} nodes left, {tries} runs")


class Timer:
    """Seconds on the clock and of the processors, children included, since it was made."""

    def __init__(self) -> None:
        self._start, self._cpu = time.monotonic(), _cpu_seconds()

    def named(self, layers: Sequence[str], note: str = "") -> Named:
        """The answer with what it took."""
        seconds, cpu = time.monotonic() - self._start, _cpu_seconds() - self._cpu
        return Named(tuple(layers), round(seconds, 1), round(cpu, 1), note)


def _layers_of(names: Sequence[str], layers: Sequence[str]) -> tuple[str, ...]:
    """The model's layers whose names are in those of nodes or tensors; Keras appends a number to a name in use."""
    own = {way: re.compile(rf"(?:^|/){re.escape(way.rsplit('/', 1)[-1])}(?:_\d+)?(?:/|:|$)") for way in layers}
    found = (max((way for way in own if own[way].search(name)), key=len, default=None) for name in names)
    return tuple(dict.fromkeys(way for way in found if way is not None))


def _call(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """What it printed, however it ended."""
    environment = {**os.environ, "POLYGRAPHY_AUTOINSTALL_DEPS": "0", "ORT_DISABLE_TELEMETRY": "1"}
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"took more than {_TIME_LIMIT_S} s"
    return done.stdout


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
