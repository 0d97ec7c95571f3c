"""Polygraphy's own comparison with its defaults. Runs in an environment that has polygraphy, and nothing of ours.

``python polygraphy_judge.py FOLDER`` compares ``truth.npz`` with ``0.npz``, ``1.npz``, ... and prints a JSON list of
whether each passes, in order; an exception is a failure.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def results(name: str, outputs: dict[str, Any]) -> Any:
    """What polygraphy compares: one iteration of one runner."""
    from polygraphy.comparator import IterationResult, RunResults  # type: ignore[import-not-found]

    run = RunResults()
    run.add([IterationResult(outputs, runtime=0.0, runner_name=name)], runner_name=name)
    return run


def passes(truth: dict[str, Any], outputs: dict[str, Any]) -> bool:
    """Whether ``Comparator.compare_accuracy`` with its default ``CompareFunc.simple()`` finds no difference."""
    from polygraphy.comparator import Comparator

    both = results("tensorflow", truth)
    both.extend(results("onnx", outputs))
    try:
        return bool(Comparator.compare_accuracy(both))
    except Exception:  # whatever it raises, its user does not see a pass
        return False


def read(path: Path) -> dict[str, Any]:
    """Arrays by name."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def main(folder: Path) -> list[bool]:
    """One answer a file."""
    truth = read(folder / "truth.npz")
    files = sorted((path for path in folder.glob("*.npz") if path.stem.isdigit()), key=lambda path: int(path.stem))
    with contextlib.redirect_stdout(io.StringIO()):  # polygraphy tells at length
        return [passes(truth, read(path)) for path in files]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
