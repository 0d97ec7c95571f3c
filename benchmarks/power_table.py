"""What happened to each file -> who called it out, as tables. Pure: runs nothing, reads nothing.

A mutant is *equivalent*, listed and not scored, where its outputs have the correct file's names, shapes and types and
are bitwise equal to it or within ``EQUIVALENT_WITHIN`` times the correct files' own largest error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.analysis.detection import EQUIVALENT_WITHIN
from bench.analysis.shares import exact_interval
from bench.units import error as in_short
from benchmarks.judges import JUDGES


@dataclass(frozen=True)
class Outcome:
    """One file of one model, run once and judged by everyone."""

    model: str
    kind: str  # of the mutant; optimisation level and threads of a correct file
    is_correct: bool
    verdict: str  # ours
    reason: str
    relative_error: float | None
    tolerance: float | None
    passes: tuple[bool, ...]  # one for each of JUDGES
    same_form: bool  # names, shapes and types of the outputs are those of the correct file
    bitwise_equal: bool  # to the correct file


@dataclass(frozen=True)
class Score:
    """How one judge did: wrong files called out, correct ones falsely so."""

    judge: str
    called_out: int
    scored: int
    false_alarms: int
    correct: int


def own_error(outcomes: Sequence[Outcome], model: str) -> float:
    """Largest error of a model's correct files; 0 where none has a number."""
    errors = [o.relative_error for o in outcomes if o.model == model and o.is_correct]
    return max((error for error in errors if error is not None), default=0.0)


def is_equivalent(outcome: Outcome, own: float) -> bool:
    """Whether a mutant is as good as a correct file with the largest error ``own``."""
    if outcome.is_correct or not outcome.same_form:
        return False
    error = outcome.relative_error
    return outcome.bitwise_equal or (error is not None and error <= EQUIVALENT_WITHIN * own)


def scored(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The mutants that have to be called out."""
    own = {model: own_error(outcomes, model) for model in models(outcomes)}
    return [o for o in outcomes if not o.is_correct and not is_equivalent(o, own[o.model])]


def equivalents(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The mutants that no judge could tell from a correct file."""
    counted = scored(outcomes)
    return [o for o in outcomes if not o.is_correct and o not in counted]


def models(outcomes: Sequence[Outcome]) -> list[str]:
    """Models in the order in which they were judged."""
    return list(dict.fromkeys(o.model for o in outcomes))


def is_called_out(outcome: Outcome) -> bool:
    """Whether our check says that this is another function: vacuous does not count."""
    return outcome.verdict == "disagrees"


def mistakes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Scored mutants that our check did not call out, and correct files that it did not let pass."""
    alarms = [o for o in outcomes if o.is_correct and o.verdict != "agrees"]
    return [*(o for o in scored(outcomes) if not is_called_out(o)), *alarms]


def untrained(outcomes: Sequence[Outcome], calibrated: Sequence[Outcome]) -> list[Outcome]:
    """The correct files of untrained networks, and the mutants of the kinds that were scored with calibrated weights.

    Models are paired by order. Where the check can tell files apart, equivalents are left out here as well; where it
    can't, a wrong file is often bitwise equal to the correct one: that is the point.
    """
    kinds = {(o.model, o.kind) for o in scored(calibrated)}
    trained = dict(zip(models(outcomes), models(calibrated), strict=True))
    vacuous = {o.model for o in outcomes if o.is_correct and o.verdict == "vacuous"}
    same = [o for o in equivalents(outcomes) if o.model not in vacuous]
    return [o for o in outcomes if o.is_correct or ((trained[o.model], o.kind) in kinds and o not in same)]


def undetected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Wrong files that our check let pass, whatever the correct files' error."""
    return [o for o in outcomes if not o.is_correct and o.verdict == "agrees"]


def scores(outcomes: Sequence[Outcome]) -> list[Score]:
    """Ours and every other judge, on the same files."""
    wrong, right = scored(outcomes), [o for o in outcomes if o.is_correct]

    def score(judge: str, calls: Callable[[Outcome], bool], alarms: Callable[[Outcome], bool]) -> Score:
        return Score(judge, sum(map(calls, wrong)), len(wrong), sum(map(alarms, right)), len(right))

    ours = score("ours", is_called_out, lambda o: o.verdict != "agrees")
    return [ours, *(score(judge, _rejects(i), _rejects(i)) for i, judge in enumerate(JUDGES))]


# --- Markdown ---------------------------------------------------------------------------------------------------------


def render_files(outcomes: Sequence[Outcome]) -> str:
    """One row a file, correct ones first within each model, equivalents left out."""
    counted = scored(outcomes)
    shown = sorted((o for o in outcomes if o.is_correct or o in counted), key=lambda o: not o.is_correct)
    rows = [o for model in models(outcomes) for o in shown if o.model == model]
    header = ["model", "file", "relative error", "tolerance", "ours", *JUDGES]
    return _markdown(header, [_file_row(o) for o in rows])


def render_equivalents(outcomes: Sequence[Outcome]) -> str:
    """The mutants that were not scored, and the error that makes them equivalent."""
    rows = []
    for o in equivalents(outcomes):
        own = in_short(own_error(outcomes, o.model))
        why = "bitwise equal to the correct file" if o.bitwise_equal else f"correct files are off by {own}"
        rows.append([o.model, o.kind, in_short(o.relative_error), why, o.verdict])
    return _markdown(["model", "file", "relative error", "why equivalent", "ours"], rows)


def render_gaps(outcomes: Sequence[Outcome]) -> str:
    """Model by model: how far the nearest wrong file is from the farthest correct one."""
    rows = []
    for model in models(outcomes):
        wrong = [o for o in scored(outcomes) if o.model == model]
        nearest = min((o for o in wrong if o.relative_error is not None and o.same_form), key=_error, default=None)
        own, tolerance = own_error(outcomes, model), next(o.tolerance for o in outcomes if o.model == model)
        gap = f"{_error(nearest) / own:.3g}" if nearest and own else "-"
        kind, least = (nearest.kind, in_short(_error(nearest))) if nearest else ("-", "-")
        rows.append([model, str(len(wrong)), in_short(own), in_short(tolerance), least, kind, gap])
    header = [
        "model",
        "kinds scored",
        "largest correct error",
        "tolerance",
        "smallest wrong error",
        "its kind",
        "ratio",
    ]
    return _markdown(header, rows)


def render_scores(outcomes: Sequence[Outcome]) -> str:
    """Wrong files called out and false alarms of each judge, with exact intervals."""
    rows = [[s.judge, _share(s.called_out, s.scored), _share(s.false_alarms, s.correct)] for s in scores(outcomes)]
    return _markdown(["judge", "wrong files called out", "correct files called out"], rows)


def render_models(outcomes: Sequence[Outcome]) -> str:
    """Model by model and judge by judge: wrong files called out, then correct ones accused where there are some."""
    rows = []
    for model in models(outcomes):
        found = scores([o for o in outcomes if o.model == model])
        alarms = [f", {s.false_alarms} of {s.correct} accused" if s.false_alarms else "" for s in found]
        cells = [f"{s.called_out}{alarm}" for s, alarm in zip(found, alarms, strict=True)]
        rows.append([model, str(found[0].scored), *cells])
    return _markdown(["model", "wrong files", "ours", *JUDGES], rows)


def render_vacuous(outcomes: Sequence[Outcome]) -> str:
    """Model by model: what our check says of every mutant, and how many each other judge lets pass."""
    rows = []
    for model in models(outcomes):
        own = [o for o in outcomes if o.model == model]
        wrong = [o for o in own if not o.is_correct]
        correct = ", ".join(sorted({o.verdict for o in own if o.is_correct}))
        by_verdict = [sum(o.verdict == verdict for o in wrong) for verdict in ("agrees", "vacuous", "disagrees")]
        passed = [sum(o.passes[i] for o in wrong) for i in range(len(JUDGES))]
        rows.append([model, correct, *map(str, [len(wrong), *by_verdict, *passed])])
    header = ["model", "ours: correct file", "wrong files", "ours: agrees", "vacuous", "disagrees"]
    return _markdown([*header, *(f"pass {judge}" for judge in JUDGES)], rows)


def _file_row(o: Outcome) -> list[str]:
    name = f"*correct, {o.kind}*" if o.is_correct else o.kind
    passes = ["passes" if passed else "fails" for passed in o.passes]
    return [o.model, name, in_short(o.relative_error), in_short(o.tolerance), o.verdict, *passes]


def _share(part: int, whole: int) -> str:
    if not whole:
        return "0 of 0"
    low, high = exact_interval(part, whole)
    return f"{part} of {whole} ({100 * low:.1f} to {100 * high:.1f} %)"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _rejects(place: int) -> Callable[[Outcome], bool]:
    return lambda outcome: not outcome.passes[place]


def _error(outcome: Outcome) -> float:
    return outcome.relative_error if outcome.relative_error is not None else float("inf")
