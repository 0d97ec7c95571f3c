"""The rules that turn the distance of one output into a verdict; ``agreement.py`` says which one applies.

Each takes two arrays of one shape and kind. Fewer than 8 distinct inputs never agree: they turn a pass into vacuous,
but leave a difference a difference.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from bench.analysis import distance as far
from bench.analysis.distance import GREATEST_TOLERANCE, LEAST_TOLERANCE, YARDSTICKS, Array, Distance
from bench.records import OutputCheck, Verdict

LEAST_INPUTS = 8


def check_by_yardstick(name: str, truth: Array, output: Array, yardstick: float | None, inputs: int) -> OutputCheck:
    """Numbers by our own rule: the relative error is at most ``max(8 x yardstick, 5e-5)``."""
    measured = far.distance(truth, output)
    error, spread = measured.relative_error, measured.spread
    if error is None:
        return _numbered(name, "vacuous", f"the truth is the same for every input; {_largest(measured)}", measured)
    given = math.inf if yardstick is not None and not math.isfinite(yardstick) else yardstick or 0.0
    least = max(given, measured.rounding / spread)
    tolerance = _tolerance(least, measured)
    check = _numbered(name, *_judged(tolerance, measured, inputs), measured)
    return msgspec.structs.replace(
        check,
        tolerance=tolerance if math.isfinite(tolerance) else None,
        yardstick=least if math.isfinite(least) else None,
        **tops(truth, output, 2 * min(tolerance, GREATEST_TOLERANCE) * spread),
    )


def check_by_limits(name: str, truth: Array, output: Array, rtol: float, atol: float, inputs: int) -> OutputCheck:
    """Numbers by the user's rule: everywhere ``|y - truth| <= atol + rtol * |truth|``.

    Vacuous iff the spread is within the rms of what is allowed: exactly then an answer that is the same for every input
    could pass. ``tolerance`` stays None: one number can't say it.
    """
    measured = far.distance(truth, output)
    t, y = far.as_float64(truth), far.as_float64(output)
    allowed = np.maximum(atol + rtol * np.abs(t), far.DENORMAL)
    wrong = int(np.count_nonzero(~(np.abs(y - t) <= allowed)))
    rule = f"atol {atol:g} + rtol {rtol:g}"
    verdict: Verdict
    if not measured.spread > float(np.sqrt(np.mean(np.square(allowed)))):
        verdict, reason = (
            "vacuous",
            f"{rule} allows all of the truth's spread over inputs ({measured.spread:.2g}): lower it",
        )
    elif wrong:
        verdict, reason = (
            "disagrees",
            f"{wrong} of {t.size} entries are not within {rule}, {_at(measured)}",
        )
    elif inputs < LEAST_INPUTS:
        verdict, reason = "vacuous", too_few(inputs)
    else:
        verdict, reason = "agrees", f"every entry is within {rule}"
    return msgspec.structs.replace(_numbered(name, verdict, reason, measured), **tops(truth, output, 0.0))


def check_equal(name: str, truth: Array, output: Array, inputs: int) -> OutputCheck:
    """Integers, booleans and strings: every entry is equal."""
    differs, varying = far.differing(truth, output), far.varying_share(truth)
    wrong = int(np.count_nonzero(differs))
    verdict: Verdict
    if varying == 0:
        verdict, reason = "vacuous", f"the truth is the same for every input; {wrong} of {truth.size} entries differ"
    elif wrong:
        worst = tuple(int(i) for i in np.argwhere(differs)[0])
        seen = f"{output[worst]!s} where {truth[worst]!s} was expected"
        verdict, reason = "disagrees", f"{wrong} of {truth.size} entries differ, the first at {worst}: {seen}"
    elif inputs < LEAST_INPUTS:
        verdict, reason = "vacuous", too_few(inputs)
    else:
        verdict, reason = "agrees", "every entry is equal"
    numbers = far.distance(truth, output) if far.dtype_class(truth) == "integer" else None
    return OutputCheck(
        output=name,
        verdict=verdict,
        reason=reason,
        relative_error=wrong / truth.size,
        tolerance=0.0,
        spread=varying,
        max_abs_error=numbers.max_abs_error if numbers else None,
        worst_index=numbers.worst_index if numbers else None,
        worst_value=numbers.worst_value if numbers else None,
        worst_truth=numbers.worst_truth if numbers else None,
    )


def check_nonfinite(name: str, truth: Array, output: Array) -> OutputCheck:
    """NaN or Inf on either side: in the same places nothing is told apart, else it is a difference."""
    there, here = far.nonfinite_count(truth), far.nonfinite_count(output)
    verdict: Verdict
    if far.same_nonfinite(truth, output):
        verdict, reason = (
            "vacuous",
            f"{here} of {truth.size} entries are NaN or infinite on both sides: mend the model or its inputs",
        )
    else:
        verdict, reason = "disagrees", f"{here} of {truth.size} entries are NaN or infinite, {there} in the truth"
    return OutputCheck(output=name, verdict=verdict, reason=reason, nonfinite=here, nonfinite_truth=there)


def _tolerance(yardstick: float, measured: Distance) -> float:
    """The relative error that is allowed; more where only differences of denormal size would need it."""
    tolerance = max(YARDSTICKS * yardstick, LEAST_TOLERANCE)
    flushed = measured.max_abs_error <= far.DENORMAL
    return max(tolerance, measured.relative_error or 0.0) if flushed else tolerance


def _judged(tolerance: float, measured: Distance, inputs: int) -> tuple[Verdict, str]:
    error = measured.relative_error or 0.0
    if not tolerance <= GREATEST_TOLERANCE:
        hardly = f"the truth hardly varies over inputs ({measured.spread:.2g})"
        return "vacuous", f"{hardly}: correct runtimes may be {tolerance:.2g} of that apart; {_largest(measured)}"
    if not error <= tolerance:
        return "disagrees", f"relative error {error:.2g} exceeds {tolerance:.2g}, {_at(measured)}"
    if inputs < LEAST_INPUTS:
        return "vacuous", too_few(inputs)
    return "agrees", f"relative error {error:.2g} is within {tolerance:.2g}"


def _numbered(name: str, verdict: Verdict, reason: str, measured: Distance) -> OutputCheck:
    numbers = numbers_of(measured)
    return OutputCheck(output=name, verdict=verdict, reason=reason, relative_error=measured.relative_error, **numbers)


def numbers_of(measured: Distance) -> dict[str, Any]:
    """What a check tells of a distance, whichever rule judged it."""
    return {
        "spread": measured.spread,
        "max_abs_error": measured.max_abs_error,
        "max_rel_error": measured.max_rel_error,
        "cosine": measured.cosine,
        "worst_index": measured.worst_index,
        "worst_value": measured.worst_value,
        "worst_truth": measured.worst_truth,
        "smallest_atol": measured.max_abs_error,
        "smallest_rtol": measured.smallest_rtol,
    }


def tops(truth: Array, output: Array, margin: float) -> dict[str, float | None]:
    """Top-1 and top-5 agreement; classes that the truth holds within ``margin`` of one another are ties."""
    top1 = far.top_agreement(truth, output, 1, margin)
    return {
        "top1_agreement": top1,
        "top5_agreement": far.top_agreement(truth, output, 5, margin),
        "tie_margin": None if top1 is None else margin,
    }


def _largest(measured: Distance) -> str:
    return f"the largest difference is {measured.max_abs_error:.2g}"


def _at(measured: Distance) -> str:
    """The worst entry and both of its values."""
    return f"worst at {measured.worst_index}: {measured.worst_value:.6g} where {measured.worst_truth:.6g} was expected"


def too_few(inputs: int) -> str:
    """Why nothing can be told from so few inputs."""
    seen = f"no difference, but over {inputs} distinct inputs only"
    return f"{seen}: give at least {LEAST_INPUTS}, or let bench make them (no --load-inputs)"
