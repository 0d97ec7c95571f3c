"""How it went: a case's status with its reason, the group's reference, the whole run's exit code. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import errors
from bench.analysis.placement import UNKNOWN, placement_of, placement_reason, placement_status
from bench.records import Case, CaseRepetition, GroupRepetition, MeasureSettings, Placement, Status
from bench.rows import Row
from bench.runtimes.call_paths import is_keras_call

_SEVERITY: tuple[Status, ...] = (
    "ok",
    "partial",
    "skipped",
    "unavailable",
    "unsupported",
    "failed",
    "timeout",
    "oom",
    "crashed",
)


def status_of(tries: Sequence[CaseRepetition], total: int, min_placement: float) -> tuple[Status, str]:
    """The worst status of a case's repetitions, ok only if each is; the reason says in which, and how many measured.

    ``total`` is how many repetitions the group has, ``min_placement`` the least share of kernel time on the provider.
    """
    if not tries:
        return "skipped", "not measured: the run ended before its turn"
    placement = placement_of(tries)
    statuses = {id(one): repetition_status(one, placement, min_placement) for one in tries}
    worst = max(statuses.values(), key=_SEVERITY.index)
    if worst == "ok":
        return "ok", ""
    bad = [one for one in tries if statuses[id(one)] == worst]
    measured = sum(one.complete for one in tries)
    reason = bad[0].reason or _where(bad[0], placement, min_placement)
    if worst == "partial" or not measured or not bad[0].reason:
        return worst, reason
    numbers = sorted({one.repetition + 1 for one in bad})
    which = f"repetition{'s' * (len(numbers) > 1)} {_listed(numbers)} of {max(total, *numbers)}"
    return worst, f"in {which}; {measured} measured: {reason}"


def repetition_status(one: CaseRepetition, placement: Placement | None, min_placement: float) -> Status:
    """The worse of what the worker's life says and of where the case ran; ``placement`` is that of its profiled run."""
    opened = placement_status(one.opened.info, placement, min_placement) if one.opened else "ok"
    return max(one.status, opened, key=_SEVERITY.index)


def choose_reference(cases: Sequence[Case], repetitions: Sequence[GroupRepetition]) -> str | None:
    """The id of the case that ratios are taken to: TensorFlow if it has a complete repetition, else the first with one.

    Of several TensorFlows the plain concrete function. Keras's own calls (``predict``, an eager call) come last: a
    ratio to them is of their overhead. None where no case is complete: what was measured in part is in no number.
    """
    complete = {one.case_id: one.opened for group in repetitions for one in group.cases if one.complete}

    def rank(case: Case) -> tuple[bool, bool, bool]:
        opened = complete[case.case_id]
        return (
            opened is not None and is_keras_call(opened.info.call_path),
            case.runtime.name != "tensorflow",
            case.runtime.options.get("path", "function") != "function",
        )

    best = min((case for case in cases if case.case_id in complete), key=rank, default=None)
    return best.case_id if best else None


def exit_code_of(rows: Sequence[Row], settings: MeasureSettings = MeasureSettings()) -> int:  # noqa: B008 - frozen
    """The strongest of: outputs disagree (3), a case failed or could not run (6), agreement is unknown (5), fine (0).

    A case that ran in part elsewhere did run: its agreement decides, unless placement is required. What is required
    must be proved: a row of which it is unknown fails too.
    """
    return errors.strongest_exit([_exit_code(row, settings) for row in rows])


def _exit_code(row: Row, settings: MeasureSettings) -> int:
    if row.agreement == "disagrees":
        return errors.EXIT_DISAGREE
    if row.status not in ("ok", "partial"):
        return errors.EXIT_CASE_FAILED
    if settings.require_placement and (row.status == "partial" or f"{UNKNOWN}: " in row.cautions):
        return errors.EXIT_CASE_FAILED
    return errors.EXIT_OK if row.agreement == "agrees" else errors.EXIT_CANNOT_TELL


def _where(one: CaseRepetition, placement: Placement | None, min_placement: float) -> str:
    return placement_reason(one.opened.info, placement, min_placement) if one.opened else ""


def _listed(numbers: Sequence[int]) -> str:
    *first, last = (str(number) for number in numbers)
    return f"{', '.join(first)} and {last}" if first else last
