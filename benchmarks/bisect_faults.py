"""Does ``bench bisect`` name the layer that a fault was planted in, in how many runs, and how long does it take?

``python benchmarks/bisect_faults.py [--quick] [--seed N] [--no-polygraphy] [--work DIR]`` makes thirty Keras models, 5
to 150 layers deep, exports each right and with a fault in one random layer, and gives the faulty file to ``bench
bisect`` as a user's own (``--onnx``). The same files go through Polygraphy, with the right export as its golden one.
Prints Markdown. Exits 1 where a layer was named wrongly or more runs were made than 2 log2(n) + 2.

``--work`` keeps the files and answers of models that are done, and goes on from there.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from benchmarks.bisect_nets import NETS, QUICK
from benchmarks.bisect_polygraphy import Named, Timer, debug_reduce, make_environment, mark_all

_MAKE = Path(__file__).with_name("bisect_make.py")
Fit = Literal["yes", "with others", "no"]


class Case(msgspec.Struct):
    """One faulty file, and what each way named."""

    name: str
    layers: int
    layer: str  # that the fault is in
    fault: str
    ours: Named
    verdict: str
    fused: tuple[str, ...]  # layers that are in the tensor that was named, as ``bench bisect`` tells
    runs: int
    judged: int  # layers that the search was over
    marked: Named | None = None
    reduced: Named | None = None

    @property
    def bound(self) -> int:
        """The most runs allowed."""
        return math.floor(2 * math.log2(max(self.judged, 1))) + 2

    @property
    def is_right(self) -> bool:
        """Whether the layer was named, in as few runs as promised."""
        return self.ours.layers == (self.layer,) and self.runs <= self.bound


def judge_model(folder: Path, programs: Path | None) -> Case:
    """The model in ``folder`` through all of them."""
    planted: dict[str, Any] = msgspec.json.decode((folder / "planted.json").read_bytes())
    found, ours = _bisect(folder)
    case = Case(
        name=planted["name"],
        layers=planted["layers"],
        layer=planted["layer"],
        fault=planted["fault"],
        ours=ours,
        verdict=found["verdict"],
        fused=tuple(found["fused"]),
        runs=found["runs"],
        judged=found["layers_judged"],
    )
    if programs is not None:
        known = [step["layer"] for step in found["layers"]]
        case.marked = mark_all(programs, folder, known)
        case.reduced = debug_reduce(programs, folder, known)
    return case


def _bisect(folder: Path) -> tuple[dict[str, Any], Named]:
    bench = Path(sys.executable).with_name("bench")
    timer = Timer()
    files = [str(folder / "model.keras"), "--onnx", str(folder / "faulty.onnx")]
    done = subprocess.run([str(bench), "bisect", *files, "-e", "cpu", "--json"], capture_output=True, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"{folder.name}: bench bisect ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    layer = found["layer"]
    return found, timer.named((layer.partition(" (call")[0],) if layer else ())


def fit_of(named: Named, layer: str) -> Fit:
    """Whether the layer was named alone, among others, or not."""
    if layer not in named.layers:
        return "no"
    return "yes" if len(named.layers) == 1 else "with others"


# --- what is printed --------------------------------------------------------------------------------------------------


def render(cases: list[Case]) -> str:
    """The table, and the sums."""
    head = "| model | layers | planted in | fault | named | right | runs | bound | s | cpu s |"
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|"]
    lines += [_own_row(case) for case in cases]
    right = sum(case.ours.layers == (case.layer,) for case in cases)
    within = sum(case.runs <= case.bound for case in cases)
    lines += ["", f"{right} of {len(cases)} layers named, {within} of {len(cases)} within 2 log2(n) + 2 runs."]
    peers = [case for case in cases if case.marked is not None]
    if peers:
        lines += ["", "| model | mark-all | right | s | cpu s | debug reduce | right | s | cpu s |"]
        lines += ["|---|---|---|---|---|---|---|---|---|", *map(_peer_row, peers), "", _sums(peers)]
    return "\n".join(lines)


def _own_row(case: Case) -> str:
    fit = "yes" if case.ours.layers == (case.layer,) else "fused with it" if case.layer in case.fused else "NO"
    named = ", ".join(case.ours.layers) or case.verdict
    spent = f"{case.ours.seconds:.0f} | {case.ours.cpu_seconds:.0f}"
    facts = f"{case.name} | {case.layers} | {case.layer} | {case.fault} | {named} | {fit} | {case.runs} | {case.bound}"
    return f"| {facts} | {spent} |"


def _peer_row(case: Case) -> str:
    return f"| {case.name} | " + " | ".join(_peer_cells(one, case.layer) for one in (case.marked, case.reduced)) + " |"


def _peer_cells(named: Named | None, layer: str) -> str:
    if named is None:
        return "- | - | - | -"
    told = ", ".join(named.layers[:3]) + (", ..." if len(named.layers) > 3 else "") or "no layer"
    note = f" ({named.note})" if named.note else ""
    return f"{told}{note} | {fit_of(named, layer)} | {named.seconds:.0f} | {named.cpu_seconds:.0f}"


def _sums(cases: list[Case]) -> str:
    ways: dict[str, Callable[[Case], Named | None]] = {
        "bench bisect": lambda case: case.ours,
        "mark-all": lambda case: case.marked,
        "debug reduce": lambda case: case.reduced,
    }
    lines = ["| way | named alone | among others | not | s, all models | cpu s |", "|---|---|---|---|---|---|"]
    for way, of in ways.items():
        found = [(named, fit_of(named, case.layer)) for case in cases if (named := of(case)) is not None]
        counts = " | ".join(str(sum(fit == wanted for _, fit in found)) for wanted in ("yes", "with others", "no"))
        spent = [sum(getattr(named, part) for named, _ in found) for part in ("seconds", "cpu_seconds")]
        lines.append(f"| {way} | {counts} | {spent[0]:.0f} | {spent[1]:.0f} |")
    return "\n".join(lines)


# --- the whole --------------------------------------------------------------------------------------------------------


def run_all(work: Path, seed: int, names: tuple[str, ...], programs: Path | None) -> list[Case]:
    """Every model's files, then every answer; those in ``work`` already are kept."""
    folders = {name: work / name.replace(" ", "-") for name in names}
    missing = [name for name, folder in folders.items() if not (folder / "planted.json").is_file()]
    if missing:
        subprocess.run([sys.executable, str(_MAKE), str(work), str(seed), *missing], check=True)
    cases = []
    for folder in folders.values():
        kept = folder / "case.json"
        if not kept.is_file():
            kept.write_bytes(msgspec.json.encode(judge_model(folder, programs)))
        cases.append(msgspec.json.decode(kept.read_bytes(), type=Case))
        print(_own_row(cases[-1]), file=sys.stderr, flush=True)
    return cases


def main() -> int:
    """Run the benchmark; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="6 models instead of 30")
    parser.add_argument("--seed", type=int, default=1, help="of models and faults; 0 is what was developed with")
    parser.add_argument("--no-polygraphy", action="store_true", help="ours alone")
    parser.add_argument("--work", type=Path, help="keep files and answers here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        programs = None
        if not asked.no_polygraphy:
            there = work / "polygraphy-environment" / "bin"
            programs = there if there.is_dir() else make_environment(there.parent)
        cases = run_all(work, asked.seed, QUICK if asked.quick else tuple(NETS), programs)
    print(render(cases))
    return 0 if all(case.is_right for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
