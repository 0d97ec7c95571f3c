"""Outputs against the truth -> a verdict with one plain sentence for each output.

An output *agrees* iff its relative error (``distance.py``) is at most ``max(8 x yardstick, 5e-5)``. It is *vacuous*,
which is never a pass, iff the check could not have failed: the spread is 0, the tolerance exceeds a tenth of it, no
difference was seen but over fewer than 8 distinct inputs, nothing to compare, or NaN in the same places on both sides.
Else it *disagrees*. Names, shapes, kinds of values and non-finite entries come first, in this order, and disagree even
where the rest is vacuous.

A row in float16 or int8 has the budget of its precision instead: ``budget.py``.

Three rules of our own complete the contract's:
- The yardstick is never below one rounding of the truth's largest value to float32 (half a unit in the last place). So
  an output whose spread is only rounding noise (softmax of an untrained network: 1/1000 give or take 1e-10) is vacuous
  whatever yardstick was given: its spread must be at least 5e-6 of its largest value.
- Absolute differences up to 1e-38 never disagree: flushing to zero is no other function. They are vacuous where they
  exceed a tenth of the spread.
- Integers, booleans and strings have no distances: their relative error is the share of entries that are not equal,
  with tolerance 0, and their spread the share of elements that are not the same for every input. A user's tolerance
  applies to integers only by the output's own name: rtol 1e-3 must not let class 999 pass for class 1000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from bench.analysis import distance as far
from bench.analysis import rules
from bench.analysis.budget import Budget, check_by_budget
from bench.analysis.diagnosis import likely_cause
from bench.analysis.distance import Array
from bench.analysis.naming import name_problems
from bench.records import OutputCheck, Tolerance, Verdict
from bench.rows import Row

_SEVERITY: dict[Verdict, int] = {"agrees": 0, "unchecked": 1, "vacuous": 2, "disagrees": 3}


def check_outputs(
    truth: Mapping[str, Array],
    outputs: Mapping[str, Array],
    yardstick: Mapping[str, float | None],
    tolerance: Tolerance | None = None,
    *,
    budget: Budget | None = None,
    distinct_inputs: int | None = None,
    dtypes: Mapping[str, str] | None = None,
    names_flag: str = "--onnx-names",
) -> list[OutputCheck]:
    """One check for each output of either side, the truth's first, in its order.

    Arrays hold one row an input. ``distinct_inputs`` is how many of those inputs differ (``distance.distinct_items``);
    where it is None every row counts as one. ``dtypes`` are numpy's names of the model's own output types: a truth in
    float64 does not tell them. ``budget`` is that of a precision other than float32. ``names_flag`` is what would tell
    that the outputs are called otherwise.
    """
    problems = _dtype_problems(outputs, dtypes or {}) | name_problems(truth, outputs, names_flag)
    names = [*truth, *(name for name in outputs if name not in truth)]
    return [
        OutputCheck(output=name, verdict="disagrees", reason=problems[name])
        if name in problems
        else _counted(
            _check(name, truth[name], outputs, yardstick.get(name), tolerance or Tolerance(), distinct_inputs, budget),
            truth[name],
            outputs[name],
        )
        for name in names
    ]


def worst_check(checks: Sequence[OutputCheck]) -> OutputCheck | None:
    """The check that decides a case: by verdict, then by the share of its tolerance that it used; None for none."""
    return max(checks, key=badness, default=None)


def case_verdict(checks: Sequence[OutputCheck]) -> Verdict:
    """The worst verdict of a case's outputs; unchecked where none was looked at."""
    worst = worst_check(checks)
    return worst.verdict if worst else "unchecked"


def merge_checks(before: Sequence[OutputCheck], after: Sequence[OutputCheck]) -> list[OutputCheck]:
    """The worse of the checks before and after the timed calls, one an output; the reason says where they differ."""
    early = {check.output: check for check in before}
    late = {check.output: check for check in after}
    return [_worse(early.get(name), late.get(name)) for name in {**early, **late}]


def _dtype_problems(outputs: Mapping[str, Array], dtypes: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with an output's type, by output: a float16 for a float32 is another interface."""
    numeric = {name: array for name, array in outputs.items() if far.dtype_class(array) != "string"}
    return {
        name: f"dtype {array.dtype.name}, the model gives {dtypes[name]}"
        for name, array in numeric.items()
        if name in dtypes and array.dtype.name != dtypes[name]
    }


def _check(
    name: str,
    truth: Array,
    outputs: Mapping[str, Array],
    yardstick: float | None,
    allowed: Tolerance,
    distinct_inputs: int | None,
    budget: Budget | None,
) -> OutputCheck:
    output = outputs[name]
    problem = far.structural_problem(truth, output)
    if problem:
        reason = problem + likely_cause(name, truth, outputs)
        return OutputCheck(output=name, verdict="disagrees", reason=reason)
    if truth.size == 0:
        return OutputCheck(output=name, verdict="vacuous", reason=f"nothing to compare: its shape is {truth.shape}")
    rows = len(np.atleast_1d(truth))
    inputs = rows if distinct_inputs is None else min(rows, distinct_inputs)
    kind, limits = far.dtype_class(truth), _limits(name, allowed, exact=far.dtype_class(truth) == "integer")
    if budget is not None and limits is None and (kind == "float" or (budget.conversion and kind != "string")):
        return _by_budget(name, truth, outputs, budget, inputs)
    if kind in ("boolean", "string") or (kind == "integer" and limits is None):
        return rules.check_equal(name, truth, output, inputs)
    if far.nonfinite_count(truth) or far.nonfinite_count(output):
        return _explained(rules.check_nonfinite(name, truth, output), truth, outputs)
    if limits is None:
        check = rules.check_by_yardstick(name, truth, output, yardstick, inputs)
    else:
        check = rules.check_by_limits(name, truth, output, *limits, inputs)
    return check if check.verdict != "disagrees" else _explained(check, truth, outputs)


def _counted(check: OutputCheck, truth: Array, output: Array) -> OutputCheck:
    """The check with the denormal numbers of both sides, in the output's own type."""
    here, there = (far.denormal_count(array, like=output) for array in (output, truth))
    return msgspec.structs.replace(check, denormals=here, denormals_truth=there) if here or there else check


def _by_budget(name: str, truth: Array, outputs: Mapping[str, Array], budget: Budget, inputs: int) -> OutputCheck:
    output = outputs[name]
    if far.nonfinite_count(truth) or far.nonfinite_count(output):
        return _explained(rules.check_nonfinite(name, truth, output), truth, outputs)
    check = check_by_budget(name, truth, output, budget, inputs)
    is_runtimes = check.verdict == "disagrees" and (check.precision_error or 0.0) > (check.tolerance or 0.0)
    return _explained(check, truth, outputs) if is_runtimes else check


def _limits(name: str, allowed: Tolerance, *, exact: bool) -> tuple[float, float] | None:
    """The user's rtol and atol of an output; None where our own rule holds."""
    keys = (name,) if exact else (name, "")
    rtol = next((allowed.rtol[key] for key in keys if key in allowed.rtol), None)
    atol = next((allowed.atol[key] for key in keys if key in allowed.atol), None)
    return None if rtol is None and atol is None else (rtol or 0.0, atol or 0.0)


def _explained(check: OutputCheck, truth: Array, outputs: Mapping[str, Array]) -> OutputCheck:
    return msgspec.structs.replace(check, reason=check.reason + likely_cause(check.output, truth, outputs))


def judged_error(judged: OutputCheck | Row) -> float | None:
    """The error that its verdict is about: rms of float16 and int8, else the largest."""
    return judged.relative_error if judged.precision_error is None else judged.precision_error


def badness(check: OutputCheck) -> tuple[int, float]:
    """The worst check has the greatest: by the verdict, then by the share of the tolerance that is used."""
    error = judged_error(check)
    if error is None:
        return _SEVERITY[check.verdict], float("inf") if check.verdict == "disagrees" else 0.0
    return _SEVERITY[check.verdict], error / (check.tolerance or 1.0)


def _worse(early: OutputCheck | None, late: OutputCheck | None) -> OutputCheck:
    both = [check for check in (early, late) if check is not None]
    worst = max(both, key=badness)
    if early is None or late is None or early.verdict == late.verdict:
        return worst
    when, other = ("before", late) if worst is early else ("after", early)
    return msgspec.structs.replace(worst, reason=f"{worst.reason} ({when} the timed calls; {other.verdict} otherwise)")
