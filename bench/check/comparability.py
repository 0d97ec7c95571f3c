"""Two runs or two cases -> the fields in which they differ, with both values. Pure.

What jitters (frequency, load, time of day, bytes of memory to the last page) is no field here. A value that one side
does not know is a difference, that neither knows is none; of shares of placement only known ones are compared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from bench import units
from bench.check.compare_records import CASE_FIELDS, RUN_FIELDS, Difference
from bench.errors import UsageError
from bench.records import Environment, Tolerance
from bench.rows import Row

UNKNOWN = "unknown"
NONE = "none"
SAME_MEMORY = 1.1  # two sizes of memory within this ratio are one class: kernels keep more or less for themselves
SAME_SHARE = 0.02  # two shares of kernel time so near are one: they are measured
_NO_MATTER = {"pandas", "msgspec"}  # packages that no worker's number depends on
_SHOWN_DIGEST = 12
_OPTION = re.compile(r",(?=[A-Za-z_][\w.-]*=)")
_SHARE = re.compile(r" [<>]?\d+%(?=,|$)")


def parse_allowed(texts: Iterable[str]) -> frozenset[str]:
    """The fields of ``--allow``, comma lists or repeated. UsageError lists the right ones."""
    fields = frozenset(piece.strip() for text in texts for piece in text.split(","))
    wrong = sorted(fields - {*RUN_FIELDS, *CASE_FIELDS})
    if wrong:
        known = ", ".join((*RUN_FIELDS, *CASE_FIELDS))
        raise UsageError(f"--allow {','.join(wrong)}: no such field; fields that can be allowed to differ are {known}")
    return fields


def run_differences(
    reference: Environment, other: Environment, allowed: Collection[str] = ()
) -> tuple[Difference, ...]:
    """In what the two runs themselves differ: machine, versions, seed, and whether they came to their end."""
    found = [
        _difference(field, ours, theirs, allowed)
        for field, ours, theirs in (*_machine(reference, other), *_packages(reference, other))
        if ours != theirs
    ]
    return tuple(found)


def case_differences(reference: Row, other: Row, allowed: Collection[str] = ()) -> tuple[Difference, ...]:
    """In what one case differs on the two sides."""
    found = []
    for field in CASE_FIELDS:
        ours, theirs = _value(reference, field), _value(other, field)
        if ours != theirs and not _is_same_place(field, ours, theirs):
            found.append(_difference(field, *_shown(field, ours, theirs), allowed))
    return tuple(found)


def spell_difference(difference: Difference) -> str:
    """``threads: 2 against 1``, the reference's value first."""
    allowed = " (allowed)" if difference.is_allowed else ""
    return f"{difference.field}: {difference.reference} against {difference.other}{allowed}"


def _machine(reference: Environment, other: Environment) -> Iterator[tuple[str, str, str]]:
    ours, theirs = reference.machine, other.machine
    yield "cpu", ours.cpu, theirs.cpu
    yield "isa", _beyond(ours.isa, theirs.isa), _beyond(theirs.isa, ours.isa)
    yield "effective_cpus", str(ours.effective_cpus), str(theirs.effective_cpus)
    sizes = sorted((ours.memory_bytes, theirs.memory_bytes))
    if sizes[1] > sizes[0] * SAME_MEMORY:
        yield "memory", units.size(ours.memory_bytes), units.size(theirs.memory_bytes)
    yield "system", ours.system, theirs.system
    yield "python", ours.python, theirs.python
    yield "bench_version", reference.bench_version, other.bench_version
    yield "seed", str(reference.suite.prepare.seed), str(other.suite.prepare.seed)
    yield "tolerance", _rule(reference.suite.tolerance), _rule(other.suite.tolerance)
    yield "finished", _yes(reference.finished), _yes(other.finished)


def _packages(reference: Environment, other: Environment) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*reference.packages, *other.packages} - _NO_MATTER):
        yield f"package {name}", reference.packages.get(name, NONE), other.packages.get(name, NONE)


def _difference(field: str, reference: str, other: str, allowed: Collection[str]) -> Difference:
    is_allowed = field.partition(" ")[0] in allowed
    return Difference(field=field, reference=reference, other=other, is_allowed=is_allowed)


def _shown(field: str, ours: object, theirs: object) -> tuple[str, str]:
    """Both values, no longer than it takes to tell them apart."""
    if field == "runtime_options":
        mine, yours = (_OPTION.split(str(options)) if options else [] for options in (ours, theirs))
        return _beyond(mine, yours, ","), _beyond(yours, mine, ",")
    if field.endswith("_share"):
        return _share(ours), _share(theirs)
    words = [UNKNOWN if value is None else str(value) for value in (ours, theirs)]
    if field.endswith("_digest") and words[0][:_SHOWN_DIGEST] != words[1][:_SHOWN_DIGEST]:
        words = [word[:_SHOWN_DIGEST] for word in words]
    return words[0], words[1]


def _share(value: Any) -> str:
    return f"{100 * value:.4g} %"


def _value(row: Row, field: str) -> object:
    """The row's value; of a provider without the shares of several, which jitter."""
    value = getattr(row, field)
    return _SHARE.sub("", value) if field == "provider" and value is not None else value


def _is_same_place(field: str, ours: Any, theirs: Any) -> bool:
    """Whether shares say the same of where it ran; one that a side does not know says nothing of it."""
    if field not in ("node_share", "time_share"):
        return False
    if ours is None or theirs is None:
        return True
    return field == "time_share" and abs(ours - theirs) <= SAME_SHARE


def _rule(tolerance: Tolerance) -> str:
    """What a user allows instead of the measured tolerance."""
    both = {"rtol": tolerance.rtol, "atol": tolerance.atol}
    said = [
        f"{name} {output + ':' if output else ''}{value:g}"
        for name, by_output in both.items()
        for output, value in sorted(by_output.items())
    ]
    return ", ".join(said) or "measured"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _beyond(ours: Collection[str], theirs: Collection[str], separator: str = " ") -> str:
    """What only the first has; an order that differs is told whole."""
    if ours != theirs and set(ours) == set(theirs):
        return separator.join(ours)
    return separator.join(one for one in ours if one not in theirs) or NONE
