"""The one plain sentence of a verification: is it the same function, and if not, whose fault is that. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.agreement import judged_error, worst_check
from bench.analysis.attribution import EXPORT, RUNTIME, Attribution, explain_blame, explain_source
from bench.commands.verify_headline import headline, is_saturated
from bench.prepare.expected import STORED
from bench.records import Finding, ModelSpec, OutputCheck, PrepareSettings
from bench.reproduce import bisect_command
from bench.rows import Row
from bench.verifying import JudgedCase, JudgedModel

_RAN = ("ok", "partial")
# what explains a difference at the model's own inputs and outputs: no layer is wrong then
_AT_THE_BORDER = ("input", "outputs swapped", "items permuted", "items repeated")
_SATURATED = (
    "; on these inputs its outputs are saturated, hardly anything can be seen: compare logits or other inputs, "
    "and see --power"
)


def verdict_sentence(judged: JudgedModel, settings: PrepareSettings) -> str:
    """One sentence about all cases of a model, the worst of them first; or what makes all of them mean nothing."""
    wrong = [case for case in judged.cases if case.row.agreement == "disagrees"]
    failed = [case for case in judged.cases if case.row.status not in _RAN and case not in wrong]
    unsure = [case for case in judged.cases if case.row.agreement != "agrees" and case not in [*wrong, *failed]]
    right = [case for case in judged.cases if case not in [*wrong, *failed, *unsure]]
    known = headline(judged)
    if known:
        lost = f"; {_names(failed, judged)} could not run: {failed[0].row.status_reason}" if failed else ""
        return f"{judged.spec.display}: {known}{lost}"
    if wrong:
        first = _wrong(wrong, judged, settings)
    elif failed:
        first = f"{_names(failed, judged)} could not run: {failed[0].row.status_reason}"
    elif unsure:
        why = _reason(unsure[0])
        first = f"cannot tell whether {_names(unsure, judged)} {_compute(unsure)} the same function: {why}"
    else:
        return f"{judged.spec.display}: {_right(right, judged)}{_SATURATED if is_saturated(judged) else ''}"
    rest = f"; {_names(right, judged)} {_compute(right)} the same function" if right else ""
    return f"{judged.spec.display}: {first}{rest}"


def worst_attribution(case: JudgedCase) -> Attribution | None:
    """Whose error the output has that decides the case; of a case without outputs the first with somebody to blame."""
    worst = worst_check(case.checks)
    if worst is not None:
        return next((one for one in case.chain if one.output == worst.output), None)
    return next((one for one in case.chain if one.blame), None)


def yardstick_name(truth: str | None) -> str:
    """What the yardstick is, in words."""
    return "TensorFlow's own float32" if is_tensorflow_truth(truth) else "one rounding of the weights"


def is_tensorflow_truth(truth: str | None) -> bool:
    """Whether the yardstick is the error of TensorFlow in float32: the truth is the Keras model in float64."""
    return truth is not None and truth.startswith("float64")


def runtime_of(row: Row) -> str:
    """The runtime as it was asked for."""
    return row.runtime_spec or row.runtime


def _wrong(cases: Sequence[JudgedCase], judged: JudgedModel, settings: PrepareSettings) -> str:
    case = max(cases, key=lambda one: one.row.relative_error or 0.0)
    worst, found = worst_check(case.checks), worst_attribution(case)
    does = "do" if len(cases) > 1 else "does"
    if worst is not None and _is_named_otherwise(worst):
        return f"{_names(cases, judged)} cannot be compared, the names of outputs differ: {worst.reason}"
    says = [_how_far(worst)] if worst is not None else []
    finding = next(iter(case.findings), None)
    says += [finding.text] if finding is not None and finding.text not in "".join(says) else []
    if found is not None and found.blame is not None:
        says.append(_blame(case, found, judged.truth, settings))
    elif worst is None:
        says.append(_reason(case))
    says.append(_way_on(case, found, finding, judged.spec, settings))
    about = f"{runtime_of(case.row)}'s " if len(cases) > 1 and worst is not None else ""
    told = "; ".join(filter(None, says))
    return f"{_names(cases, judged)} {does} not compute the same function: {about}{told}"


def _is_named_otherwise(check: OutputCheck) -> bool:
    """Whether all that is wrong is a name: the reason then has the flag that mends it (``analysis/naming.py``)."""
    return check.reason.startswith(f"output {check.output!r} is missing") and "-names " in check.reason


def _blame(case: JudgedCase, found: Attribution, truth: str | None, settings: PrepareSettings) -> str:
    is_users = settings.litert_file is not None and case.row.runtime == "litert" and found.blame == RUNTIME
    if is_users and len(found.links) == 1:
        return "the file of --litert is wrong: it was run as it was given"
    said = explain_blame(found, runtime_of(case.row), "file of --onnx" if settings.onnx_file else "export")
    if found.blame == EXPORT and truth == STORED:  # nothing was exported, and nobody says which of the two is wrong
        return f"the file does not compute its stored outputs:{said.partition(':')[2]}"
    return said


def _right(cases: Sequence[JudgedCase], judged: JudgedModel) -> str:
    """All agree: the one that is furthest off, TensorFlow itself last, and where that is from."""
    others = [case for case in cases if not case.row.runtime.startswith("tensorflow")] or cases
    case = max(others, key=lambda one: _share(worst_check(one.checks)))
    worst, found = worst_check(case.checks), worst_attribution(case)
    error = None if worst is None else judged_error(worst)
    first = f"{_names(cases, judged)} {_compute(cases)} the same function"
    if worst is None or error is None:
        return first
    furthest = ", the furthest," if len(others) > 1 else ""
    who = f"{runtime_of(case.row)}{furthest} is " if len(cases) > 1 else ""
    allowed = "" if worst.tolerance is None else f" where {units.error(worst.tolerance)} is allowed"
    own = worst.yardstick if worst.yardstick is not None else found.yardstick if found else None
    yardstick = "" if own is None else f" ({yardstick_name(judged.truth)}: {units.error(own)})"
    if error == 0:
        return f"{first}: {who}equal to the truth in every entry"
    source = (
        f"; {explain_source(found)}" if found is not None and (found.source != RUNTIME or len(found.links) > 1) else ""
    )
    rms = "" if worst.precision_error is None else " (rms)"
    return f"{first}: {who}off by {units.error(error)}{rms} of the outputs' spread{allowed}{yardstick}{source}"


def _how_far(check: OutputCheck) -> str:
    error = judged_error(check)
    if error is None or check.tolerance is None:
        about = f"output {check.output!r}"
        return check.reason if check.reason.startswith(about) else f"{about}: {check.reason}"
    allowed = units.error(check.tolerance)
    return f"output {check.output!r} is off by {units.error(error)} of its spread where {allowed} is allowed"


def _way_on(
    case: JudgedCase, found: Attribution | None, finding: Finding | None, spec: ModelSpec, settings: PrepareSettings
) -> str:
    """The command that finds the layer; nothing where there is none to be found, or no ONNX file to be taken apart."""
    if found is None or found.blame is None or (len(found.links) == 1 and found.blame == RUNTIME):
        return ""
    if finding is not None and finding.code.startswith(_AT_THE_BORDER):
        return ""
    runtime = "cpu" if found.blame == EXPORT else runtime_of(case.row)
    return f"find the layer: {bisect_command(runtime, spec, settings)}"


def _names(cases: Sequence[JudgedCase], judged: JudgedModel) -> str:
    batches = {case.row.batch_size for case in judged.cases}
    several = len(batches) > 1
    names = [f"{runtime_of(c.row)} (batch {c.row.batch_size})" if several else runtime_of(c.row) for c in cases]
    *first, last = dict.fromkeys(names)
    return f"{', '.join(first)} and {last}" if first else last


def _compute(cases: Sequence[JudgedCase]) -> str:
    return "compute" if len(cases) > 1 else "computes"


def _reason(case: JudgedCase) -> str:
    row = case.row
    return (row.agreement_reason if row.status in _RAN else row.status_reason) or row.agreement


def _share(check: OutputCheck | None) -> float:
    """How much of its tolerance a check used."""
    return 0.0 if check is None else (judged_error(check) or 0.0) / (check.tolerance or 1.0)
