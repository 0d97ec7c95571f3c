"""What is doubtful about a row: each doubt a caution with its reason. A doubt never changes a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench import units
from bench.analysis.statistics import Interval, samples_needed
from bench.analysis.timing import Speed, turns_of
from bench.records import Case, CaseRepetition, Caution, GroupRepetition, OutputCheck
from bench.runtimes.call_paths import is_keras_call

CONTENDED_SHARE = 0.1  # of rounds that were disturbed; medians stand as many with ease
CPU_SLACK = 1.05  # CPU time over wall time per thread asked for
TIMER_NS = 60  # what reading the clock twice costs
TIMER_CALLS = 100  # a call should last so many times that
LOCKED_NS = 100_000  # calls of several Python callers shorter than this tell of the interpreter's lock
UNEVEN = 1.5  # time a call by throughput over the median call
SAME = 1.005  # ratios up to here are no difference
INTERVAL_LEVEL = 0.9  # bounds below this level are called a range
CALL_PATH = "call path"  # code of the caution that keeps a row out of the ranking


def timing_cautions(
    case: Case,
    measured: Sequence[CaseRepetition],
    repetitions: Sequence[GroupRepetition],
    speed: Speed,
) -> list[Caution]:
    """The doubts about numbers that were measured; none where nothing was."""
    if speed.latency_ns_p50 is None:
        return []
    return [
        *_few_samples(speed),
        *_not_warm(measured),
        *_contended(measured, repetitions),
        *_greedy(case, speed),
        *_timer(speed),
        *_callers(case, speed),
        *_few_repetitions(speed),
    ]


def ratio_cautions(speed: Speed, ratio: Interval | None, reference: str | None) -> list[Caution]:
    """Doubts about a ratio that is missing, or rests on fewer repetitions than the rest of the row."""
    if speed.latency_ns_p50 is None or reference is None:
        return []
    if ratio is None:
        return [Caution(code="no ratio", text=f"no round was shared with {reference}, so there is no ratio to it")]
    if ratio.n < speed.processes:
        text = f"the ratio rests on {ratio.n} of {speed.processes} repetitions, the others lack {reference}"
        return [Caution(code="few pairs", text=text)]
    return []


def direction_cautions(ratio: float | None, ours: Speed, theirs: Speed, streams: int = 1) -> list[Caution]:
    """Medians over all rounds that point to the other side than the ratio, which is taken within rounds."""
    pairs = {
        "best": (ours.latency_ns_best, theirs.latency_ns_best),
        "p50": (ours.latency_ns_p50, theirs.latency_ns_p50),
    }
    told = [name for name, (own, other) in pairs.items() if own and other and _side(own / other) * _side(ratio) < 0]
    if not told:
        return []
    points = f"{' and '.join(told)} point{'s' * (len(told) == 1)} the other way than speed"
    compared = "the fastest calls" if streams == 1 else "wall time a call"
    text = f"{points}: speed compares {compared} of the same round, best and p50 are over all rounds"
    return [Caution(code="by rounds", text=text)]


def call_path_cautions(ours: str | None, theirs: str | None) -> list[Caution]:
    """One of the row and its reference was called through Keras: its overhead is no property of a runtime."""
    if ours is None or theirs is None or is_keras_call(ours) == is_keras_call(theirs):
        return []
    if is_keras_call(ours):
        text = f"{ours} includes Keras's call overhead, the reference ({theirs}) does not: not ranked with it"
    else:
        text = f"the reference ({theirs}) includes Keras's call overhead, {ours} does not: not ranked with it"
    return [Caution(code=CALL_PATH, text=f"{text}, compare runtimes by path=function")]


def thread_cautions(case: Case, speed: Speed, cpus: int | None) -> list[Caution]:
    """More threads than CPUs: threads that wait for one another were timed."""
    if speed.latency_ns_p50 is None or cpus is None or case.threads * case.streams <= cpus:
        return []
    text = f"{_asked(case)} asked for, {cpus} CPU{'s' * (cpus != 1)} may be used"
    return [Caution(code="threads", text=text)]


def agreement_cautions(speed: Speed, worst: OutputCheck | None) -> list[Caution]:
    """No speed without agreement: a timed row whose outputs do not agree is marked."""
    if speed.latency_ns_p50 is None or (worst is not None and worst.verdict == "agrees"):
        return []
    if worst is None or worst.verdict == "unchecked":
        return [Caution(code="unverified", text="its outputs were not checked, so it cannot win")]
    why = "disagree with the truth" if worst.verdict == "disagrees" else "cannot tell a right answer from a wrong one"
    return [Caution(code=worst.verdict, text=f"its outputs {why}, so it cannot win")]


def interrupted_cautions(speed: Speed, done: int, planned: int | None) -> list[Caution]:
    """The run ended before all the repetitions of the group."""
    if speed.latency_ns_p50 is None or planned is None or done >= planned:
        return []
    way_on = "bench run --resume with this report's folder measures the rest"
    return [Caution(code="interrupted", text=f"{done} of {planned} repetitions were measured: {way_on}")]


def joined(cautions: Sequence[Caution]) -> str:
    """Cautions as the text of a row, each once: ``"code: text; code: text"``, with no other ``"; "`` in it."""
    texts = (f"{caution.code}: {caution.text.rstrip('.').replace('; ', ', ')}" for caution in cautions)
    return "; ".join(dict.fromkeys(texts))


def _side(ratio: float | None) -> int:
    """1 for slower, -1 for faster, 0 for what is shown as the same."""
    return 0 if ratio is None or 1 / SAME <= ratio <= SAME else 1 if ratio > 1 else -1


def _few_samples(speed: Speed) -> Iterator[Caution]:
    values = {"p90": speed.latency_ns_p90, "p95": speed.latency_ns_p95, "p99": speed.latency_ns_p99}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        needs = ", ".join(f"{name} needs {samples_needed(int(name[1:]) / 100)}" for name in missing)
        yield Caution(code="few samples", text=f"{needs} calls, there are {speed.calls}: see --tail and -r")


def _not_warm(measured: Sequence[CaseRepetition]) -> Iterator[Caution]:
    ended = [[turn.steady for turn in turns_of(one, "warmup")] for one in measured]
    cold = sum(False in steady for steady in ended)
    if cold:
        yield Caution(
            code="not warmed up",
            text=f"warm-up reached its bound before calls were steady in {cold} of {len(measured)} repetitions",
        )


def _contended(measured: Sequence[CaseRepetition], repetitions: Sequence[GroupRepetition]) -> Iterator[Caution]:
    there = {one.repetition for one in measured}
    rounds = [state for one in repetitions if one.repetition in there for state in one.rounds]
    disturbed = sum(state.disturbed for state in rounds)
    if rounds and disturbed / len(rounds) > CONTENDED_SHARE:
        text = (
            f"other processes were busy in {disturbed} of {len(rounds)} rounds, "
            f"up to {_preempted_share(measured):.0%} of timed calls were preempted: "
            "use a quieter machine or fewer threads"
        )
        yield Caution(code="contended", text=text)


def _preempted_share(measured: Sequence[CaseRepetition]) -> float:
    """Share of timed calls that lost a CPU, at most.

    It explains contention and does not prove it: a runtime's own threads take CPUs from one another too.
    """
    turns = [turn for one in measured for turn in turns_of(one, "turn")]
    calls = sum(len(turn.latencies_ns) for turn in turns)
    return sum(min(len(turn.latencies_ns), turn.involuntary_switches) for turn in turns) / max(1, calls)


def _greedy(case: Case, speed: Speed) -> Iterator[Caution]:
    if speed.cpu_per_wall is not None and speed.cpu_per_wall > case.threads * case.streams * CPU_SLACK:
        text = f"kept {speed.cpu_per_wall:.2f} CPUs busy while timed, {_asked(case)} asked for"
        yield Caution(code="more threads", text=text)


def _timer(speed: Speed) -> Iterator[Caution]:
    if speed.latency_ns_p50 is not None and speed.latency_ns_p50 < TIMER_CALLS * TIMER_NS:
        share = TIMER_NS / max(1.0, speed.latency_ns_p50)
        text = f"reading the clock (about {TIMER_NS} ns) is {share:.0%} of a call: a larger batch tells more"
        yield Caution(code="timer overhead", text=text)


def _callers(case: Case, speed: Speed) -> Iterator[Caution]:
    """What makes numbers of several callers tell of something else than the runtime, or of some of them alone."""
    p50, throughput = speed.latency_ns_p50, speed.throughput_items_per_s
    if case.streams == 1 or p50 is None or not throughput:
        return
    if p50 < LOCKED_NS:
        text = f"calls of {units.duration(p50)} by Python's threads wait for the interpreter's lock and for waking up"
        yield Caution(code="short calls", text=f"{text}: a larger batch tells more")
    per_call = case.streams * case.batch_size * 1e9 / throughput
    if per_call > UNEVEN * p50:
        text = f"by items per second a call takes {units.duration(per_call)}, half of them took less than"
        yield Caution(
            code="uneven callers", text=f"{text} {units.duration(p50)}: the others waited, for callers or processes"
        )


def _asked(case: Case) -> str:
    return str(case.threads) if case.streams == 1 else f"{case.streams} callers with {case.threads} each"


def _few_repetitions(speed: Speed) -> Iterator[Caution]:
    if speed.interval_level is None:
        yield Caution(code="few repetitions", text="one repetition has no bounds: nothing says how it would repeat")
    elif speed.interval_level < INTERVAL_LEVEL:
        level = f"{speed.interval_level:.1%}".replace(".0%", "%")
        text = f"over {speed.processes} repetitions the bounds are a range ({level}), not an interval"
        yield Caution(code="few repetitions", text=text)
