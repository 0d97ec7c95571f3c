"""What was measured."""

from __future__ import annotations

from bench.records.base import Record, Status, Verdict
from bench.records.messages import FirstDone, Opened, SoakSample, Turn
from bench.records.session import Memory, ProviderPart


class OutputCheck(Record, frozen=True):
    """One output of one case against the truth."""

    output: str
    verdict: Verdict
    reason: str  # one sentence
    relative_error: float | None = None
    precision_error: float | None = None  # rms over the spread: what float16 and int8 are judged by
    conversion_error: float | None = None  # the same of the converted file itself, run exactly
    tolerance: float | None = None
    spread: float | None = None  # rms over elements of the standard deviation over inputs
    yardstick: float | None = None
    max_abs_error: float | None = None
    max_rel_error: float | None = None
    cosine: float | None = None
    top1_agreement: float | None = None
    top5_agreement: float | None = None
    tie_margin: float | None = None  # classes that the truth holds so near one another are ties; of top-1 and top-5
    worst_index: tuple[int, ...] | None = None
    worst_value: float | None = None  # of the output there
    worst_truth: float | None = None
    smallest_atol: float | None = None  # with rtol 0
    smallest_rtol: float | None = None  # with atol 0
    nonfinite: int = 0
    nonfinite_truth: int = 0
    denormals: int = 0  # entries below the least normal number of the output's type, but not 0
    denormals_truth: int = 0  # of the truth in that type


class Finding(Record, frozen=True):
    """A hypothesis about a difference that holds: with it undone, the outputs are near the truth."""

    code: str  # "channels reversed", "softmax missing", ...
    text: str  # one sentence with its evidence, for a person
    error: float | None = None  # relative error once it is undone; None where that has no number


class RoundState(Record, frozen=True):
    """The machine during one round; nothing is deleted, a disturbed round is flagged."""

    round: int
    wall_ns: int
    load_1min: float | None
    steal_share: float | None  # of all CPU time
    foreign_cpus: float | None  # CPUs that other processes kept busy
    frequency_mhz: float | None
    disturbed: bool


class Placement(Record, frozen=True):
    """Which provider ran what in a profiled run of a session of its own, or why that is not known."""

    parts: tuple[ProviderPart, ...] = ()
    calls: int = 0
    reason: str = ""  # why there is none


class CaseRepetition(Record, frozen=True):
    """One fresh worker of one case: all that it brought before it ended or died."""

    case_id: str
    repetition: int
    status: Status
    reason: str = ""
    opened: Opened | None = None
    first: FirstDone | None = None
    turns: list[Turn] = []
    memory_peak: Memory | None = None
    checks: list[OutputCheck] = []  # worst of before and after the timed calls, one an output
    placement: Placement | None = None  # of the profiled run, in one repetition of the case
    soak: list[SoakSample] = []  # in one repetition of the case
    flushed_ratio: float | None = None  # time with denormal=zero over time without, of a pair of workers of their own
    complete: bool = False  # every round was measured and the outputs were checked at the end


class RoundPlan(Record, frozen=True):
    """How many rounds of how many timed calls: the same for every case and repetition of a group."""

    rounds: int
    calls: int  # timed calls of one turn
    bounded: bool = False  # a bound was reached before what -t or -r asked for


class GroupRepetition(Record, frozen=True):
    """One repetition of a group: the unit that is saved, and the unit of evidence."""

    group: int
    repetition: int
    cases: list[CaseRepetition]
    rounds: list[RoundState]
    page_cache: str  # "warm": the artifact's files were read just before
    started: str  # ISO 8601, UTC
    plan: RoundPlan | None = None  # None where every worker died before there could be one, or nothing was timed
