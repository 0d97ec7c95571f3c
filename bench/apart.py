"""What is measured of a case apart from its rounds, once a run: where it ran, and its memory over minutes.

Joins measure and the records of a repetition; the pipeline keeps what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.analysis.placement import placement_of, placement_reason, placement_status
from bench.measure.alone import profile_arm, soak_arm
from bench.measure.launch import Launcher
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm
from bench.records import CaseRepetition, GroupRepetition, MeasureSettings, Placement
from bench.runtimes.table import RUNTIMES

_replace = msgspec.structs.replace


def with_placements(
    result: GroupRepetition,
    arms: Sequence[Arm],
    done: Sequence[GroupRepetition],
    launcher: Launcher,
    settings: MeasureSettings,
) -> GroupRepetition:
    """The repetition, with a profiled run of each case of ONNX Runtime that opened and has none among ``done``."""
    by_id = {arm.case.case_id: arm for arm in arms}

    def placed(one: CaseRepetition) -> CaseRepetition:
        arm = by_id.get(one.case_id)
        earlier = [case for group in done if group.group == result.group for case in group.cases]
        known = placement_of([case for case in earlier if case.case_id == one.case_id])
        if arm is None or one.opened is None or known or RUNTIMES[arm.case.runtime.name].provider is None:
            return one
        return judged_by_placement(one, profile_arm(arm, launcher, settings.time_limit_s), settings.min_placement)

    return _replace(result, cases=[placed(one) for one in result.cases])


def judged_by_placement(one: CaseRepetition, placement: Placement, least: float) -> CaseRepetition:
    """The case with where it ran; one of which nothing ran on the provider asked for has no number nor verdict."""
    one = _replace(one, placement=placement)
    if one.opened is None or placement_status(one.opened.info, placement, least) != "unavailable":
        return one
    reason = placement_reason(one.opened.info, placement, least)
    return _replace(one, status="unavailable", reason=reason, turns=[], checks=[], memory_peak=None, complete=False)


def with_soak(one: CaseRepetition, arm: Arm, launcher: Launcher, settings: MeasureSettings) -> CaseRepetition:
    """The case with its memory over ``settings.soak_s`` of calls, or with what became of its worker meanwhile."""
    try:
        return _replace(one, soak=soak_arm(arm, launcher, settings.soak_s, settings.time_limit_s))
    except WorkerDiedError as death:
        return _replace(one, status=death.status, reason=f"while soaking: {death.reason}")
