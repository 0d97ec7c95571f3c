"""Records what the rules of other tools and the gate would have seen on this machine: see ``peers_table.py``.

``python benchmarks/record_traces.py`` records MobileNetV1 on ONNX Runtime, one thread, in about 10 minutes on a quiet
machine: stretches of fresh processes, each making 60 calls without a pause, and of gate pairs, by turns quiet and
beside bursts. Processes alone are not pinned, as other tools do not pin; pairs are, as the gate pins them. All is saved
after each step; a recording that was stopped goes on with the stretch where it was; more ``--stretches`` add to the
file.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from bench.bundling import make_bundle
from bench.burst import burst_load
from bench.cases import make_arm
from bench.check.bundle import open_bundle
from bench.check.pairing import PairedCase
from bench.check.records import Bundle, GateSettings, Side
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.measure.machine import describe_machine
from bench.pairs import PairDriver, SideToRun, choose_cpus
from bench.prepare.planting import plant_nodes
from bench.preparing import pool_shapes
from bench.progress import Silent
from bench.records import (
    CaseRepetition,
    FirstRequest,
    MeasureSettings,
    OpenRequest,
    PrepareSettings,
    Suite,
    Turn,
    TurnRequest,
    WarmRequest,
)
from bench.specs import parse_model, parse_runtimes
from benchmarks.trace_file import FOLDER, LOADS, PairTrace, Solo, Trace, load_trace, save_trace

Step = tuple[str, str]  # "solo" or "pair", series
CALLS = 60
BUSY = {"+5 %": 0.05, "+10 %": 0.10}
NODES = {"+5 % nodes": 0.05}
_BLOCK = (*["base"] * 4, *["+5 %"] * 2, *["+5 % nodes"] * 2, "+10 %")
_PAIRS = ("base", "+5 %", "base", "+5 % nodes") * 3 + ("base", "+10 %", "+5 %")
STRETCH: tuple[Step, ...] = (*[("solo", one) for one in _BLOCK * 5], *[("pair", one) for one in _PAIRS])
SMALL: tuple[Step, ...] = (*[("solo", one) for one in _BLOCK], *[("pair", one) for one in ("base", "+5 %")])
_LIMIT_S = 300.0  # of one answer of a worker
_SETTLE_S = 1.0  # for the burst load to start, or to be over
_replace = msgspec.structs.replace


def main() -> None:
    """Record what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mobilenet_v1")
    parser.add_argument("--runtime", default="onnxruntime-cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stretches", type=int, default=6, help="in all, by turns quiet and beside bursts")
    parser.add_argument("--small", action="store_true", help="short stretches, to try it out")
    parser.add_argument("--file", type=Path, help="default: a name made from the above, in benchmarks/traces")
    arguments = parser.parse_args()
    name = f"{arguments.model}_{arguments.runtime}_t{arguments.threads}".translate(str.maketrans(":=,/ ", "_____"))
    path: Path = arguments.file or FOLDER / f"{name}.npz"
    with launch.run_folder() as workplace:
        bundles = make_bundles(arguments.model, arguments.runtime, arguments.threads, workplace / "bundles")
        with machine_lock(lambda note: print(note, flush=True)):
            record(path, Recorder(bundles, workplace), arguments.stretches, SMALL if arguments.small else STRETCH)


def make_bundles(model: str, runtime: str, threads: int, folder: Path) -> dict[str, Bundle]:
    """A bundle in a folder of its own for the baseline, "", and for what each series runs."""
    spec = parse_model(model)
    suite = Suite(
        models=(spec,),
        runtimes=parse_runtimes([runtime]),
        batch_sizes={spec.display: (1,)},
        threads=threads,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    make_bundle(suite, folder / "0", origin=model, replacing=False, progress=Silent())
    shutil.copytree(folder / "0", folder / "1")
    baseline, head = open_bundle(folder / "0"), open_bundle(folder / "1")
    slow = {series: _waiting(head, share) for series, share in BUSY.items()}
    nodes = {series: _with_nodes(head, share, folder / series) for series, share in NODES.items()}
    return {"": baseline, "base": head, **slow, **nodes}


class Recorder:
    """Measures processes alone and pairs of a gate; ``folder`` takes logs, slots and outputs."""

    def __init__(self, bundles: dict[str, Bundle], folder: Path) -> None:
        self.baseline, self._bundles = bundles[""], bundles
        self.case = self.baseline.cases[0]
        self._launcher = launch.ProcessLauncher(folder)
        self._drivers = {series: self._driver(bundle, folder / series) for series, bundle in bundles.items() if series}

    def solo(self, series: str, load: str, stretch: int, _number: int) -> Solo:
        """One fresh process and its calls; it may run on any CPU."""
        request = self._request(self._bundles[series])
        at_s, start = time.time(), time.monotonic()
        worker = self._launcher.start(None)
        try:
            for step in (request, FirstRequest(), WarmRequest()):
                worker.ask(step, _LIMIT_S)
            ready_s = time.monotonic() - start
            turn = worker.ask(TurnRequest(round=0, calls=CALLS), _LIMIT_S)
        finally:
            worker.close()
        assert isinstance(turn, Turn)
        calls = np.array(turn.latencies_ns, np.int64)
        return Solo(series, load, stretch, at_s, ready_s, time.monotonic() - start, calls)

    def pair(self, series: str, load: str, stretch: int, number: int) -> PairTrace:
        """One pair as the gate runs it: pinned, in slots, interleaved."""
        case = PairedCase(name=series, delta=0.05, baseline=self.case, head=self._bundles[series].cases[0])
        at_s, start = time.time(), time.monotonic()
        pair, done = self._drivers[series].measure(case, number)
        wall_s = time.monotonic() - start
        if pair.latency is None:
            reasons = "; ".join(one.reason for one in (pair.baseline, pair.head) if one.reason)
            raise SystemExit(f"recording a pair of {series}: it has no value: {reasons}")
        sides = {one.case_id: [turn for turn in one.turns if turn.kind == "turn"] for one in done.cases}
        return PairTrace(
            series, load, stretch, at_s, wall_s,
            baseline=_as_array(sides["baseline"]),
            head=_as_array(sides["head"]),
            head_first=np.array([turn.order == 0 for turn in sides["head"]]),
        )  # fmt: skip

    def _driver(self, head: Bundle, folder: Path) -> PairDriver:
        prefixes = {self.case.name: Path(sys.prefix)}
        sides: dict[Side, SideToRun] = {
            "baseline": SideToRun(bundle=self.baseline, prefixes=prefixes),
            "head": SideToRun(bundle=head, prefixes=prefixes),
        }
        folder.mkdir()
        return PairDriver(sides, self._launcher, folder, GateSettings(), choose_cpus(self.case.case.threads))

    def _request(self, bundle: Bundle) -> OpenRequest:
        case, model = self.case.case, bundle.models[self.case.case.model]
        arm = make_arm(case, model, pool_shapes({case.model: model}))
        if isinstance(arm, CaseRepetition):
            raise SystemExit(f"recording {self.case.name}: {arm.reason}")
        return _replace(arm.request, busy=bundle.cases[0].busy)


def record(path: Path, recorder: Recorder, stretches: int, steps: Sequence[Step]) -> None:
    """Add stretches to the file until there are so many; one that was stopped is recorded anew."""
    trace = _opened(path, _facts(recorder.baseline, steps), len(steps))
    first = (len(trace.solos) + len(trace.pairs)) // len(steps)
    for stretch in range(first, stretches):
        load = LOADS[stretch % len(LOADS)]
        with burst_load(stretch) if load == "burst" else nullcontext():
            time.sleep(_SETTLE_S)
            for number, (kind, series) in enumerate(steps):
                where = f"stretch {stretch + 1} of {stretches}, {load}, step {number + 1} of {len(steps)}"
                print(f"{where}: {kind} {series}", flush=True)
                if kind == "solo":
                    solo = recorder.solo(series, load, stretch, number)
                    trace = dataclasses.replace(trace, solos=(*trace.solos, solo))
                else:
                    pair = recorder.pair(series, load, stretch, stretch * len(steps) + number)
                    trace = dataclasses.replace(trace, pairs=(*trace.pairs, pair))
                save_trace(path, trace)
    print(f"{path.name}: {len(trace.solos)} processes, {len(trace.pairs)} pairs, {path.stat().st_size / 1e3:.0f} kB")


def _opened(path: Path, facts: dict[str, Any], steps: int) -> Trace:
    """The file's whole stretches, none where there is no file; SystemExit where it is of something else."""
    if not path.exists():
        return Trace(facts=facts)
    trace = load_trace(path)
    differing = [key for key in facts if key != "recorded" and trace.facts.get(key) != facts[key]]
    if differing:
        raise SystemExit(f"recording into {path}: its {', '.join(differing)} differ; give another --file")
    done = (len(trace.solos) + len(trace.pairs)) // steps
    return Trace(
        facts={**facts, "recorded": [*trace.facts["recorded"], *facts["recorded"]]},
        solos=tuple(one for one in trace.solos if one.stretch < done),
        pairs=tuple(one for one in trace.pairs if one.stretch < done),
    )


def _facts(bundle: Bundle, steps: Sequence[Step]) -> dict[str, Any]:
    """What the numbers depend on; no host, no path."""
    case = bundle.cases[0]
    return {
        "model": bundle.origin,
        "runtime": case.case.runtime.name,
        "runtime_version": case.info.runtime_version,
        "threads": case.case.threads,
        "steps_per_stretch": len(steps),
        "pinned": {"solo": False, "pair": True},
        "machine": msgspec.json.decode(msgspec.json.encode(describe_machine())),  # as it comes back from the file
        "recorded": [datetime.now(UTC).isoformat(timespec="seconds")],
    }


def _waiting(bundle: Bundle, share: float) -> Bundle:
    """The bundle with a busy wait after each call."""
    return _replace(bundle, cases=tuple(_replace(one, busy=share) for one in bundle.cases))


def _with_nodes(bundle: Bundle, share: float, folder: Path) -> Bundle:
    """The bundle with nodes that run again, in a file of the same name."""
    model = bundle.cases[0].case.model
    prepared = bundle.models[model]
    if "onnx" not in prepared.artifacts:
        raise SystemExit(f"recording {bundle.cases[0].name}: nodes are planted in ONNX files; name a runtime of those")
    planted = plant_nodes(prepared.artifacts["onnx"], share, folder)
    artifacts = {**prepared.artifacts, "onnx": planted.artifact}
    return _replace(bundle, models={model: _replace(prepared, artifacts=artifacts)})


def _as_array(turns: Sequence[Turn]) -> Any:
    """int64 nanoseconds [rounds, 1 + calls], the switch call first."""
    ordered = sorted(turns, key=lambda turn: turn.round)
    return np.array([[turn.switch_ns, *turn.latencies_ns] for turn in ordered], np.int64)


if __name__ == "__main__":
    main()
