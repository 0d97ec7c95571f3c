"""``bench verify --from DIR``: stored outputs judged again, by other tolerances or by our own rule; nothing is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.analysis.agreement import case_verdict, judged_error, worst_check
from bench.analysis.checker import check_passes, split_passes
from bench.analysis.distance import Array
from bench.analysis.outcome import exit_code_of
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.commands.verify_text import detail_line, spell_tolerance
from bench.errors import BenchError, UsageError
from bench.flags import Flags, parse_flags
from bench.prepare.arrays import load_arrays
from bench.records import ArrayFile, OutputCheck, Tolerance, Verdict
from bench.report.kept_outputs import KeptCase, KeptModel, KeptOutputs, read_kept
from bench.rows import Row
from bench.suite import check_tolerance_names
from bench.units import UNKNOWN, error

_HEADER = ("model", "runtime", "batch", "stored", "now", "error", "tolerance")


@dataclass(frozen=True)
class _Again:
    """A stored case, judged once more; one without outputs keeps its verdict."""

    case: KeptCase
    checks: list[OutputCheck]

    @property
    def verdict(self) -> Verdict:
        return case_verdict(self.checks) if self.case.file else self.case.verdict

    @property
    def reason(self) -> str:
        worst = worst_check(self.checks)
        own = f"{worst.output}: {worst.reason}" if worst else self.case.reason or "gave no outputs"
        return self.case.status_reason or own


def judge_again(stored: Path, flags: Flags, *, beside: bool = False, as_json: bool, console: Console) -> int:
    """Print what each case's stored outputs are worth now; the exit codes are those of a verification.

    ``beside``: something was asked for that is not among the flags, and that needs a run.
    """
    if beside or flags != Flags(rtol=flags.rtol, atol=flags.atol):
        raise UsageError(
            f"--from {stored} judges what is stored there and runs nothing: give it --rtol, --atol and --json alone, "
            "without models and the flags of a run"
        )
    asked = parse_flags(flags)
    tolerance = Tolerance(rtol=asked.rtol, atol=asked.atol)
    kept = read_kept(stored)
    if kept.reason:
        raise UsageError(f"judging {stored} again: its outputs were not kept: {kept.reason}; verify anew")
    check_tolerance_names(tolerance, [name for model in kept.models.values() for name in model.dtypes])
    judged = _judge(stored, kept, tolerance)
    code = exit_code_of([_row(again) for again in judged])
    console.say(_json(judged, tolerance, code) if as_json else _text(judged, tolerance))
    return code


def _judge(stored: Path, kept: KeptOutputs, tolerance: Tolerance) -> list[_Again]:
    truths: dict[str, dict[str, Array]] = {}
    found = []
    for case in kept.cases:
        model = kept.models.get(case.model)
        if case.file is None or model is None:
            found.append(_Again(case, []))
            continue
        if case.model not in truths:
            truths[case.model] = _load(stored, model.truth_file)
        found.append(_Again(case, _checks(stored, case, case.file, model, truths[case.model], tolerance)))
    return found


def _checks(
    stored: Path, case: KeptCase, file: ArrayFile, model: KeptModel, truth: dict[str, Array], tolerance: Tolerance
) -> list[OutputCheck]:
    return check_passes(
        truth,
        split_passes(_load(stored, file), file.items, model.truth_file.items),
        model.yardstick,
        tolerance,
        budget=case.budget,
        distinct_inputs=model.distinct_inputs,
        dtypes=model.dtypes,
    )


def _load(stored: Path, file: ArrayFile) -> dict[str, Array]:
    try:
        return load_arrays(msgspec.structs.replace(file, path=str(stored / file.path)))
    except BenchError as problem:
        raise UsageError(
            f"judging {stored} again: {file.path} is missing or damaged ({str(problem).partition(': ')[2]}). "
            "Take the folder from where it was copied, or verify anew with `bench verify -o DIR`"
        ) from problem


def _row(again: _Again) -> Row:
    """As much of a row as decides an exit code."""
    case = again.case
    return Row(
        case_id=case.case_id,
        model=case.model,
        runtime=case.runtime,
        batch_size=case.batch_size,
        threads=1,
        status=case.status,
        agreement=again.verdict,
    )


def _text(judged: Sequence[_Again], tolerance: Tolerance) -> str:
    changed = [again for again in judged if again.verdict != again.case.verdict]
    own = spell_tolerance(tolerance)
    rule = "the measured tolerance" if own == UNKNOWN else own
    told = [f"{one.case.model}, {one.case.runtime}: {one.verdict}, it was {one.case.verdict}" for one in changed]
    first = f"judged again by {rule}: {'; '.join(told) or 'every verdict is what it was'}"
    lines = [first, "", draw_table(_HEADER, [_cells(again, own) for again in judged], numeric=(2, 5, 6))]
    for again in judged:
        where = f"{again.case.model}, {again.case.runtime}, batch {again.case.batch_size}"
        if again.verdict != "agrees" or again.case.status != "ok":
            lines.append(f"{where}: {again.reason}")
        if again.verdict != "agrees":
            lines += [f"{where}, output {c.output!r}: {detail_line(c)}" for c in again.checks if c.verdict != "agrees"]
    return "\n".join(lines)


def _cells(again: _Again, own: str) -> tuple[str, ...]:
    case, worst = again.case, worst_check(again.checks)
    judged = None if worst is None else judged_error(worst)
    tolerance = UNKNOWN if worst is None else own if worst.tolerance is None else error(worst.tolerance)
    return (
        case.model, case.runtime, str(case.batch_size), case.verdict, again.verdict, error(judged), tolerance
    )  # fmt: skip


def _json(judged: Sequence[_Again], tolerance: Tolerance, code: int) -> str:
    cases: list[dict[str, Any]] = [
        {
            "case_id": again.case.case_id,
            "stored": again.case.verdict,
            "verdict": again.verdict,
            "reason": again.reason,
            "status": again.case.status,
            "outputs": json.loads(msgspec.json.encode(again.checks)),
        }
        for again in judged
    ]
    values = {"exit_code": code, "tolerance": msgspec.to_builtins(tolerance), "cases": cases}
    return json.dumps(values, indent=2, ensure_ascii=False)
