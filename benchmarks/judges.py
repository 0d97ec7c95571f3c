"""Other ways to say whether a file is right, each as its users have it: Polygraphy's defaults, ``allclose``, cosine.

All compare with TensorFlow's float32 outputs. Polygraphy is the real one, in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.environments.pinned import pinned_environment
from bench.errors import BenchError

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

POLYGRAPHY = "polygraphy==0.53.6"
LIMITS = (1e-5, 1e-3)  # of allclose
COSINE = 0.997  # a threshold of converters' own tests
JUDGES = (
    "Polygraphy's defaults",
    *(f"allclose {limit:.0e}".replace("e-0", "e-") for limit in LIMITS),
    f"cosine {COSINE}",
)
_TIME_LIMIT_S = 600.0


def passes(truth: Arrays, files: Sequence[Arrays]) -> list[tuple[bool, ...]]:
    """What each of ``JUDGES`` says of each file."""
    return [
        (one, *(passes_allclose(truth, outputs, limit) for limit in LIMITS), passes_cosine(truth, outputs))
        for one, outputs in zip(polygraphy_passes(truth, files), files, strict=True)
    ]


def polygraphy_passes(truth: Arrays, files: Sequence[Arrays]) -> list[bool]:
    """The answers of polygraphy's own comparison, a process for all files."""
    environment = pinned_environment([POLYGRAPHY], like={}, on_stage=lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        for name, arrays in {"truth": truth, **{str(n): outputs for n, outputs in enumerate(files)}}.items():
            np.savez(Path(folder) / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        judge = Path(__file__).with_name("polygraphy_judge.py")
        command = [str(Path(environment.prefix) / "bin" / "python"), "-I", str(judge), folder]
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIME_LIMIT_S)
    if finished.returncode:
        raise BenchError(f"judging with {POLYGRAPHY}: it ended with {finished.returncode}: {finished.stderr[-500:]}")
    answers = json.loads(finished.stdout)
    return [bool(answer) for answer in answers]


def passes_allclose(truth: Arrays, outputs: Arrays, limit: float) -> bool:
    """The usual check: in order, ``zip`` and ``allclose``, an exception being a failure."""
    pairs = zip(truth.values(), outputs.values())  # noqa: B905 - that a missing output goes unseen is the point
    try:
        return all(np.allclose(t.astype(np.float32), y, rtol=limit, atol=limit) for t, y in pairs)
    except ValueError:  # shapes that do not broadcast
        return False


def passes_cosine(truth: Arrays, outputs: Arrays) -> bool:
    """Cosine similarity of the flattened outputs, in order, an exception being a failure."""
    pairs = zip(truth.values(), outputs.values())  # noqa: B905 - as above
    try:
        return all(_cosine(t, y) >= COSINE for t, y in pairs)
    except ValueError:
        return False


def _cosine(truth: Array, output: Array) -> float:
    t, y = truth.astype(np.float64).ravel(), output.astype(np.float64).ravel()
    norms = float(np.linalg.norm(t)) * float(np.linalg.norm(y))
    return float(np.dot(t, y)) / norms if norms > 0 else float("nan")
