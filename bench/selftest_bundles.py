"""The bundles of the gate's self-test: a baseline, its copy, and copies with a planted fault.

Made once in a folder that goes away; each is a real bundle that ``gating.gate_bundles`` opens as any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.analysis.statistics import hodges_lehmann, signed_rank_interval
from bench.calibrating import bundle_one, measure_pairs, with_case, write_variant
from bench.check.bundle import open_bundle
from bench.check.records import Bundle, BundledCase, GateSettings
from bench.check.selftest import Key, Plant, PlantKind, TrialKind
from bench.check.wording import percent
from bench.environments.pinned import own_pins
from bench.errors import BenchError, UnsupportedError
from bench.prepare.planting import Plantable, plant_nodes, plant_wrong_kernel
from bench.progress import Progress
from bench.records import Artifact, ModelSpec, RuntimeSpec
from bench.runtimes.table import RUNTIMES, artifact_kind, artifact_needed

KERNELS = 3  # wrong ones, spread over the net
ACCELERATOR = "onnxruntime-cuda"
PROVIDER = "CUDAExecutionProvider"
_AIM = 1.2  # times the share: the measured effect must be above it with its whole interval
_NEAR = 1.3  # times the share: near enough not to look for less
_MOST = 1.6  # times the share: a plant so much too large proves too little
_TRIES = 6
_FEW, _MANY = 6, 16  # pairs of a first look at a plant, and of the one that counts
_replace = msgspec.structs.replace
Pair = tuple[Path, Path]  # baseline, head


class Workshop:
    """Makes what trials need; everything lies in ``folder``, the caller's to remove."""

    def __init__(
        self, folder: Path, model: ModelSpec, runtime: RuntimeSpec, settings: GateSettings, progress: Progress
    ) -> None:
        self._folder = folder
        self._model, self._runtime = model, runtime
        self._settings = settings
        self._progress = progress
        self._heads: dict[tuple[TrialKind, str], Pair] = {}
        self._amounts: dict[PlantKind, float] = {}
        self.baseline = folder / "baseline"
        self.threads = 1

    def open(self, threads: int) -> Bundle:
        """Make the baseline; BenchError where the model can't be had on the runtime."""
        self.threads = threads
        return bundle_one(self._model, self._runtime, threads, self.baseline, self._progress)

    def slow_kinds(self) -> tuple[PlantKind, ...]:
        """How this runtime can be slowed down."""
        return ("nodes", "busy") if self._loads_onnx() else ("busy",)

    def faults(self) -> list[Key]:
        """The faults that must fire, as kinds and variants."""
        wrong: Sequence[str] = [f"kernel {n + 1} of {KERNELS}" for n in range(KERNELS)]
        if not self._loads_onnx():
            wrong = ["other weights"] if self._model.kind == "zoo" else []
        fallbacks = ["head claims a provider", "both claim a provider"]
        if self._loads_onnx() and not own_pins(RUNTIMES[ACCELERATOR].package):
            fallbacks.append("head asks for a device that is not here")
        named: list[tuple[TrialKind, str]] = [("wrong", one) for one in wrong]
        named += [("fallback", one) for one in fallbacks]
        return [Key(kind=kind, number=0, load="quiet", seed=0, variant=one) for kind, one in (*named, ("gone", ""))]

    def plant(self, kind: PlantKind, share: float) -> Plant:
        """A slowdown of at least ``share``, chosen by measuring; BenchError where this machine can't show one."""
        texts: dict[float, str] = {}

        def measure(amount: float, pairs: int) -> list[float]:
            head = self._folder / f"{kind}-{len(texts)}"
            texts.setdefault(amount, "")
            if not head.exists():
                texts[amount] = self._slowed(kind, amount, head)
            self._progress.stage(f"planting {kind} {amount:.2%}")
            self._progress.start(pairs)
            found = measure_pairs(self.baseline, head, self._settings, pairs, self._progress)
            return [pair.latency for pair in found if pair.latency is not None]

        amount, values = choose_amount(share, measure)
        self._amounts[kind] = amount
        interval = signed_rank_interval(values)
        assert interval.low is not None
        assert interval.high is not None
        assert interval.level is not None
        return Plant(
            kind=kind,
            share=share,
            amount=amount,
            text=texts[amount],
            change=math.expm1(interval.estimate),
            change_low=math.expm1(interval.low),
            change_high=math.expm1(interval.high),
            level=interval.level,
            pairs=len(values),
        )

    def reuse(self, plant: Plant) -> None:
        """Go on with a plant that was chosen before."""
        self._amounts[plant.kind] = plant.amount

    def sides(self, key: Key) -> Pair:
        """The two bundles of a trial."""
        name = (key.kind, key.variant)
        if name not in self._heads:
            self._heads[name] = self._make(key, self._folder / f"head-{len(self._heads)}")
        return self._heads[name]

    def _make(self, key: Key, head: Path) -> Pair:
        if key.kind in ("nodes", "busy"):
            self._slowed(key.kind, self._amounts[key.kind], head)
        elif key.kind == "wrong":
            write_variant(self.baseline, head, self._wrong(key.variant, head.with_name(f"{head.name}-files")))
        elif key.kind == "fallback":
            return self._fallback(key.variant, head)
        elif key.kind == "gone":
            write_variant(self.baseline, head, with_case(lambda case: _replace(case, name=f"{case.name} (another)")))
        else:
            write_variant(self.baseline, head)
        return self.baseline, head

    def _slowed(self, kind: PlantKind, amount: float, head: Path) -> str:
        """Make a slower head; says what was done."""
        if kind == "busy":
            write_variant(self.baseline, head, with_case(lambda case: _replace(case, busy=amount)))
            return f"{percent(amount, sign=False)} of each call waited once more"
        made = plant_nodes(self._artifact(), amount, head.with_name(f"{head.name}-files"))
        write_variant(self.baseline, head, _with_artifact(made.artifact))
        return made.text

    def _wrong(self, variant: str, folder: Path) -> Callable[[Bundle], Bundle]:
        if self._loads_onnx():
            made: Plantable = plant_wrong_kernel(self._artifact(), int(variant.split()[1]) - 1, KERNELS, folder)
            return _with_artifact(made.artifact)
        bundle_one(self._model, self._runtime, self.threads, folder, self._progress, seed=1)
        (other,) = open_bundle(folder).models.values()
        return _with_artifact(other.artifacts[artifact_needed(self._runtime.name, self._runtime.options)])

    def _fallback(self, variant: str, head: Path) -> Pair:
        def claim(case: BundledCase) -> BundledCase:
            return _replace(case, info=_replace(case.info, provider=PROVIDER))

        def ask(case: BundledCase) -> BundledCase:
            asked = _replace(case.case, runtime=_replace(case.case.runtime, name=ACCELERATOR, options={}))
            return _replace(claim(case), case=asked, pins=own_pins(RUNTIMES[ACCELERATOR].package), lock=None)

        if variant == "both claim a provider":
            baseline = head.with_name(f"{head.name}-base")
            write_variant(self.baseline, baseline, with_case(claim))
            write_variant(self.baseline, head, with_case(claim))
            return baseline, head
        write_variant(self.baseline, head, with_case(claim if variant == "head claims a provider" else ask))
        return self.baseline, head

    def _artifact(self) -> Artifact:
        (prepared,) = open_bundle(self.baseline).models.values()
        return prepared.artifacts["onnx"]

    def _loads_onnx(self) -> bool:
        return artifact_kind(self._runtime.name, self._runtime.options) == "onnx"


def choose_amount(share: float, measure: Callable[[float, int], list[float]]) -> tuple[float, list[float]]:
    """The amount to plant and the pairs that show that it slows down by ``share`` at least, and by little more.

    ``measure`` takes an amount and a number of pairs and gives their logarithms. Amounts are corrected by what a few
    pairs show; the many that are returned have the lower bound of their interval at ``share`` or above. BenchError
    where no amount is shown to do so.
    """
    amount, told = share * _AIM, ""
    best: tuple[float, float, list[float]] | None = None
    for _ in range(_TRIES):
        values = measure(amount, _FEW)
        seen = _change(values)
        if share <= seen <= share * _MOST:
            values = measure(amount, _MANY)
            seen = _change(values)
            low = signed_rank_interval(values).low
            if low is not None and math.expm1(low) >= share and seen <= share * _MOST:
                best = min(best or (seen, amount, values), (seen, amount, values))
                if seen <= share * _NEAR:
                    break
        told = f"{percent(seen)} at {amount:.2%}"
        amount *= min(3.0, max(0.4, share * _AIM / max(seen, share / 10)))
    if best is not None:
        return best[1], best[2]
    raise BenchError(
        f"planting {percent(share)}: after {_TRIES} amounts none was shown to slow down by so much and not far more "
        f"(last {told}); use fewer threads, a longer net or a quieter machine"
    )


def _change(logarithms: Sequence[float]) -> float:
    return math.expm1(hodges_lehmann(logarithms))


def _with_artifact(artifact: Artifact) -> Callable[[Bundle], Bundle]:
    """The only model of a bundle with another file; its inputs and its truth stay."""

    def change(bundle: Bundle) -> Bundle:
        ((name, prepared),) = bundle.models.items()
        if artifact.digest == prepared.artifacts[artifact.kind].digest:
            raise UnsupportedError("planting a fault: the file is the same as before")
        changed = _replace(prepared, artifacts=prepared.artifacts | {artifact.kind: artifact})
        return _replace(bundle, models={name: changed})

    return change
