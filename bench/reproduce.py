"""A case of a suite -> the command line that runs it alone. Pure.

The reverse of ``flags.py`` and ``suite.py``: every setting that a flag can change is in the line where it is not the
default. A report holds no folder of this machine, so a path is its base name: run the line where the files are.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import PurePath

from bench.prepare.zoo import zoo_names
from bench.records import Case, MeasureSettings, ModelSpec, PrepareSettings, Suite
from bench.suite import REPETITIONS

_DEFAULT_PREPARE = PrepareSettings()
_DEFAULT_MEASURE = MeasureSettings()
_EFFORTS = {REPETITIONS["quick"]: "--quick", REPETITIONS["thorough"]: "--thorough"}


def reproduce_command(case: Case, model: ModelSpec, suite: Suite, *, outputs: Collection[str] | None = None) -> str:
    """The command that runs this case as the suite did; of tolerances only those of ``outputs`` where they are known.

    Batch and threads are always in it: their defaults are those of another machine.
    """
    words = ["bench", "run", _model_word(model), "-e", case.runtime.display]
    words += ["-b", str(case.batch_size), "-x", str(case.threads)]
    words += ["--streams", str(case.streams)] if case.streams > 1 else []
    words += _measuring(suite.measure)
    if case.runtime.name in suite.plugins:
        words += ["--plugin", f"{case.runtime.name}={_base_name(suite.plugins[case.runtime.name])}"]
    words += _preparing(suite.prepare, model)
    words += _own_litert(suite.prepare) if case.runtime.name == "litert" else []  # refused where LiteRT does not run
    words += _pairs("--rtol", _tolerances(suite.tolerance.rtol, outputs))
    words += _pairs("--atol", _tolerances(suite.tolerance.atol, outputs))
    return shlex.join(words)


def bisect_command(runtime: str, model: ModelSpec, settings: PrepareSettings) -> str:
    """The command that looks for the layer on the same model and inputs; for this terminal: paths are whole."""
    seed = ["-S", str(settings.seed)] if settings.seed else []
    words = ["bench", "bisect", model.text, "-e", runtime, *_preparing(settings, model, shown=str), *seed]
    return shlex.join(words)


def _measuring(settings: MeasureSettings) -> Iterator[str]:
    if settings.repetitions in _EFFORTS:
        yield _EFFORTS[settings.repetitions]
    if settings.min_seconds is not None:
        yield from ("-t", _number(settings.min_seconds))
    if settings.min_calls is not None:
        yield from ("-r", str(settings.min_calls))
    if settings.tail_calls:
        yield "--tail"
    if settings.time_limit_s != _DEFAULT_MEASURE.time_limit_s:
        yield from ("--time-limit", _number(settings.time_limit_s))
    if settings.soak_s:
        yield from ("--soak", _number(settings.soak_s / 60))
    if settings.min_placement != _DEFAULT_MEASURE.min_placement:
        yield from ("--min-placement", _number(settings.min_placement))
    if settings.require_placement:
        yield "--require-placement"
    if settings.seed:
        yield from ("-S", str(settings.seed))


def _preparing(
    settings: PrepareSettings, model: ModelSpec, *, shown: Callable[[str], str] | None = None
) -> Iterator[str]:
    """All but the seed, which is said once for both; ``shown`` spells a path, by its base name unless given."""
    shown = shown or _base_name
    if settings.load_inputs:
        yield from ("--load-inputs", shown(settings.load_inputs))
    shapes = settings.input_shapes.items()
    yield from _pairs("--input-shapes", (f"{name}:[{','.join(map(str, shape))}]" for name, shape in shapes))
    ranges = settings.input_ranges.items()
    yield from _pairs("--input-range", (_named(name, f"{_number(lo)},{_number(hi)}") for name, (lo, hi) in ranges))
    if settings.onnx_file:
        yield from ("--onnx", shown(settings.onnx_file))
    yield from _pairs("--onnx-names", (f"{theirs}={ours}" for theirs, ours in settings.onnx_names.items()))
    if settings.opset != _DEFAULT_PREPARE.opset:
        yield from ("--opset", str(settings.opset))
    if settings.signature and model.kind == "saved_model":  # refused where no model has signatures
        yield from ("--signature", settings.signature)
    if settings.custom_objects:
        yield from ("--custom-objects", ",".join(settings.custom_objects))
    if settings.unsafe:
        yield "--unsafe"


def _own_litert(settings: PrepareSettings) -> Iterator[str]:
    if settings.litert_file:
        yield from ("--litert", _base_name(settings.litert_file))
    yield from _pairs("--litert-names", (f"{theirs}={ours}" for theirs, ours in settings.litert_names.items()))


def _tolerances(by_output: Mapping[str, float], outputs: Collection[str] | None) -> Iterator[str]:
    for name, value in by_output.items():
        if not name or outputs is None or name in outputs:
            yield _named(name, _number(value))


def _model_word(model: ModelSpec) -> str:
    """Its canonical text; with ``./`` where the bare name of a file would be taken for something else."""
    word = model.display
    is_ambiguous = model.name in zoo_names() or word.startswith(("-", "keras:")) or "." not in model.name
    return f"./{word}" if model.path and is_ambiguous else word


def _pairs(flag: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (flag, value)


def _named(name: str, text: str) -> str:
    return f"{name}:{text}" if name else text


def _number(value: float) -> str:
    """The shortest text that is read back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _base_name(path: str) -> str:
    return PurePath(path).name or path
