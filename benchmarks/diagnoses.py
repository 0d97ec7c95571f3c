"""Is each fault told by its own diagnosis, first, and is nothing told of a file that is wrong in another way?

``python benchmarks/diagnoses.py`` plants every fault of ``wrong_files.py`` (and some that need more than a file: other
arithmetic, training mode, saturating products) in small models, runs the files as their users would, and prints what
is told first. Exits 1 when a fault is not told first or a false one is told. About three minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: it must not hide an installed bench

from bench.analysis.diagnosis import diagnose
from bench.analysis.hypotheses.trial import ranked
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.hypotheses import try_hypotheses
from bench.prepare.prepare import prepare_model
from bench.records import Artifact, Finding, Prepared, PrepareSettings
from bench.specs import parse_model

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]
MODELS = ("classifier", "pictures", "two_by_two", "text", "normalised", "noisy", "quantised")
_SETTINGS = PrepareSettings(seed=0)
_NOTHING = ""


class Case(NamedTuple):
    """One wrong file of one model, and what was told of it."""

    model: str
    fault: str  # for a person
    code: str  # what should be told first; empty: nothing
    also: frozenset[str]
    told: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        """Whether its own diagnosis came first, and no other but those that hold as well."""
        codes = [finding.code for finding in self.told]
        return codes[:1] == [self.code] * bool(self.code) and set(codes) <= {self.code, *self.also} - {_NOTHING}


class Planted(NamedTuple):
    """What a wrong file gave."""

    fault: str
    code: str
    also: frozenset[str]
    outputs: Arrays


def run_file(model: Any, artifact: Artifact, pool: Mapping[str, Any]) -> Arrays:
    """The outputs of a file, optimised, under the model's names; the whole pool in one batch."""
    from bench.prepare.child.onnx_run import open_as_deployed

    feed = {tensor.name: pool[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
    given = open_as_deployed(model.SerializeToString())(feed)
    return {artifact.names.get(name, name): array for name, array in given.items()}


def plant(model: str, prepared: Prepared) -> Iterator[Planted]:
    """Every wrong file of a model."""
    import onnx

    from bench.prepare.child.saturating_graph import saturating
    from benchmarks.wrong_files import FAULTS, swapped, wrong_file

    artifact = prepared.artifacts["onnx"]
    pool, file = load_arrays(prepared.pool), onnx.load(artifact.path)
    theirs = {ours: name for name, ours in artifact.names.items()}
    for fault in FAULTS:
        if fault.model == model:
            wrong = wrong_file(file, theirs.get(fault.name, fault.name), fault.side, fault.body)
            said = f"{fault.side} {fault.name}: {fault.code}"
            yield Planted(said, fault.code, fault.also, run_file(wrong, artifact, pool))
    if model == "two_by_two":
        for side, (first, second) in (("input", ("left", "right")), ("output", ("alpha", "gamma"))):
            outputs = run_file(swapped(file, side, first, second), artifact, pool)
            yield Planted(f"{side}s swapped", f"{side}s swapped", frozenset(), outputs)
    if model == "quantised":
        outputs = run_file(saturating(file), artifact, pool)
        yield Planted("u8 x s8 products as without VNNI", "saturated integer products", frozenset(), outputs)
    yield from _arithmetic(model, file, artifact, pool)
    yield from _training(model, pool)
    yield from _unknown(model, run_file(file, artifact, pool))


def _arithmetic(model: str, file: Any, artifact: Artifact, pool: Mapping[str, Any]) -> Iterator[Planted]:
    """Files that round; the same in all models but those where nothing is multiplied."""
    from bench.prepare.child.rounded_graph import ROUNDINGS, rounded

    for rounding in ROUNDINGS if model in ("classifier", "pictures", "normalised") else ():
        outputs = run_file(rounded(file, rounding), artifact, pool)
        also = frozenset({f"rounded to {rounding.code}"})
        yield Planted(rounding.said, rounding.code, also, outputs)


def _training(model: str, pool: Mapping[str, Any]) -> Iterator[Planted]:
    """What a file exported in training mode would give."""
    if model == "normalised":
        from bench.prepare.child.pipeline import load_source, reset_keras

        reset_keras()
        _, loaded = load_source(parse_model(_spec(model)), _SETTINGS)
        assert loaded is not None
        value = np.asarray(loaded.model(pool["image"], training=True))
        name = loaded.model.output_names[0]
        yield Planted("batch norms in training mode", "training mode", frozenset(), {name: value})


def _unknown(model: str, right: Arrays) -> Iterator[Planted]:
    """Wrong in no way that has a name, and right: nothing is to be told; of a random model that it is one."""
    rng = np.random.default_rng(0)
    code = "non-deterministic model" if model == "noisy" else _NOTHING
    ways: dict[str, Arrays] = {
        "right file": right,
        "noise": {name: np.asarray(rng.normal(size=array.shape)) for name, array in right.items()},
        "a little noise": {n: a + 3e-3 * a.std() * rng.normal(size=a.shape) for n, a in right.items()},
        "each class scaled": {n: a * rng.uniform(0.5, 2, size=a.shape[-1]) for n, a in right.items()},
        "all values shuffled": {n: rng.permutation(a.ravel()).reshape(a.shape) for n, a in right.items()},
    }
    for said, outputs in ways.items():
        yield Planted(said, code, frozenset(), {name: array.astype(np.float32) for name, array in outputs.items()})


def judge(model: str, folder: Path) -> Iterator[Case]:
    """What is told of every wrong file of a model."""
    spec = parse_model(_spec(model) if model != "quantised" else str(_quantised(folder)))
    prepared = prepare_model(spec, _SETTINGS, on_stage=lambda _: None)
    planted = list(plant(model, prepared))
    truth = load_arrays(prepared.truth_file)
    files = {str(i): save_arrays(folder / f"{i}.npz", one.outputs) for i, one in enumerate(planted)}
    reruns = try_hypotheses(prepared, spec, _SETTINGS, prepared.artifacts["onnx"], files, folder / "child")
    for i, one in enumerate(planted):
        arrays = [finding for findings in diagnose(truth, one.outputs).values() for finding in findings]
        yield Case(model, one.fault, one.code, one.also, ranked([*reruns.get(str(i), ()), *arrays]))


def _spec(model: str) -> str:
    return f"{Path(__file__).with_name('diagnosed_models.py')}:{model}"


def _quantised(folder: Path) -> Path:
    import onnx

    from benchmarks.wrong_files import quantised

    onnx.save(quantised(), folder / "quantised.onnx")
    return folder / "quantised.onnx"


def _line(case: Case) -> str:
    first = case.told[0].text if case.told else "nothing"
    also = ", ".join(finding.code for finding in case.told[1:])
    return f"| {case.model} | {case.fault} | {'' if case.is_right else 'WRONG: '}{first} | {also} |"


def main() -> int:
    """Print the table; 1 where a fault was not told first or a false one was."""
    started = time.monotonic()
    cases: list[Case] = []
    print("| model | fault | told first | told as well |\n|---|---|---|---|")
    for model in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            cases += [*judge(model, Path(folder))]
        for case in cases:
            if case.model == model:
                print(_line(case), flush=True)
    wrong = [case for case in cases if not case.is_right]
    named = [case for case in cases if case.code]
    right = sum(case.is_right for case in named)
    false = sum(bool(case.told) for case in cases if not case.code)
    print(f"\n{right} of {len(named)} faults told first by their own diagnosis; ", end="")
    print(f"{false} of {len(cases) - len(named)} others told one. {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
