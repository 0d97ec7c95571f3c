"""The gate's self-test: what is tried, and what each trial came to. Pure; ``selftest_counts`` judges the lot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from bench.check.gate_summary import mean_load
from bench.check.pair_values import mean_known
from bench.check.records import GateResult, Metric
from bench.errors import EXIT_CANNOT_TELL, EXIT_CASE_FAILED, EXIT_DISAGREE, EXIT_OK, EXIT_OVER_BUDGET
from bench.records import Record

TrialKind = Literal["same", "nodes", "busy", "wrong", "fallback", "gone"]
PlantKind = Literal["nodes", "busy"]
Load = Literal["quiet", "burst"]
Outcome = Literal["fired", "missed", "inconclusive", "failed"]

KINDS: tuple[TrialKind, ...] = ("same", "nodes", "busy", "wrong", "fallback", "gone")
SLOW: tuple[TrialKind, ...] = ("nodes", "busy")
_FAR = 1_000_000  # between the seeds of two self-tests


class Identity(Record, frozen=True, tag="identity"):
    """First line of a file of trials: what they are trials of. Trials of two identities are not counted together."""

    bench_version: str
    sources: str  # digest of the code that measures and decides
    model: str
    model_digest: str
    runtime: str
    runtime_version: str
    threads: int
    delta: float
    alpha: float
    beta: float
    max_pairs: int
    cpu: str
    cpus: int


class Plant(Record, frozen=True, tag="plant"):
    """A slowdown that is planted: chosen by measuring. Changes are head over baseline less 1."""

    kind: PlantKind
    share: float  # asked for
    amount: float  # nodes: of the multiply-adds; busy: of each call
    text: str
    change: float  # measured
    change_low: float  # two-sided bounds at ``level``
    change_high: float
    level: float
    pairs: int


class Key(Record, frozen=True):
    """One trial to be made."""

    kind: TrialKind
    number: int
    load: Load
    seed: int
    share: float | None = None  # of a planted slowdown
    variant: str = ""  # which wrong kernel, which fallback


class Trial(Record, frozen=True, tag="trial"):
    """One whole gate."""

    key: Key
    answers: dict[Metric, str]
    exit_code: int
    pairs: int
    seconds: float
    change: float | None = None
    bound: float | None = None  # lower where it regressed, else upper; one-sided at the deciding look's size
    sd: float | None = None
    load_1min: float | None = None
    foreign_cpus: float | None = None
    reason: str = ""  # of the strongest verdict


Line = Identity | Plant | Trial


def plan_trials(
    *, aa: int, plants: int, share: float, load: Load, seed: int, slow: Sequence[PlantKind], faults: Sequence[Key]
) -> list[Key]:
    """Every trial: the faults that must fire first, then identical and slow ones mixed evenly. Nothing is drawn.

    ``faults`` come with kind and variant; number, load and seed are put in here.
    """
    lots: dict[TrialKind, list[Key]] = {"same": [Key(kind="same", number=n, load=load, seed=0) for n in range(aa)]}
    for kind in slow:
        lots[kind] = [Key(kind=kind, number=n, load=load, seed=0, share=share) for n in range(plants)]
    mixed = sorted(
        (key for lot in lots.values() for key in lot),
        key=lambda key: ((key.number + 0.5) / len(lots[key.kind]), KINDS.index(key.kind)),
    )
    first = [Key(kind=one.kind, number=n, load=load, seed=0, variant=one.variant) for n, one in enumerate(faults)]
    return [_with_seed(key, seed) for key in (*first, *mixed)]


def missing(planned: Sequence[Key], trials: Sequence[Trial]) -> list[Key]:
    """What of the plan was not tried yet."""
    tried = {trial.key for trial in trials}
    return [key for key in planned if key not in tried]


def make_trial(key: Key, result: GateResult) -> Trial:
    """The gate's result as a line of the file."""
    latency = next((one for one in result.judged if one.metric == "latency"), None)
    loud = next((one for one in result.judged if one.answer != "PASS"), latency)
    regressed = latency is not None and latency.answer == "REGRESSED"
    return Trial(
        key=key,
        answers={one.metric: one.answer for one in result.judged},
        exit_code=result.exit_code,
        pairs=len(result.pairs),
        seconds=round(result.seconds, 3),
        change=latency.change if latency else None,
        bound=(latency.change_low if regressed else latency.change_high) if latency else None,
        sd=latency.sd if latency else None,
        load_1min=mean_load(result.pairs),
        foreign_cpus=mean_known([pair.foreign_cpus for pair in result.pairs]),
        reason=loud.reason if loud else "",
    )


def outcome(trial: Trial) -> Outcome:
    """Whether the gate fired: for identical sides that is an alarm, for everything else what it is there for.

    Verdict and exit code must both say so: who reads the one must not be told otherwise than who reads the other.
    """
    return _OUTCOMES[trial.key.kind](set(trial.answers.values()), trial.exit_code)


def _with_seed(key: Key, seed: int) -> Key:
    place = KINDS.index(key.kind) * 2 + (key.load != "quiet")
    return Key(
        kind=key.kind,
        number=key.number,
        load=key.load,
        seed=seed * _FAR * 100 + place * _FAR + key.number + 1,  # 0 may mean a drawn one
        share=key.share,
        variant=key.variant,
    )


def _of_same(answers: set[str], code: int) -> Outcome:
    if answers & {"REGRESSED", "DISAGREES"} or code in (EXIT_DISAGREE, EXIT_OVER_BUDGET):
        return "fired"
    if answers == {"PASS"} and code == EXIT_OK:
        return "missed"  # nothing is there to be found: this is how it should be
    return "inconclusive" if code == EXIT_CANNOT_TELL and "INCONCLUSIVE" in answers else "failed"


def _of_slow(answers: set[str], code: int) -> Outcome:
    if "REGRESSED" in answers and code == EXIT_OVER_BUDGET:
        return "fired"
    if code == EXIT_CANNOT_TELL and "INCONCLUSIVE" in answers:
        return "inconclusive"
    return "missed" if answers == {"PASS"} or code == EXIT_OK else "failed"


def _of_wrong(answers: set[str], code: int) -> Outcome:
    return "fired" if "DISAGREES" in answers and code == EXIT_DISAGREE else "missed"


def _of_fallback(answers: set[str], code: int) -> Outcome:
    refused = bool(answers) and answers <= {"FAILED", "NOT COMPARABLE"}
    return "fired" if refused and code in (EXIT_CANNOT_TELL, EXIT_CASE_FAILED) else "missed"


def _of_gone(answers: set[str], code: int) -> Outcome:
    return "fired" if "PASS" not in answers and code != EXIT_OK else "missed"


_OUTCOMES: dict[TrialKind, Callable[[set[str], int], Outcome]] = {
    "same": _of_same,
    "nodes": _of_slow,
    "busy": _of_slow,
    "wrong": _of_wrong,
    "fallback": _of_fallback,
    "gone": _of_gone,
}
