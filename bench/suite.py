"""What was asked for, by flags and by a suite file -> one Suite.

Both sources are parsed at their own border (``flags.py``, ``suite_file.py``) into an Asked; a flag wins over the file.
Here they are merged, defaults are filled in, and what contradicts itself is refused, every mistake at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from bench.errors import UsageError
from bench.own_files import wrong_own_files
from bench.records import MeasureSettings, ModelSpec, PrepareSettings, RuntimeSpec, Suite, Tolerance
from bench.spec_syntax import refuse_twice

Effort = Literal["quick", "normal", "thorough"]
REPETITIONS: dict[Effort, int] = {"quick": 3, "normal": 5, "thorough": 8}
TAIL_CALLS = 500  # per repetition; p99 needs as many

Parsed = TypeVar("Parsed")


class ModelAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A model, with batch sizes of its own where it has some."""

    spec: ModelSpec
    batch: tuple[int, ...] = ()


class BudgetAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The change that is allowed to the cases that it fits; None fits every one."""

    delta: float
    model: str | None = None
    runtime: RuntimeSpec | None = None
    batch: int | None = None


class GateAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What one source asked of a gate; shares, not percent; None or empty where it said nothing."""

    delta: float | None = None
    alpha: float | None = None
    beta: float | None = None
    max_pairs: int | None = None
    time_limit: float | None = None
    metrics: tuple[str, ...] = ()
    inconclusive: str | None = None
    budgets: tuple[BudgetAsked, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one source asked for; None or empty where it said nothing."""

    models: tuple[ModelAsked, ...] = ()
    runtimes: tuple[RuntimeSpec, ...] = ()
    batch: tuple[int, ...] = ()
    threads: int | None = None
    seed: int | None = None
    effort: Effort | None = None
    calls: int | None = None
    seconds: float | None = None
    tail: bool | None = None
    time_limit: float | None = None
    streams: tuple[int, ...] = ()
    soak: float | None = None
    min_placement: float | None = None
    require_placement: bool | None = None
    plugins: dict[str, str] = {}
    opset: int | None = None
    input_shapes: dict[str, tuple[int, ...]] = {}
    input_ranges: dict[str, tuple[float, float]] = {}
    load_inputs: str | None = None
    onnx_file: str | None = None
    onnx_names: dict[str, str] = {}
    litert_file: str | None = None
    litert_names: dict[str, str] = {}
    custom_objects: tuple[str, ...] = ()
    unsafe: bool | None = None
    signature: str | None = None
    rtol: dict[str, float] = {}
    atol: dict[str, float] = {}
    gate: GateAsked | None = None


class Mistakes:
    """Collects usage errors, so that a person mends them all at once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def attempt(self, parse: Callable[[], Parsed], where: str = "") -> Parsed | None:
        """What ``parse`` returns, or None with its UsageError kept under ``where``."""
        try:
            return parse()
        except UsageError as error:
            self.add(str(error), where)
            return None

    def add(self, text: str, where: str = "") -> None:
        """Keep one mistake, a line each."""
        self.texts.extend(f"{where}: {line}" if where else line for line in text.splitlines())

    def raise_any(self) -> None:
        """UsageError with every mistake, a line each, or nothing."""
        if self.texts:
            raise UsageError("\n".join(self.texts))


def merge(flags: Asked, file: Asked) -> Asked:
    """``file`` with everything replaced that ``flags`` says; batch sizes by flag are those of every model."""
    said = {key: value for key, value in msgspec.structs.asdict(flags).items() if value not in (None, (), {})}
    if flags.batch and not flags.models:
        said["models"] = tuple(ModelAsked(spec=model.spec) for model in file.models)
    return msgspec.structs.replace(file, **said)


def build_suite(asked: Asked, *, cpus: int, default_runtimes: tuple[RuntimeSpec, ...]) -> Suite:
    """The suite, defaults filled in; ``cpus`` are those that this process may use."""
    _refuse_contradictions(asked)
    batch = asked.batch or (1,)
    return Suite(
        models=tuple(model.spec for model in asked.models),
        runtimes=asked.runtimes or default_runtimes,
        batch_sizes={model.spec.display: _unique(model.batch or batch) for model in asked.models},
        threads=asked.threads or cpus,
        prepare=_given(
            PrepareSettings,
            seed=asked.seed,
            opset=asked.opset,
            input_shapes=asked.input_shapes,
            input_ranges=asked.input_ranges,
            load_inputs=asked.load_inputs,
            onnx_file=asked.onnx_file,
            onnx_names=asked.onnx_names,
            litert_file=asked.litert_file,
            litert_names=asked.litert_names,
            custom_objects=asked.custom_objects,
            unsafe=asked.unsafe,
            signature=asked.signature,
        ),
        measure=_given(
            MeasureSettings,
            repetitions=REPETITIONS[asked.effort or "normal"],
            min_calls=asked.calls,
            min_seconds=asked.seconds,
            tail_calls=TAIL_CALLS if asked.tail else None,
            time_limit_s=asked.time_limit,
            seed=asked.seed,
            soak_s=asked.soak * 60 if asked.soak else None,
            min_placement=asked.min_placement,
            require_placement=asked.require_placement,
        ),
        tolerance=Tolerance(rtol=asked.rtol, atol=asked.atol),
        defaulted_runtimes=not asked.runtimes,
        streams=_unique(asked.streams) or (1,),
        plugins=asked.plugins,
    )


def check_tolerance_names(tolerance: Tolerance, output_names: Iterable[str]) -> None:
    """UsageError where a tolerance is for an output that none of the models has."""
    names = list(dict.fromkeys(output_names))
    mistakes = Mistakes()
    for flag, by_output in (("--rtol", tolerance.rtol), ("--atol", tolerance.atol)):
        for name in by_output:
            if name and name not in names:
                mistakes.add(f"{flag} {name}: no output is called so; outputs are {', '.join(names)}")
    mistakes.raise_any()


def _refuse_contradictions(asked: Asked) -> None:
    mistakes = Mistakes()
    for text in _wrong_numbers(asked):
        mistakes.add(text)
    specs = [model.spec for model in asked.models]
    mistakes.attempt(lambda: refuse_twice("model", specs))
    for name, file in asked.plugins.items():
        if not Path(file).is_file():
            mistakes.add(f"--plugin {name}={file}: there is no such file; give the provider's library")
    for flag, path in (
        ("--load-inputs", asked.load_inputs),
        ("--onnx", asked.onnx_file),
        ("--litert", asked.litert_file),
    ):
        if path and not Path(path).exists():
            mistakes.add(f"{flag} {path}: there is no such file or folder")
    for text in wrong_own_files(asked, specs):
        mistakes.add(text)
    if asked.signature and not any(spec.kind == "saved_model" for spec in specs):
        mistakes.add("--signature picks one of a SavedModel's; none of the models is a SavedModel folder")
    mistakes.raise_any()


def _wrong_numbers(asked: Asked) -> Iterator[str]:
    """What no flag lets through and a file can still say."""
    for name, (lo, hi) in asked.input_ranges.items():
        if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
            yield f"input_range {name or 'of every input'}: {lo:g},{hi:g}; expected finite lo below hi"
    for key, by_output in (("rtol", asked.rtol), ("atol", asked.atol)):
        for name, value in by_output.items():
            if not (math.isfinite(value) and value >= 0):
                yield f"{key} {name or 'of every output'}: {value:g}; expected a finite number, at least 0"
    for key, limit in (("seconds", asked.seconds), ("time_limit", asked.time_limit)):
        if limit is not None and not math.isfinite(limit):
            yield f"{key}: {limit:g}; expected a finite number"


def _unique(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


Settings = TypeVar("Settings", PrepareSettings, MeasureSettings)


def _given(kind: type[Settings], **values: Any) -> Settings:
    """A record with its own defaults wherever nothing was said."""
    return kind(**{key: value for key, value in values.items() if value not in (None, (), {})})
