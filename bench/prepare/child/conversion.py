"""How far a converted file is from the truth when it is run exactly: its own error, no runtime's. In the child."""

from __future__ import annotations

from bench.analysis.noise import precision_error
from bench.prepare.arrays import load_arrays
from bench.prepare.child.reference import Arrays
from bench.records import Prepared


def conversion_errors(prepared: Prepared, outputs: Arrays) -> dict[str, float | None]:
    """The precision error of every output of the model; None where it can't be told."""
    truth = load_arrays(prepared.truth_file)
    return {name: precision_error(rows, outputs[name]) if name in outputs else None for name, rows in truth.items()}
