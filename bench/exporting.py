"""Every exporter compared on one model: files made in a child, judged and timed together as the cases of a run are.

Joins prepare, measure and analysis; decides nothing about numbers itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.analysis.agreement import merge_checks, worst_check
from bench.analysis.checker import make_checker
from bench.analysis.exporters import ExporterRow, choose_reference
from bench.analysis.outcome import status_of
from bench.analysis.timing import summarise_ratio, summarise_speed
from bench.cases import Shapes, make_arm, make_case
from bench.measure import machine, plan
from bench.measure.launch import ProcessLauncher, run_folder
from bench.measure.lock import machine_lock
from bench.measure.rounds import Arm, Repetition
from bench.prepare.exporters import OURS, ExportedFile, export_with_each
from bench.prepare.prepare import copy_with_data, prepare_model
from bench.preparing import pool_shapes
from bench.progress import Progress
from bench.records import CaseRepetition, GroupRepetition, Prepared, RoundPlan, RuntimeSpec, Suite

_RUNTIME = "onnxruntime-cpu"
_UNTIMED = "not timed: all files together would not fit the memory"
_replace = msgspec.structs.replace
Tries = dict[str, list[CaseRepetition]]  # by file


def compare_exports(suite: Suite, opsets: Sequence[int], keep: Path | None, progress: Progress) -> list[ExporterRow]:
    """One row a file, in the order of exporters and operator sets; those that load are kept in the folder ``keep``.

    Raises BenchError where the model can't be had at all.
    """
    (spec,) = suite.models
    with machine_lock(progress.note), run_folder() as folder:
        progress.stage(f"preparing {spec.display}")
        prepared = prepare_model(spec, suite.prepare, on_stage=progress.stage)
        made = folder / "exported"
        made.mkdir()
        files = export_with_each(spec, suite.prepare, prepared, opsets, made, progress.stage)
        arms = _arms(files, prepared, suite)
        tries = _measured(arms, prepared, suite, folder, progress)
        rows = [_judged(_row(file), file, tries, suite) for file in files]
        rows = _with_times(rows, tries, suite)
        progress.done()
        return [_kept(row, file, keep) for row, file in zip(rows, files, strict=True)] if keep else rows


def _called(file: ExportedFile) -> str:
    return f"{file.exporter}, opset {file.opset}"


def _arms(files: Sequence[ExportedFile], prepared: Prepared, suite: Suite) -> dict[str, Arm | CaseRepetition]:
    """What the worker of each file that loads needs; they are one group."""
    shapes: Mapping[str, Shapes] = pool_shapes({prepared.model: prepared})
    found = {}
    for file in files:
        if file.artifact is None or file.reason:
            continue
        runtime = RuntimeSpec(text=_RUNTIME, name=_RUNTIME, display=_called(file))
        batch = plan.fixed_batch(file.artifact) or 1
        case = _replace(make_case(suite.models[0], runtime, batch, suite.threads), case_id=_called(file))
        found[_called(file)] = make_arm(case, _replace(prepared, artifacts={"onnx": file.artifact}), shapes)
    return found


def _measured(
    arms: Mapping[str, Arm | CaseRepetition], prepared: Prepared, suite: Suite, folder: Path, progress: Progress
) -> Tries:
    """Every repetition of each file; one that could not be started is in it with its reason."""
    tries: Tries = {name: [arm] if isinstance(arm, CaseRepetition) else [] for name, arm in arms.items()}
    ready = [arm for arm in arms.values() if isinstance(arm, Arm)]
    timed, untimed = _that_fit(ready)
    launcher, check = ProcessLauncher(folder), make_checker(prepared, suite.tolerance)

    def driver(arms: Sequence[Arm]) -> Repetition:
        def tell(detail: str) -> None:
            progress.advance(0, detail)

        return Repetition(arms, launcher, suite.measure, folder, check=check, merge=merge_checks, on_turn=tell)

    def add(done: GroupRepetition) -> RoundPlan | None:
        for one in done.cases:
            tries[one.case_id].append(one)
        return done.plan

    progress.start(suite.measure.repetitions * bool(timed) + len(untimed))
    rounds: RoundPlan | None = None
    for number in range(suite.measure.repetitions if timed else 0):
        progress.stage(f"measuring {len(timed)} files: repetition {number + 1}")
        rounds = add(driver(timed).run(0, number, rounds)) or rounds
        progress.advance(1)
    for arm in untimed:
        add(driver([arm]).verify(0))
        progress.advance(1)
    return tries


def _that_fit(arms: Sequence[Arm]) -> tuple[list[Arm], list[Arm]]:
    """Those that are alive together and timed, ours among them, and the rest, whose outputs alone are looked at."""
    first = sorted(arms, key=lambda arm: not arm.case.case_id.startswith(OURS))
    needs = {arm.case.case_id: plan.estimate_bytes(_RUNTIME, arm.request.artifact, 0, 1) for arm in first}
    groups = plan.split_by_memory([arm.case for arm in first], needs, machine.available_bytes())
    together = {case.case_id for case in groups[0]} if groups else set()
    return [a for a in arms if a.case.case_id in together], [a for a in arms if a.case.case_id not in together]


def _row(file: ExportedFile) -> ExporterRow:
    return ExporterRow(
        exporter=file.exporter,
        opset=file.opset,
        is_ours=file.exporter == OURS,
        loads=file.artifact is not None and not file.reason,
        reason=file.reason,
        size_bytes=file.artifact.size_bytes if file.artifact else None,
        nodes=file.nodes if file.artifact else None,
        operators=file.operators,
        paired=file.paired,
    )


def _judged(row: ExporterRow, file: ExportedFile, tries: Tries, suite: Suite) -> ExporterRow:
    """The row with its verdict: the worst check of all outputs and repetitions; and why it has no time."""
    mine = tries.get(_called(file), [])
    if not mine:
        return row
    status, why = status_of(mine, suite.measure.repetitions, 0.0)
    worst = worst_check([check for one in mine for check in one.checks])
    if worst is None:
        return _replace(row, loads=False, reason=why)
    reason = "" if worst.verdict == "agrees" else f"output {worst.output!r}: {worst.reason}"
    if reason and file.paired == "by position":
        reason += "; its outputs have other names and were paired by position"
    untimed = _UNTIMED if status == "ok" and not any(one.complete for one in mine) else ""
    return _replace(
        row,
        agreement=worst.verdict,
        reason="; ".join(filter(None, [reason, why if status != "ok" else untimed])),
        relative_error=worst.relative_error,
        tolerance=worst.tolerance,
    )


def _with_times(rows: Sequence[ExporterRow], tries: Tries, suite: Suite) -> list[ExporterRow]:
    """The rows with latencies, and ratios within rounds to the reference."""
    complete = {name: [one for one in mine if one.complete] for name, mine in tries.items()}
    reference = choose_reference([row for row in rows if complete.get(row.called)])
    return [_timed(row, complete.get(row.called, []), reference, complete, suite) for row in rows]


def _timed(
    row: ExporterRow, mine: list[CaseRepetition], reference: ExporterRow | None, complete: Tries, suite: Suite
) -> ExporterRow:
    if not mine or reference is None:
        return row
    batch = suite.batch_sizes[suite.models[0].display][0]
    row = _replace(row, latency_ns_best=summarise_speed(mine, batch).latency_ns_best)
    if row.called == reference.called:
        return _replace(row, is_reference=True, ratio_to_reference=1.0)
    ratio = summarise_ratio(mine, complete[reference.called])
    if ratio is None:
        return row
    return _replace(
        row,
        ratio_to_reference=ratio.estimate,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        interval_level=ratio.level,
    )


def _kept(row: ExporterRow, file: ExportedFile, folder: Path) -> ExporterRow:
    """The row with where its file is; one that does not agree says so in its name."""
    if not row.loads or file.artifact is None:
        return row
    doubt = "" if row.agreement == "agrees" else f"-{row.agreement}"
    target = folder / f"{file.exporter.replace(' ', '-')}-opset{file.opset}{doubt}.onnx"
    copy_with_data(Path(file.artifact.path), target)
    return _replace(row, file=str(target))
