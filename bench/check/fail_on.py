"""``--fail-on METRIC:PERCENT``: plain numbers of two runs against a budget, for people who insist. Pure.

It is never green where nothing was measured, and what it is worth stands in ``false_alarms``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from bench.check.compare_records import BUDGETED, METRICS, Answer, Change, Compared, Judgement, Metric
from bench.check.judging import SUSPICIOUS
from bench.check.wording import percent
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK, EXIT_OVER_BUDGET, UsageError
from bench.rows import Row

LEAST_PROCESSES = 3  # what --quick measures
LEAST_CALLS = 30  # one repetition's least
EXITS: dict[Answer, int] = {
    "within": EXIT_OK,
    "over": EXIT_OVER_BUDGET,
    "suspicious": EXIT_CANNOT_TELL,
    "cannot tell": EXIT_CANNOT_TELL,
}
_BUDGET = re.compile(r"([a-z0-9_]+):([0-9]+(?:\.[0-9]+)?)%")
_ROUNDING = 1e-9  # 1.05 / 1 - 1 is a little more than 0.05
_CANNOT_TELL: Answer = "cannot tell"
_BY_NAME = {metric.name: metric for metric in METRICS}


def parse_budgets(texts: Iterable[str]) -> dict[str, float]:
    """``["latency:5%"]`` -> ``{"latency": 0.05}``. UsageError says what would have been right."""
    budgets: dict[str, float] = {}
    for text in (piece.strip() for value in texts for piece in value.split(",")):
        match = _BUDGET.fullmatch(text)
        if match is None:
            raise UsageError(f"--fail-on {text!r}: expected METRIC:PERCENT, such as latency:5%")
        name = match[1]
        if name not in BUDGETED:
            raise UsageError(f"--fail-on {text!r}: no metric {name!r}; there are {', '.join(BUDGETED)}")
        if name in budgets:
            raise UsageError(f"--fail-on {text!r}: {name} is given twice")
        budgets[name] = float(match[2]) / 100
    return budgets


def judge(compared: Compared, budgets: Mapping[str, float]) -> list[Judgement]:
    """A judgement of every budget on one case; none on a new case, which has nothing to be worse than."""
    if compared.standing == "new":
        return []
    changes = {change.metric: change for change in compared.changes}
    return [_judge(compared, _BY_NAME[name], budget, changes.get(name)) for name, budget in budgets.items()]


def _judge(compared: Compared, metric: Metric, budget: float, change: Change | None) -> Judgement:
    doubt = _doubt(compared, metric, change)
    worse = _worse(metric, change)
    if doubt or worse is None:
        answer, reason = _CANNOT_TELL, doubt
    else:
        answer, reason = _against(worse, budget)
    return Judgement(
        case=compared.case,
        report=compared.report,
        metric=metric.name,
        budget=budget,
        answer=answer,
        reason=reason,
        change=worse,
    )


def _against(worse: float, budget: float) -> tuple[Answer, str]:
    if 1 + worse <= 1 / SUSPICIOUS + _ROUNDING:
        return "suspicious", f"{1 / (1 + worse):.3g} times better: look whether it still does the work"
    word = "worse" if worse > 0 else "better"
    said = f"{percent(abs(worse), sign=False)} {word}, {percent(budget, sign=False)} worse is allowed"
    return ("over" if worse > budget + _ROUNDING else "within"), said


def _doubt(compared: Compared, metric: Metric, change: Change | None) -> str:
    """Why nothing can be told, "" where something can."""
    if compared.standing != "same":
        return compared.standing  # its reason stands with the case
    if not compared.is_comparable:
        return "not comparable"
    for side, row in (("reference", compared.reference), (compared.report, compared.other)):
        few = _too_few(row)
        if few:
            return f"{side}: {few}"
    if change is None or change.ratio is None:
        return f"{metric.name} was not measured on both sides"
    return ""


def _too_few(row: Row | None) -> str:
    if row is None:
        return "absent"
    if row.processes < LEAST_PROCESSES:
        return f"{row.processes} processes measured, at least {LEAST_PROCESSES} are needed"
    return f"{row.calls} timed calls, at least {LEAST_CALLS} are needed" if row.calls < LEAST_CALLS else ""


def _worse(metric: Metric, change: Change | None) -> float | None:
    """The change for the worse as a share; below 0 it is better."""
    if change is None or change.ratio is None or not math.isfinite(change.ratio):
        return None
    return (1 / change.ratio if metric.is_higher_better else change.ratio) - 1
