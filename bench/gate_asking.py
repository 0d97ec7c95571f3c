"""What a gate is asked for, by flags (which win) and by a suite file's ``[gate]`` -> its settings. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import msgspec

from bench.check.records import METRICS, Bundle, BundledCase, GateSettings, Metric
from bench.errors import UsageError
from bench.records import RuntimeSpec
from bench.specs import parse_runtime
from bench.suite import BudgetAsked, GateAsked, Mistakes

_SHARE = re.compile(r"(?P<number>[0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)\s*(?P<percent>%?)")
_NOT_GATED = {
    "throughput": "at one batch size it says what latency says; give latency",
    "accuracy": "it takes labels; agreement tells whether head computes what the baseline does",
}
_OTHERWISE_CALLED = {"memory": "rss_peak", "rss": "rss_peak", "cold_start": "load", "time": "latency"}


class GateFlags(msgspec.Struct, frozen=True, kw_only=True):
    """Flags of ``bench gate`` about its rule, as typed."""

    delta: str | None = None
    alpha: str | None = None
    beta: str | None = None
    max_pairs: int | None = None
    time_limit: float | None = None
    metric: tuple[str, ...] = ()
    inconclusive: str | None = None


class BudgetTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of ``[[gate.budget]]``."""

    delta: str | float
    model: str | None = None
    runtime: str | None = None
    batch: int | None = None


class GateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``[gate]`` of a suite file."""

    delta: str | float | None = None
    alpha: str | float | None = None
    beta: str | float | None = None
    max_pairs: int | None = None
    time_limit: float | None = None
    metrics: tuple[str, ...] = ()
    inconclusive: str | None = None
    budget: tuple[BudgetTable, ...] = ()


def parse_gate_flags(flags: GateFlags) -> GateAsked:
    """What the flags ask for; UsageError with every mistake, a line each."""
    mistakes = Mistakes()
    asked = _asked(flags, flags.metric, (), lambda name: f"--{name.replace('_', '-')}", mistakes)
    mistakes.raise_any()
    return asked


def gate_table_asked(table: GateTable, where: str, mistakes: Mistakes) -> GateAsked:
    """What ``[gate]`` asks for; its mistakes are added to ``mistakes``, named by file and key."""
    budgets = [
        mistakes.attempt(partial(_budget, one), f"{where}.budget[{number}]") for number, one in enumerate(table.budget)
    ]
    found = tuple(one for one in budgets if one is not None)
    return _asked(table, table.metrics, found, lambda name: f"{where}.{name}", mistakes)


def merge_gate(flags: GateAsked, file: GateAsked | None) -> GateAsked:
    """``file`` with everything replaced that ``flags`` says; ``--delta`` does away with the file's budgets."""
    if file is None:
        return flags
    said = {key: value for key, value in msgspec.structs.asdict(flags).items() if value not in (None, ())}
    if flags.delta is not None:
        said["budgets"] = ()
    return msgspec.structs.replace(file, **said)


def gate_settings(
    asked: GateAsked, *, seed: int, answer_limit_s: float | None, budgets: Mapping[str, float]
) -> GateSettings:
    """The settings, defaults filled in."""
    given: dict[str, Any] = {
        "delta": asked.delta,
        "alpha": asked.alpha,
        "beta": asked.beta,
        "max_pairs": asked.max_pairs,
        "metrics": asked.metrics,
        "time_limit_s": asked.time_limit,
        "answer_limit_s": answer_limit_s,
        "inconclusive": asked.inconclusive,
    }
    said = {key: value for key, value in given.items() if value not in (None, ())}
    return GateSettings(seed=seed, budgets=dict(budgets), **said)


def match_budgets(budgets: Sequence[BudgetAsked], baseline: Bundle, head: Bundle) -> dict[str, float]:
    """The delta of each case that a budget is for, by its name; of several the last one counts.

    UsageError for a budget that decides nothing: it would look as if something were watched.
    """
    cases: dict[str, list[BundledCase]] = {}
    for one in (*baseline.cases, *head.cases):
        cases.setdefault(one.name, []).append(one)
    for name in (*baseline.missing, *head.missing):
        cases.setdefault(name, [])
    chosen = {
        name: found[-1]
        for name, both in cases.items()
        if (found := [i for i, budget in enumerate(budgets) if _fits(budget, name, both)])
    }
    mistakes = Mistakes()
    for number, budget in enumerate(budgets):
        if number in chosen.values():
            continue
        is_matched = any(_fits(budget, name, both) for name, both in cases.items())
        why = "later budgets overrule it" if is_matched else f"no case matches; cases are {'; '.join(cases)}"
        mistakes.add(f"gate.budget[{number}] ({_spelled(budget)}): {why}")
    mistakes.raise_any()
    return {name: budgets[number].delta for name, number in chosen.items()}


def parse_share(text: str | float) -> float:
    """``"5%"`` and ``"0.05"`` -> 0.05. UsageError for anything else, and for a bare number of 1 or more."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if isinstance(text, str) and not match:
        raise UsageError(f"{text}: expected a share such as 5% or 0.05")
    value = float(match["number"]) if match else float(text)
    is_percent = bool(match and match["percent"])
    value = value / 100 if is_percent else value
    if not math.isfinite(value) or value <= 0:
        raise UsageError(f"{text}: expected a share above 0, such as 5% or 0.05")
    if value >= 1 and not is_percent:
        raise UsageError(f"{text}: expected a share such as 5% or 0.05; for {value:g} percent write {value:g}%")
    return value


def parse_metrics(texts: Iterable[str]) -> tuple[Metric, ...]:
    """``["latency,load", "size"]`` -> the metrics, each once."""
    found: dict[Metric, None] = {}
    for piece in [piece.strip() for text in texts for piece in text.split(",")]:
        metric = next((one for one in METRICS if one == piece), None)
        if metric is None:
            _refuse_metric(piece)
        found[metric] = None
    return tuple(found)


def _refuse_metric(text: str) -> NoReturn:
    if why := _NOT_GATED.get(text):
        raise UsageError(f"{text}: not gated: {why}")
    hint = f"did you mean {other}?" if (other := _OTHERWISE_CALLED.get(text)) else f"expected {', '.join(METRICS)}"
    raise UsageError(f"{text or 'an empty name'}: no such metric; {hint}")


def _asked(
    said: GateFlags | GateTable,
    metrics: Sequence[str],
    budgets: tuple[BudgetAsked, ...],
    called: Callable[[str], str],
    mistakes: Mistakes,
) -> GateAsked:
    shares: dict[str, float | None] = {}
    for name in ("delta", "alpha", "beta"):
        text = getattr(said, name)
        shares[name] = None if text is None else mistakes.attempt(partial(parse_share, text), called(name))
    limit = said.time_limit
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        mistakes.add(f"{limit:g}: expected a number of seconds above 0", called("time_limit"))
    if said.max_pairs is not None and said.max_pairs < 1:
        mistakes.add(f"{said.max_pairs}: expected a whole number of at least 1", called("max_pairs"))
    if said.inconclusive not in (None, "pass", "fail"):
        mistakes.add(f"{said.inconclusive}: expected pass or fail; left out it is exit 5", called("inconclusive"))
    metric_key = "metric" if isinstance(said, GateFlags) else "metrics"
    return GateAsked(
        max_pairs=said.max_pairs,
        time_limit=limit,
        metrics=mistakes.attempt(lambda: parse_metrics(metrics), called(metric_key)) or (),
        inconclusive=said.inconclusive,
        budgets=budgets,
        **shares,
    )


def _budget(table: BudgetTable) -> BudgetAsked:
    if table.model is None and table.runtime is None and table.batch is None:
        raise UsageError("it says no model, runtime or batch; for every case set gate.delta")
    runtime = None if table.runtime is None else parse_runtime(table.runtime)
    return BudgetAsked(model=table.model, runtime=runtime, batch=table.batch, delta=parse_share(table.delta))


def _fits(budget: BudgetAsked, name: str, cases: Sequence[BundledCase]) -> bool:
    """Whether a budget is for the case of that name; ``cases`` are its sides, none where neither could be had."""
    model, runtime, batch, _ = name.rsplit(" | ", 3)
    if budget.model not in (None, model, *(one.case.model for one in cases)):
        return False
    if budget.batch is not None and f"batch {budget.batch}" != batch:
        return False
    if budget.runtime is None:
        return True
    wanted = budget.runtime
    if not cases:
        return wanted.name == runtime.partition("#")[0]
    return any(_is_runtime(wanted, one.case.runtime) for one in cases)


def _is_runtime(wanted: RuntimeSpec, seen: RuntimeSpec) -> bool:
    return (
        wanted.name == seen.name
        and wanted.version in (None, seen.version)
        and wanted.label in (None, seen.label)
        and wanted.options.items() <= seen.options.items()
    )


def _spelled(budget: BudgetAsked) -> str:
    parts = (
        ("model", budget.model),
        ("runtime", budget.runtime and budget.runtime.text),
        ("batch", budget.batch),
    )
    return ", ".join(f"{key} {value}" for key, value in parts if value is not None)
