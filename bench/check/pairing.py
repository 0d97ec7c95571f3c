"""Two bundles -> which case meets which, and which can't: the baseline's set is what is expected. Pure.

A case that is gone, renamed or not comparable is a verdict with its reason, never a line less in the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.check.records import Bundle, BundledCase, GateAnswer, Judged, Metric
from bench.records import Failure, Record


class PairedCase(Record, frozen=True):
    """One case of the baseline with head's."""

    name: str
    delta: float
    baseline: BundledCase
    head: BundledCase


class Pairing(Record, frozen=True):
    """What meets what."""

    cases: tuple[PairedCase, ...]
    refused: tuple[Judged, ...]  # one for each metric of a case that can't be gated
    new: tuple[str, ...]  # in head alone


def pair_cases(
    baseline: Bundle, head: Bundle, *, metrics: Sequence[Metric], delta: float, budgets: Mapping[str, float]
) -> Pairing:
    """Every case of the baseline, paired by name or refused with the field that differs."""
    counts = Counter(case.name for case in baseline.cases)
    others = Counter(case.name for case in head.cases)
    heads = {case.name: case for case in head.cases}
    cases: list[PairedCase] = []
    refused: list[Judged] = []
    for case in {case.name: case for case in baseline.cases}.values():
        allowed = budgets.get(case.name, delta)
        other = heads.get(case.name)
        answer: GateAnswer = "NOT COMPARABLE"
        if lost := head.missing.get(case.name):
            answer, why = _lost(lost)
        elif max(counts[case.name], others[case.name]) > 1:
            why = "the case is there more than once: label its runtimes, as in cpu#a,cpu#b"
        elif other is None:
            why = _gone(case.name, [name for name in heads if name not in counts])
        else:
            why = difference(baseline, case, head, other)
            if not why:
                cases.append(PairedCase(name=case.name, delta=allowed, baseline=case, head=other))
                continue
        refused += [
            Judged(case=case.name, metric=metric, answer=answer, reason=why, delta=allowed) for metric in metrics
        ]
    for name, answer, why in _never_had(baseline, head):
        allowed = budgets.get(name, delta)
        refused += [Judged(case=name, metric=metric, answer=answer, reason=why, delta=allowed) for metric in metrics]
    new = tuple(name for name in heads if name not in counts and name not in baseline.missing)
    return Pairing(cases=tuple(cases), refused=tuple(refused), new=new)


def _gone(name: str, left: Sequence[str]) -> str:
    """Why a case has no other side: new cases of head's may be it with another batch or other threads, or renamed."""
    for other in left:
        unlike = [(was, now) for was, now in zip(name.split(" | "), other.split(" | "), strict=False) if was != now]
        if len(unlike) == 1 and unlike[0][0].startswith(("batch ", "threads ")):
            return f"gone: head has {unlike[0][1]} in the place of {unlike[0][0]}"
    return f"gone: head has no such case{f', but a new one {left[0]}: renamed?' if left else ''}"


def difference(baseline: Bundle, one: BundledCase, head: Bundle, other: BundledCase) -> str:
    """The first field in which the two can't be compared, with both values; "" where there is none."""
    fields = {
        "inputs": (baseline.models[one.case.model].pool.digest[:12], head.models[other.case.model].pool.digest[:12]),
        "batch": (one.case.batch_size, other.case.batch_size),
        "threads": (one.case.threads, other.case.threads),
        "boundary": (one.case.boundary, other.case.boundary),
    }
    if one.case.runtime.name == other.case.runtime.name:
        fields["call path"] = (one.info.call_path, other.info.call_path)
        fields["provider"] = (one.info.provider, other.info.provider)
    found = next((name for name, (a, b) in fields.items() if a != b), None)
    if found is None:
        return ""
    hint = "; give the seed and the --input-* flags of the baseline" if found == "inputs" else ""
    return f"{found} differ: {fields[found][0]} against {fields[found][1]}{hint}"


def _never_had(baseline: Bundle, head: Bundle) -> Iterator[tuple[str, GateAnswer, str]]:
    """The cases that the baseline could not be bundled with, and new ones that head could not: asked for, not there."""
    there = {case.name for case in baseline.cases}
    for name in dict.fromkeys((*baseline.missing, *head.missing)):
        if name in there:
            continue
        if name in head.missing:
            answer, why = _lost(head.missing[name])
            yield name, answer, why if name in baseline.missing else f"new: {why}"
        else:
            yield name, "NOT COMPARABLE", f"baseline {baseline.missing[name].status}: {baseline.missing[name].reason}"


def _lost(failure: Failure) -> tuple[GateAnswer, str]:
    """What it means that head has not got a case that it was asked for."""
    answer: GateAnswer = "DISAGREES" if failure.verdict == "disagrees" else "FAILED"
    return answer, f"head {failure.status}: {failure.reason}"


def names_of(cases: Sequence[tuple[str, str, str, int, int, str]]) -> list[str]:
    """A name for each (model, runtime, options, batch, threads, label) that another version of the same case shares.

    Options are in it only where it would not be unique without them.
    """
    short = [
        f"{model} | {runtime}{f'#{label}' if label else ''} | batch {batch} | threads {threads}"
        for model, runtime, _options, batch, threads, label in cases
    ]
    twice = {name for name, count in Counter(short).items() if count > 1}
    return [
        f"{model} | {runtime}:{options} | batch {batch} | threads {threads}" if name in twice and options else name
        for name, (model, runtime, options, batch, threads, _label) in zip(short, cases, strict=True)
    ]
