"""Two profiled cases that are to be compared: which two, in what they differ, and whether that forbids it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.analysis.profiled import Profile, ProfiledCase
from bench.analysis.summary import barred_rows
from bench.check.comparability import run_differences, spell_difference
from bench.check.compare_records import Difference
from bench.errors import UsageError
from bench.records import Prepared, Record

_FORBID_OF_RUN = ("cpu", "isa", "effective_cpus")  # another machine, or less of it
_FORBID_OF_CASE = ("threads", "batch_size", "streams", "boundary")
_TOLD_OF_CASE = (
    *("model", "runtime_spec", "runtime_version", "provider", "call_path", "precision", "model_digest"),
    *("artifact_digest", "input_digest"),
)
_SHOWN_DIGEST = 12


class Sides(Record, frozen=True):
    """A and B, and what must be said of comparing them."""

    a: ProfiledCase
    b: ProfiledCase
    is_paired: bool  # of one command, measured interleaved
    forbidden: tuple[str, ...]  # why they can't be compared; empty where they can
    told: tuple[str, ...]  # what differs besides
    barred: tuple[str, ...] = ()  # sides that cannot win, each with why: they are shown, and no change is told of them


def sides_of(a: Profile, b: Profile | None = None) -> list[Sides]:
    """The cases of two profiles that belong together, or the two of one that was measured for it.

    Of two profiles: the only case of each, else those of the same runtime, batch and streams, and of one model where
    there are several. UsageError where none do.
    """
    if b is None:
        if len(a.cases) != 2:
            raise UsageError(
                f"--diff compares two cases, {len(a.cases)} were asked for: give two runtimes or two models"
            )
        return [_sides(a, a.cases[0], a, a.cases[1])]
    pairs = _pairs(a.cases, b.cases)
    if not pairs:
        names = " against ".join(_listed([case.row.case_id for case in one.cases]) for one in (a, b))
        raise UsageError(
            f"--diff: no case of both has the same runtime, batch, streams and model: {names}; profile the same ones"
        )
    return [_sides(a, ours, b, theirs) for ours, theirs in pairs]


def _pairs(a: Sequence[ProfiledCase], b: Sequence[ProfiledCase]) -> list[tuple[ProfiledCase, ProfiledCase]]:
    if len(a) == len(b) == 1:
        return [(a[0], b[0])]
    found: list[tuple[ProfiledCase, ProfiledCase]] = []
    for key in dict.fromkeys(map(_key, a)):
        found += _alike([case for case in a if _key(case) == key], [case for case in b if _key(case) == key])
    return found


def _alike(a: list[ProfiledCase], b: list[ProfiledCase]) -> list[tuple[ProfiledCase, ProfiledCase]]:
    """Cases of one key: those of one model, else of one file's bytes; others only where one is left on each side."""
    found = []
    for field in ("model", "model_digest"):
        ours, theirs = (_singles(side, field) for side in (a, b))
        same = [(case, theirs[value]) for value, case in ours.items() if value in theirs]
        found += same
        a = [case for case in a if not any(case is one for one, _ in same)]
        b = [case for case in b if not any(case is one for _, one in same)]
    return [*found, (a[0], b[0])] if len(a) == len(b) == 1 else found


def _singles(cases: Sequence[ProfiledCase], field: str) -> dict[str, ProfiledCase]:
    """Cases by their value of a field, those whose value no other has."""
    values = [getattr(case.row, field) for case in cases]
    return {value: case for value, case in zip(values, cases, strict=True) if value and values.count(value) == 1}


def _key(case: ProfiledCase) -> tuple[str, int, int]:
    return case.row.runtime_spec, case.row.batch_size, case.row.streams


def _sides(of_a: Profile, a: ProfiledCase, of_b: Profile, b: ProfiledCase) -> Sides:
    run = run_differences(of_a.environment, of_b.environment)
    case = [found for field in (*_FORBID_OF_CASE, *_TOLD_OF_CASE) if (found := _difference(a, b, field)) is not None]
    every = [*run, *case, *_shapes(of_a, a, of_b, b)]
    forbid = {*_FORBID_OF_RUN, *_FORBID_OF_CASE, "inputs"}
    return Sides(
        a=a,
        b=b,
        is_paired=of_a is of_b,
        forbidden=(
            *(spell_difference(one) for one in every if one.field in forbid),
            *_unprofiled("A", a),
            *_unprofiled("B", b),
            *(_apart(a, b) if of_a is of_b else ()),
        ),
        told=tuple(spell_difference(one) for one in every if one.field not in forbid),
        barred=tuple(
            f"{letter} is not verified or not whole ({why})"
            for letter, side in (("A", a), ("B", b))
            for _, why in barred_rows([side.row])
        ),
    )


def _difference(a: ProfiledCase, b: ProfiledCase, field: str) -> Difference | None:
    ours, theirs = (str(getattr(case.row, field)) for case in (a, b))
    if ours == theirs:
        return None
    if field.endswith("_digest"):
        ours, theirs = ours[:_SHOWN_DIGEST], theirs[:_SHOWN_DIGEST]
    return Difference(field=field, reference=ours, other=theirs, is_allowed=False)


def _shapes(of_a: Profile, a: ProfiledCase, of_b: Profile, b: ProfiledCase) -> Iterator[Difference]:
    """Shapes and types of the models' inputs: other names are no other work."""
    ours, theirs = (_inputs(one.environment.models.get(case.row.model)) for one, case in ((of_a, a), (of_b, b)))
    if ours != theirs:
        yield Difference(field="inputs", reference=ours, other=theirs, is_allowed=False)


def _inputs(prepared: Prepared | None) -> str:
    if prepared is None:
        return "unknown"
    return ", ".join(f"{one.dtype}{list(one.shape)}" for one in prepared.inputs)


def _unprofiled(letter: str, case: ProfiledCase) -> Iterator[str]:
    """A side without kernels, or whose outputs are another function's: no speed without agreement."""
    if not case.kernels:
        yield f"{letter} has no operator times: {case.reason or case.row.status_reason or 'it was not measured'}"
    if case.row.agreement == "disagrees":
        yield f"the outputs of {letter} disagree: its time is that of another function"


def _apart(a: ProfiledCase, b: ProfiledCase) -> Iterator[str]:
    """Cases that were to be measured interleaved, of which no repetition is whole on both sides."""
    if a.kernels and b.kernels and not set(a.repetitions) & set(b.repetitions):
        yield "no repetition has both, so that there are no pairs"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
