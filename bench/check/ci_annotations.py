"""Gates -> the workflow commands that a GitHub runner turns into annotations. Pure.

A runner shows ten of a level in a step: the tenth of more says how many there are besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.check.ci_gates import LEVELS, FoundGate, Level, WhenInconclusive, faults, judged_of, level_of, tally
from bench.check.ci_wording import changed
from bench.report.text import visible

SHOWN = 10  # of a level in one step
LONGEST = 4000  # characters of a message

Annotation = tuple[Level, str, str]  # level, title, message


def annotation_lines(gates: Sequence[FoundGate], inconclusive: WhenInconclusive = "warn") -> list[str]:
    """One line an annotation, errors first; passes are one notice a gate."""
    said = [one for gate in gates for one in _of_gate(gate, inconclusive)]
    if not gates:
        said.append(("error", "NOT MEASURED", "no gate was given"))
    return [_line(one) for level in LEVELS for one in _shown([one for one in said if one[0] == level])]


def _of_gate(gate: FoundGate, inconclusive: WhenInconclusive) -> Iterator[Annotation]:
    for word, why in faults(gate):
        yield "error", f"{word}: {gate.folder}", why
    if gate.result is None:
        return
    for one in judged_of(gate):
        if one.answer != "PASS":
            message = ". ".join([part for part in (changed(one), one.reason, *one.notes) if part])
            yield level_of(one, gate.result, inconclusive), f"{one.answer}: {one.case}, {one.metric}", message
    if all(one.answer == "PASS" for one in gate.result.judged) and gate.result.judged:
        yield "notice", f"PASS: {gate.folder}", tally([gate])
    for note in gate.result.notes:
        yield "notice", f"note: {gate.folder}", note
    for name in gate.result.new_cases:
        yield "notice", "not gated", f"{name} is in head alone: it is gated once the baseline has it"


def _shown(said: Sequence[Annotation]) -> Sequence[Annotation]:
    if len(said) <= SHOWN:
        return said
    level, title, message = said[SHOWN - 1]
    more = f"and {len(said) - SHOWN} more of this level, all in the job summary. {message}"
    return [*said[: SHOWN - 1], (level, title, more)]


def _line(annotation: Annotation) -> str:
    level, title, message = annotation
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    shown = visible(text)
    cut = shown if len(shown) <= LONGEST else shown[: LONGEST - 3] + "..."
    return cut.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
