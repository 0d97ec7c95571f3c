"""The repetitions of a group -> one row per case, and which rows cannot win. Pure: records in, rows out.

``report/verdict.py`` says which one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bench.analysis import doubts
from bench.analysis.agreement import worst_check
from bench.analysis.budget import artifact_of
from bench.analysis.ledger import option_text, summarise_ledger
from bench.analysis.outcome import status_of
from bench.analysis.placement import UNKNOWN, placement_cautions, placement_of
from bench.analysis.soak import soak_cautions, soak_of
from bench.analysis.timing import Speed, summarise_ratio, summarise_speed
from bench.records import (
    Artifact,
    Case,
    CaseRepetition,
    Caution,
    GroupRepetition,
    MeasureSettings,
    OutputCheck,
    Prepared,
    Record,
    SessionInfo,
)
from bench.rows import Row
from bench.runtimes.table import RUNTIMES

SYMBOLIC_BATCH = "symbolic in the file, fixed by the runtime"
FIXED_BATCH = "fixed in the file"
_BARS = (f"{doubts.CALL_PATH}: ", f"{UNKNOWN}: ")  # cautions that begin like this keep a row out of the ranking


class _Evidence(Record, frozen=True):
    """Everything that is known of one case."""

    case: Case
    tries: list[CaseRepetition]  # every repetition that has it, in order
    repetitions: list[GroupRepetition]  # of the group
    cpus: int | None  # that the run may use
    min_placement: float

    @property
    def measured(self) -> list[CaseRepetition]:
        """The repetitions that count: every round was measured and the outputs were checked at the end."""
        return [one for one in self.tries if one.complete]


def summarise_group(
    cases: Sequence[Case],
    repetitions: Sequence[GroupRepetition],
    prepared: Prepared | None,
    reference: str | None,
    commands: Mapping[str, str],
    *,
    planned: int | None = None,
    cpus: int | None = None,
    min_placement: float = MeasureSettings().min_placement,
) -> list[Row]:
    """One row per case, in the order of ``cases``.

    ``reference`` is the id of the case that ratios are taken to, ``commands`` the line that reproduces each case,
    ``planned`` how many repetitions were asked for (None: as many as there are),
    ``cpus`` how many CPUs may be used, ``min_placement`` the least share of kernel time on the provider asked for.
    ``prepared`` is None where the model could not be prepared. A case that never opened has a status, a reason and no
    measured number.
    """
    in_order = sorted(repetitions, key=lambda one: one.repetition)
    evidence = {case.case_id: _gather(case, in_order, cpus, min_placement) for case in cases}
    yardstick_case = evidence.get(reference) if reference is not None else None
    return [
        _row(one, yardstick_case, prepared, commands.get(one.case.case_id, ""), planned) for one in evidence.values()
    ]


def barred_rows(rows: Sequence[Row]) -> list[tuple[Row, str]]:
    """The rows that cannot win, each with the reason: no speed without agreement, a whole run, and proof of place."""
    return [(row, reason) for row in rows if (reason := _bar(row)) is not None]


def _bar(row: Row) -> str | None:
    if row.status != "ok":
        return f"{row.status}: {row.status_reason}" if row.status_reason else row.status
    if row.agreement != "agrees":
        return f"{row.agreement}: {row.agreement_reason}" if row.agreement_reason else row.agreement
    if not 0 < (row.latency_ns_best or 0) < float("inf"):  # NaN, which a stored row may hold, is no time either
        return "not timed"
    return next((text for text in row.cautions.split("; ") if text.startswith(_BARS)), None)


def _gather(case: Case, repetitions: list[GroupRepetition], cpus: int | None, min_placement: float) -> _Evidence:
    tries = [one for group in repetitions for one in group.cases if one.case_id == case.case_id]
    return _Evidence(case=case, tries=tries, repetitions=repetitions, cpus=cpus, min_placement=min_placement)


def _row(
    evidence: _Evidence, reference: _Evidence | None, prepared: Prepared | None, command: str, planned: int | None
) -> Row:
    case = evidence.case
    status, reason = status_of(evidence.tries, max(planned or 0, len(evidence.repetitions)), evidence.min_placement)
    row = Row(
        case_id=case.case_id,
        model=case.model,
        runtime=case.runtime.name,
        runtime_spec=case.runtime.display,
        provider_requested=_provider_of(case),
        label=case.runtime.label or "",
        runtime_options=option_text(case.runtime.options),
        boundary=case.boundary,
        batch_size=case.batch_size,
        threads=case.threads,
        precision=case.precision,
        streams=case.streams,
        status=status,
        status_reason=reason,
        reproduce=command,
    )
    worst = _worst(evidence.tries)
    row = _with_agreement(_with_model(row, case, prepared), worst, prepared)
    speed = summarise_speed(evidence.measured, case.batch_size)
    ledger = summarise_ledger(evidence.tries, evidence.repetitions)
    for part in (speed, ledger) if ledger else (speed,):
        row = msgspec.structs.replace(row, **msgspec.structs.asdict(part))
    if (soak := soak_of(evidence.tries)) is not None:
        row = msgspec.structs.replace(row, **soak.fields())
    return _with_ratio(row, evidence, reference, speed, _other_cautions(evidence, prepared, speed, worst, planned))


def _with_model(row: Row, case: Case, prepared: Prepared | None) -> Row:
    """What is known of the model and its file, measured or not."""
    if prepared is None:
        return row
    artifact = artifact_of(case, prepared)
    return msgspec.structs.replace(
        row,
        model_digest=prepared.model_digest,
        input_digest=prepared.pool.digest,
        artifact_digest=artifact.digest if artifact else None,
        artifact_bytes=artifact.size_bytes if artifact else None,
        batch_axis=_batch_axis(artifact) if artifact else None,
        truth=prepared.truth,
        macs=prepared.multiply_adds,
        params=prepared.parameters,
    )


def _provider_of(case: Case) -> str | None:
    entry = RUNTIMES.get(case.runtime.name)
    return entry.provider if entry else None


def _with_agreement(row: Row, worst: OutputCheck | None, prepared: Prepared | None) -> Row:
    if worst is None:
        return row
    several = prepared is not None and len(prepared.outputs) > 1 and repr(worst.output) not in worst.reason
    return msgspec.structs.replace(
        row,
        agreement=worst.verdict,
        agreement_reason=f"{worst.output}: {worst.reason}" if several else worst.reason,
        max_abs_error=worst.max_abs_error,
        relative_error=worst.relative_error,
        precision_error=worst.precision_error,
        conversion_error=worst.conversion_error,
        tolerance=worst.tolerance,
        top1_agreement=worst.top1_agreement,
        yardstick=worst.yardstick,
    )


def _with_ratio(
    row: Row, evidence: _Evidence, reference: _Evidence | None, speed: Speed, cautions: Sequence[Caution]
) -> Row:
    """The ratio to the reference with its bounds; the reference itself is 1 by definition and has none."""
    if reference is None or speed.latency_ns_best is None:
        return msgspec.structs.replace(row, cautions=doubts.joined(cautions))
    name = reference.case.runtime.display
    if reference.case.case_id == evidence.case.case_id:
        return msgspec.structs.replace(
            row, ratio_to_reference=1.0, reference_runtime=name, cautions=doubts.joined(cautions)
        )
    ratio = summarise_ratio(evidence.measured, reference.measured)
    theirs = summarise_speed(reference.measured, reference.case.batch_size)
    return msgspec.structs.replace(
        row,
        ratio_to_reference=ratio.estimate if ratio else None,
        ratio_low=ratio.low if ratio else None,
        ratio_high=ratio.high if ratio else None,
        interval_level=ratio.level if ratio else speed.interval_level,
        reference_runtime=name if ratio else None,
        cautions=doubts.joined(
            [
                *doubts.ratio_cautions(speed, ratio, name),
                *doubts.direction_cautions(ratio.estimate if ratio else None, speed, theirs, row.streams),
                *doubts.call_path_cautions(_call_path(evidence), _call_path(reference)),
                *cautions,
            ]
        ),
    )


def _call_path(evidence: _Evidence) -> str | None:
    return next((one.opened.info.call_path for one in evidence.measured if one.opened), None)


def _other_cautions(
    evidence: _Evidence, prepared: Prepared | None, speed: Speed, worst: OutputCheck | None, planned: int | None
) -> list[Caution]:
    infos = [one.opened.info for one in evidence.tries if one.opened]
    sessions = [caution for info in infos for caution in info.cautions]
    placement = placement_of(evidence.tries)
    return [
        *doubts.agreement_cautions(speed, worst),
        *doubts.interrupted_cautions(speed, len(evidence.repetitions), planned),
        *doubts.thread_cautions(evidence.case, speed, evidence.cpus),
        *doubts.timing_cautions(evidence.case, evidence.measured, evidence.repetitions, speed),
        *(placement_cautions(min(infos, key=_placed), placement, evidence.min_placement) if infos else ()),
        *soak_cautions(soak_of(evidence.tries)),
        *sessions,
        *(prepared.cautions if prepared else ()),
    ]


def _placed(info: SessionInfo) -> float:
    return 1.0 if info.node_share is None else info.node_share  # the least of a case's sessions is the row's


def _worst(tries: Sequence[CaseRepetition]) -> OutputCheck | None:
    """The check that decides the case, over all outputs and repetitions; it says where others were better."""
    worst = worst_check([check for one in tries for check in one.checks])
    if worst is None:
        return None
    checked = [one for one in tries if one.checks]
    like = [one for one in checked if any(check.verdict == worst.verdict for check in one.checks)]
    if len(like) == len(checked):
        return worst
    reason = f"{worst.reason} (in {len(like)} of {len(checked)} repetitions)"
    return msgspec.structs.replace(worst, reason=reason)


def _batch_axis(artifact: Artifact) -> str | None:
    batched = [tensor for tensor in artifact.inputs if tensor.batched and tensor.shape]
    if not batched:
        return None
    return SYMBOLIC_BATCH if any(tensor.shape[0] is None for tensor in batched) else FIXED_BATCH
