"""Gates that answer by a rule and bundles that are nowhere, for the tests of the self-test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.check.records import GateAnswer, GateResult, GateSettings, Judged, SideFacts
from bench.check.selftest import Identity, Key, Plant, PlantKind, Trial, TrialKind, make_trial
from bench.check.selftest_file import Trials, open_trials
from gate_fakes import MACHINE, MADE, NET, pair, replace

IDENTITY = Identity(
    bench_version="0.1.0",
    sources="digest of sources",
    model="net",
    model_digest="digest of net",
    runtime="onnxruntime-cpu",
    runtime_version="1.32.0",
    threads=1,
    delta=0.05,
    alpha=0.01,
    beta=0.05,
    max_pairs=16,
    cpu="Invented CPU",
    cpus=2,
)
EXITS = {"PASS": 0, "REGRESSED": 4, "INCONCLUSIVE": 5, "NOT COMPARABLE": 5, "FAILED": 6, "DISAGREES": 3}
HONEST: dict[TrialKind, tuple[GateAnswer, GateAnswer]] = {
    "same": ("PASS", "PASS"),
    "nodes": ("REGRESSED", "PASS"),
    "busy": ("REGRESSED", "PASS"),
    "wrong": ("PASS", "DISAGREES"),
    "fallback": ("FAILED", "FAILED"),
    "gone": ("NOT COMPARABLE", "NOT COMPARABLE"),
}
FAULTS: tuple[tuple[TrialKind, str], ...] = (("wrong", "kernel 1 of 1"), ("fallback", "claims"), ("gone", ""))
Rule = Callable[[TrialKind, int], tuple[GateAnswer, GateAnswer]]


def key(kind: TrialKind = "same", number: int = 0, **changes: object) -> Key:
    share = 0.05 if kind in ("nodes", "busy") else None
    return replace(Key(kind=kind, number=number, load="quiet", seed=number, share=share), **changes)


def plant(kind: PlantKind = "nodes", **changes: object) -> Plant:
    made = Plant(
        kind=kind,
        share=0.05,
        amount=0.06,
        text="9 nodes, 5.9% of the multiply-adds",
        change=0.061,
        change_low=0.057,
        change_high=0.066,
        level=0.9493,
        pairs=16,
    )
    return replace(made, **changes)


def result(latency: GateAnswer = "PASS", agreement: GateAnswer = "PASS", exit_code: int | None = None) -> GateResult:
    """A gate of five pairs in 4 s."""
    facts = SideFacts(origin="net", made=MADE, bench_version="0.1.0", machine=MACHINE, versions={})
    code = exit_code if exit_code is not None else max((EXITS[latency], EXITS[agreement]))
    if exit_code is None and "DISAGREES" in (latency, agreement):
        code = EXITS["DISAGREES"]
    judged = Judged(
        case=NET, metric="latency", answer=latency, reason="so", delta=0.05, change=0.06, change_low=0.04,
        change_high=0.08, sd=0.01,
    )  # fmt: skip
    return GateResult(
        schema_version=1,
        settings=GateSettings(),
        design=None,
        command="",
        bench_version="0.1.0",
        started=MADE,
        seconds=4.0,
        threads=1,
        cpus=(1,),
        machine=MACHINE,
        baseline=facts,
        head=facts,
        judged=(judged, replace(judged, metric="agreement", answer=agreement, change=None)),
        pairs=tuple(pair(number, foreign_cpus=0.5) for number in range(5)),
        family_bound=0.0089,
        exit_code=code,
    )


def trial(
    one: Key, latency: GateAnswer = "PASS", agreement: GateAnswer = "PASS", exit_code: int | None = None
) -> Trial:
    return make_trial(one, result(latency, agreement, exit_code))


def trials_of(rule: Rule, counts: dict[TrialKind, int]) -> list[Trial]:
    """``counts`` trials of each kind as a gate that answers by ``rule`` makes them."""
    return [trial(key(kind, n), *rule(kind, n)) for kind, count in counts.items() for n in range(count)]


def honest(kind: TrialKind, _number: int) -> tuple[GateAnswer, GateAnswer]:
    return HONEST[kind]


def never_fires(_kind: TrialKind, _number: int) -> tuple[GateAnswer, GateAnswer]:
    return "PASS", "PASS"


def always_fires(_kind: TrialKind, _number: int) -> tuple[GateAnswer, GateAnswer]:
    return "REGRESSED", "PASS"


def every_twentieth(kind: TrialKind, number: int) -> tuple[GateAnswer, GateAnswer]:
    """An honest gate but for a false alarm in 20."""
    return ("REGRESSED", "PASS") if kind == "same" and number % 20 == 0 else HONEST[kind]


class FakeBundles:
    """A workshop whose bundles are names; remembers what was planted."""

    def __init__(self, slow: Sequence[PlantKind] = ("nodes", "busy")) -> None:
        self.slow = tuple(slow)
        self.planted: list[PlantKind] = []
        self.reused: list[PlantKind] = []

    def slow_kinds(self) -> tuple[PlantKind, ...]:
        return self.slow

    def faults(self) -> list[Key]:
        return [Key(kind=kind, number=0, load="quiet", seed=0, variant=variant) for kind, variant in FAULTS]

    def plant(self, kind: PlantKind, share: float) -> Plant:
        self.planted.append(kind)
        return plant(kind, share=share)

    def reuse(self, plant: Plant) -> None:
        self.reused.append(plant.kind)

    def sides(self, key: Key) -> tuple[Path, Path]:
        return Path("baseline"), Path(key.kind)


class FakeGate:
    """A gate that answers by a rule; ``stops_at`` is the call that a Ctrl-C interrupts, as a result or raised."""

    def __init__(self, rule: Rule, stops_at: int | None = None, raises: type[BaseException] | None = None) -> None:
        self.seeds: list[int] = []
        self._rule, self._stops_at, self._raises = rule, stops_at, raises
        self._numbers: dict[str, int] = {}

    def __call__(self, _baseline: Path, head: Path, settings: GateSettings) -> GateResult:
        if len(self.seeds) == self._stops_at:
            if self._raises is not None:
                raise self._raises
            return result("INCONCLUSIVE", "PASS", 130)
        self.seeds.append(settings.seed)
        kind: TrialKind = head.name  # type: ignore[assignment]
        number = self._numbers.get(kind, 0)
        self._numbers[kind] = number + 1
        return result(*self._rule(kind, number))


def empty_file(folder: Path) -> Trials:
    return open_trials(folder / "trials.jsonl", IDENTITY)
