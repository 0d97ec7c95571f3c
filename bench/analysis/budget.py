"""What a float16 or int8 row is allowed: the budget of its precision. Pure.

A row in float32 has the contract's rule. A row in fewer bits is judged by its precision error (``noise.py``: rms over
the spread, 1 is a constant answer) in two steps, so that a bad file and a bad runtime are told apart:
- the file itself, run exactly, must be within the budget of its precision: 0.1 for float16, 0.8 for int8;
- the runtime's outputs must be within a multiple of the file's own error (3 for float16, 1.5 for int8), or a floor,
  whichever is more, and 0.9 at most.
A row that is within its tolerance and yet more than 0.25 of the spread off is *vacuous*: there a right answer cannot be
told from that of a kernel that is wrong by a tenth. It is not called wrong, and it cannot win.
A runtime that computes in float16 by a switch of its own has no such file: the budget itself is its tolerance. So has
a file that came quantised, whose truth is itself, run exactly: kernels round it in other places.

Measured (``benchmarks/precision_budget.py``): right float16 files 1e-5 to 0.04, right int8 files 0.05 to 0.74; right
kernels on them up to 2.2 times the file's own error in float16 (which is lucky where it is small), 1.2 times in int8;
channels in another order at least 1.1, a bias dropped at least 0.98, a kernel times 1.1 from 0.2 on. Right int8 files
of MobileNetV1 with the zoo's weights are 0.51 to 0.65 off, and half of their items have another class on top.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bench.analysis import distance as far
from bench.analysis import rules
from bench.analysis.distance import Array, Distance
from bench.analysis.noise import precision_error
from bench.analysis.rules import LEAST_INPUTS, too_few
from bench.records import Artifact, Case, OutputCheck, Precision, Prepared, Record, Verdict
from bench.runtimes.table import RUNTIMES, artifact_needed

GREATEST = 0.9  # of the spread: a constant answer is 1 off
TELLING = 0.25  # of the spread: beyond it a right answer is not told from a wrong one
TOLD = 0.1  # a file that is so far off is worth a word, though its row agrees


class Limits(Record, frozen=True):
    """Of a precision."""

    multiple: float  # of the file's own error: other kernels round in other places
    floor: float  # a runtime may always be so far off
    budget: float  # the file may be so far off


LIMITS: dict[Precision, Limits] = {
    "float16": Limits(multiple=3.0, floor=0.02, budget=0.1),
    "int8": Limits(multiple=1.5, floor=0.05, budget=0.8),
}


class Budget(Record, frozen=True):
    """What one case is judged by."""

    precision: Precision
    conversion: Mapping[str, float | None] | None  # the file's own error by output; None: the runtime switched itself


def artifact_of(case: Case, prepared: Prepared) -> Artifact | None:
    """What the case's runtime loads; None where there is none, or for a runtime that this version does not know."""
    if case.runtime.name not in RUNTIMES:
        return None
    return prepared.artifacts.get(artifact_needed(case.runtime.name, case.runtime.options))


def budget_of(case: Case, artifact: Artifact | None) -> Budget | None:
    """The case's budget; None for one in float32, unless its file came quantised: then its truth is that file."""
    if case.precision == "float32":
        is_quantised = artifact is not None and artifact.has_integer_products
        return Budget(precision="int8", conversion=None) if is_quantised else None
    is_converted = artifact is not None and artifact.precision == case.precision
    return Budget(precision=case.precision, conversion=artifact.conversion_error if is_converted and artifact else None)


def check_by_budget(name: str, truth: Array, output: Array, budget: Budget, inputs: int) -> OutputCheck:
    """Numbers by the budget of the precision; ``inputs`` is how many of them differ."""
    error = precision_error(truth, output)
    own = budget.conversion.get(name) if budget.conversion is not None else None
    tolerance = _tolerance(budget, own)
    measured = _measured(truth, output)
    verdict, reason = _judged(budget, own, error, tolerance, _is_vacuous(measured), inputs)
    tops = rules.tops(truth, output, 0.0)
    top1 = tops["top1_agreement"]
    check = OutputCheck(
        output=name,
        verdict=verdict,
        reason=reason if top1 is None else f"{reason}; {top1:.0%} of items have the same class on top",
        relative_error=measured.relative_error if measured else error,
        precision_error=error,
        conversion_error=own,
        tolerance=tolerance,
        spread=far.varying_share(truth),
    )
    numbers = rules.numbers_of(measured) if measured else {}
    return msgspec.structs.replace(check, **tops, **numbers)


def _tolerance(budget: Budget, own: float | None) -> float:
    limits = LIMITS[budget.precision]
    return limits.budget if own is None else min(max(limits.multiple * own, limits.floor), GREATEST)


def _measured(truth: Array, output: Array) -> Distance | None:
    return far.distance(truth, output) if far.dtype_class(truth) in ("float", "complex") else None


def _is_vacuous(measured: Distance | None) -> bool:
    """Whether the truth varies over inputs by no more than what float32's own rounding explains."""
    if measured is None:
        return False
    least = far.YARDSTICKS * measured.rounding
    return not measured.spread > 0 or least / measured.spread > far.GREATEST_TOLERANCE


def _judged(
    budget: Budget, own: float | None, error: float | None, tolerance: float, vacuous: bool, inputs: int
) -> tuple[Verdict, str]:
    limits, kind = LIMITS[budget.precision], budget.precision
    if error is None or vacuous:
        return "vacuous", "the truth hardly varies over inputs"
    if own is not None and own > limits.budget:
        text = f"the {kind} file itself is {own:.2g} of the spread off (rms), the budget of {kind} is {limits.budget:g}"
        return "disagrees", text
    allowed = _allowed(budget, own, tolerance)
    if error > tolerance:
        return "disagrees", f"precision error {error:.2g} (rms) exceeds {allowed}"
    if inputs < LEAST_INPUTS:
        return "vacuous", too_few(inputs)
    if max(error, own or 0.0) > TELLING:
        lost = f"{kind} loses so much here that right cannot be told from wrong: precision error {error:.2g} (rms)"
        return "vacuous", f"{lost}{'' if own is None else f', the file itself {own:.2g}'}, a constant answer has 1"
    return "agrees", f"precision error {error:.2g} (rms) is within {allowed}"


def _allowed(budget: Budget, own: float | None, tolerance: float) -> str:
    """The tolerance and where it is from."""
    if own is None:
        return f"{tolerance:.2g}, the budget of {budget.precision}"
    if tolerance == LIMITS[budget.precision].floor:
        return f"{tolerance:.2g}, the least that {budget.precision} is allowed"
    return f"{tolerance:.2g}, what {budget.precision} is allowed where the file itself is {own:.2g} off"
