"""A compiled module for IREE: made by ``iree_build`` in a child process, or found in a folder that keeps them.

Imports no runtime; the child is started by the interpreter that this runs in, so by that of IREE's environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from bench.errors import UnsupportedError
from bench.records import BuildCache, SessionSettings

_SCRIPT = Path(__file__).with_name("iree_build.py")
_ERROR = re.compile(r"error: (.*)")
_OPERATOR = re.compile(r"onnx\.(\w+)")


class Built(msgspec.Struct, frozen=True):
    """A module in a file, and how its function is called."""

    file: Path
    function: str
    inputs: dict[str, str]  # name -> numpy's type, in the order in which the function takes them
    outputs: dict[str, str]  # likewise, as it gives them
    build_ns: int  # what making it took, or finding it
    cache: BuildCache | None


def flags(chosen: Mapping[str, str]) -> list[str]:
    """What the compiler is told, nothing left to its defaults that would change a number."""
    return [
        "--iree-llvmcpu-target-cpu=host",  # its default is a processor of no features
        f"--iree-opt-level={chosen['optimization']}",
        "--iree-input-demote-f64-to-f32=false",  # on by default
    ]


def build(path: Path, digest: str, settings: SessionSettings, chosen: Mapping[str, str], folder: Path) -> Built:
    """The module for these shapes, from ``folder`` where it has it; UnsupportedError that names what IREE cannot do."""
    start = time.perf_counter_ns()
    shapes = {tensor.name: list(tensor.shape) for tensor in settings.inputs}
    target = folder / f"{_key(digest, shapes, flags(chosen))}.vmfb"
    notes = target.with_suffix(".json")
    cache: BuildCache | None = None if settings.cache is None else "hit" if notes.is_file() else "miss"
    if cache != "hit":
        folder.mkdir(parents=True, exist_ok=True)
        _compile(path, target, notes, shapes, flags(chosen))
    told: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
    return Built(
        file=target,
        function=told["function"],
        inputs=dict(told["inputs"]),
        outputs=dict(told["outputs"]),
        build_ns=time.perf_counter_ns() - start,
        cache=cache,
    )


def told_in_one_line(stderr: str, path: Path) -> str:
    """What the child's complaint means: the operators that the compiler did not take, else its last line."""
    errors = [found for line in stderr.splitlines() if (found := _ERROR.search(line))]
    operators = sorted({name for found in errors for name in _OPERATOR.findall(found[1])})
    if operators:
        return f"compiling {path.name}: IREE cannot compile the operators {', '.join(operators)}"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = errors[0][1] if errors else (lines[-1] if lines else "the compiler ended without a word")
    return f"compiling {path.name}: {told}"


def _compile(path: Path, target: Path, notes: Path, shapes: dict[str, Any], flags_: list[str]) -> None:
    """Both files, each renamed into place when it is whole; the notes last, so that they stand for both."""
    mine = target.with_name(f"{os.getpid()}-{target.name}")
    request = {"source": str(path), "target": str(mine), "shapes": shapes, "flags": flags_}
    command = [sys.executable, "-I", str(_SCRIPT), json.dumps(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # the worker's own limit bounds it
    if done.returncode != 0:
        mine.unlink(missing_ok=True)
        raise UnsupportedError(told_in_one_line(done.stderr, path))
    mine.replace(target)
    half = notes.with_name(f"{os.getpid()}-{notes.name}")
    half.write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    half.replace(notes)


def _key(digest: str, shapes: dict[str, Any], flags_: list[str]) -> str:
    """Of all that the module depends on; the processor too, because a kept one may come to another machine."""
    parts = [digest, shapes, flags_, metadata.version("iree-base-compiler"), _processor()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else [platform.processor()]
    told = [line for line in lines if line.startswith(("model name", "flags", "Features"))]
    return " ".join(sorted(set(told))) or platform.machine()
