"""Models with denormal numbers, timed once more with those flushed to zero: what they cost on this processor.

ONNX Runtime settles that for a whole process, so each side is a worker of its own, both alive together and measured in
turns. Joins prepare's caution and measure; the pipeline keeps what comes back with the repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from bench.analysis.timing import summarise_ratio
from bench.measure.launch import ProcessLauncher
from bench.measure.machine import MachineWatch
from bench.measure.rounds import Arm, Repetition
from bench.prepare.hazard_rules import DENORMAL
from bench.records import CaseRepetition, GroupRepetition, MeasureSettings, Prepared

Drive = Callable[[Sequence[Arm]], GroupRepetition]  # measures these arms against each other, once
_RUNTIME = "onnxruntime-cpu"
_replace = msgspec.structs.replace


def with_retiming(result: GroupRepetition, arms: Sequence[Arm], prepared: Prepared, drive: Drive) -> GroupRepetition:
    """The repetition, each case of ONNX Runtime on the CPU that keeps denormal numbers with its ratio.

    As it is where the model has none that matter.
    """
    if not any(caution.code == DENORMAL for caution in prepared.cautions):
        return result
    by_id = {arm.case.case_id: arm for arm in arms if _keeps_them(arm)}

    def timed(one: CaseRepetition) -> CaseRepetition:
        arm = by_id.get(one.case_id)
        return one if arm is None or not one.complete else _replace(one, flushed_ratio=_ratio(arm, drive))

    return _replace(result, cases=[timed(one) for one in result.cases])


def pair_driver(
    launcher: ProcessLauncher,
    settings: MeasureSettings,
    group: int,
    repetition: int,
    on_turn: Callable[[str], None],
) -> Drive:
    """Measures a pair by as few rounds as a case gets; outputs are not judged, they are a matter of the case itself."""
    few = _replace(settings, min_calls=None, min_seconds=None, tail_calls=0, soak_s=0.0)

    def drive(arms: Sequence[Arm]) -> GroupRepetition:
        driver = Repetition(
            arms,
            launcher,
            few,
            launcher.folder,
            check=lambda _case_id, _file: [],
            merge=lambda _before, _after: [],
            on_turn=on_turn,
            watch=MachineWatch,
        )
        return driver.run(group, repetition, None)

    return drive


def flushed(arm: Arm) -> Arm:
    """The same case with denormal numbers taken as zero."""
    options = {**arm.case.runtime.options, "denormal": "zero"}
    case = _replace(
        arm.case,
        case_id=f"{arm.case.case_id} | denormal=zero",
        runtime=_replace(arm.case.runtime, options=options, display=f"{arm.case.runtime.display}, denormal=zero"),
    )
    request = _replace(arm.request, settings=_replace(arm.request.settings, options=options))
    return _replace(arm, case=case, request=request)


def _keeps_them(arm: Arm) -> bool:
    runtime = arm.case.runtime
    return runtime.name == _RUNTIME and runtime.options.get("denormal", "keep") == "keep"


def _ratio(arm: Arm, drive: Drive) -> float | None:
    """Time with denormal numbers flushed over time without; None where a worker did not come through."""
    kept, zeroed = arm, flushed(arm)
    measured = {one.case_id: one for one in drive([kept, zeroed]).cases if one.complete}
    if not {kept.case.case_id, zeroed.case.case_id} <= measured.keys():
        return None
    ratio = summarise_ratio([measured[zeroed.case.case_id]], [measured[kept.case.case_id]])
    return ratio.estimate if ratio else None
