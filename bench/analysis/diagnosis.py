"""Why an output differs, as far as arrays alone can tell: cheap hypotheses, each with its evidence, the best first.

Words for a person behind a verdict that stands already; nothing here changes a verdict. A hypothesis that undoes a
fault holds where the relative error then is small (1e-2) and a tenth of what it was: a difference of rounding is
explained by none. What needs the model run again is tried by ``prepare/hypotheses.py``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.analysis.hypotheses import marks
from bench.analysis.hypotheses.arrangements import arrangements, orders_of_items, other_names
from bench.analysis.hypotheses.functions import functions
from bench.analysis.hypotheses.trial import error_of, in_float64, judge, ranked, shortened
from bench.records import Finding


def diagnose(truth: Mapping[str, Array], outputs: Mapping[str, Array]) -> dict[str, tuple[Finding, ...]]:
    """What explains each output that differs, by name; nothing where nothing does. Axis 0 is the items."""
    both = {name: explain(name, array, outputs) for name, array in truth.items() if name in outputs}
    return {name: findings for name, findings in both.items() if findings}


def likely_cause(name: str, truth: Array, outputs: Mapping[str, Array]) -> str:
    """A half sentence that begins with ``"; "``, or nothing."""
    findings = explain(name, truth, outputs)
    return f"; {findings[0].text}" if findings else ""


def explain(name: str, truth: Array, outputs: Mapping[str, Array]) -> tuple[Finding, ...]:
    """What explains the difference of one output, the best first; its shape may be another."""
    output = outputs[name]
    if truth.ndim < 1 or output.ndim < 1 or far.dtype_class(truth) != "float" or far.dtype_class(output) != "float":
        return ()
    before = error_of(truth, output)
    found = [judge(trial, before) for trial in (*other_names(name, truth, outputs), *orders_of_items(truth, output))]
    t, y = shortened(in_float64(truth)), shortened(in_float64(output))
    found += [judge(trial, before) for trial in arrangements(t, y)]
    if truth.shape == output.shape and truth.size:
        found += _of_values(t, y, before)
        found += marks.nonfinite(truth, output)
    return ranked(finding for finding in found if finding is not None)


def _of_values(truth: Array, output: Array, before: float | None) -> list[Finding | None]:
    if not np.isfinite(truth).all() or not np.isfinite(output).all():
        return []
    same = list(marks.constant(truth, output))
    if same:
        return [*same]
    return [
        *(judge(trial, before) for trial in functions(truth, output)),
        *marks.saturated(truth, output, before),
        *marks.rounded(truth, output),
    ]
