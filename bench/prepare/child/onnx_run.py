"""ONNX Runtime on its CPU provider: what loads a converted file, and, unoptimised, the truth of a bare one.

Runs in the child. No worker and no measurement goes through here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import onnxruntime as ort

from bench.errors import BenchError
from bench.prepare.child.reference import REJECTED, Arrays, Run

_IN_A_NODE = "Non-zero status code returned while running"  # the model's own failure, not one of how it was called
_LOCATION = re.compile(r"/onnxruntime_src/\S+ |Load model from \S+ failed: ?")


def open_as_deployed(model: Path | bytes) -> Run:
    """The file as its users will load it, with every optimisation: some files load only without."""
    return _open(model, "ENABLE_ALL")


def open_unoptimised(model: Path | bytes) -> Run:
    """The graph as it is written, its integer products exact on any processor.

    It raises BenchError for inputs that an operation of it rejects.
    """
    run = _open(model, "DISABLE_ALL", exact=True)

    def run_source(feed: Arrays) -> dict[str, Any]:
        try:
            return run(feed)
        except Exception as error:
            if _IN_A_NODE not in str(error):
                raise
            raise BenchError(REJECTED.format(load_error(error))) from error

    return run_source


def quiet_options(level: str) -> Any:
    """Session options of one level of optimisation (``"ENABLE_ALL"``); what goes wrong is raised, never printed."""
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_{level}")
    options.log_severity_level = 4
    return options


def open_session(model: Path | bytes, options: Any) -> Any:
    """On the CPU provider and no other."""
    source = model if isinstance(model, bytes) else str(model)
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    session.disable_fallback()
    return session


def _open(model: Path | bytes, level: str, *, exact: bool = False) -> Run:
    """A function from named arrays to named arrays, in the file's order of outputs."""
    options = quiet_options(level)
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = open_session(model, options)
    names = [output.name for output in session.get_outputs()]

    def run(feed: Arrays) -> dict[str, Any]:
        return dict(zip(names, session.run(names, dict(feed)), strict=True))

    return run


def load_error(error: Exception) -> str:
    """ONNX Runtime's message on one line, without places in its source or on this machine."""
    return " ".join(_LOCATION.sub("", str(error)).split())
