"""Texts of command-line flags -> Asked. Every mistake is a UsageError that names the flag and the form expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NoReturn

import msgspec

from bench.errors import UsageError
from bench.prepare.opsets import GREATEST_OPSET, LEAST_OPSET
from bench.specs import parse_models, parse_runtimes
from bench.suite import Asked, Mistakes, ModelAsked


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Flags of ``run`` and ``verify`` that ask for something, as typed; named as in ``cli.py``."""

    model: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    batch: str | None = None
    threads: int | None = None
    seed: int | None = None
    quick: bool = False
    thorough: bool = False
    calls: int | None = None
    seconds: float | None = None
    tail: bool = False
    time_limit: float | None = None
    streams: str | None = None
    soak: float | None = None
    min_placement: str | None = None
    require_placement: bool = False
    plugin: tuple[str, ...] = ()
    opset: int | None = None
    input_shapes: tuple[str, ...] = ()
    input_range: tuple[str, ...] = ()
    load_inputs: str | None = None
    onnx: str | None = None
    onnx_names: tuple[str, ...] = ()
    litert: str | None = None
    litert_names: tuple[str, ...] = ()
    custom_objects: tuple[str, ...] = ()
    unsafe: bool = False
    signature: str | None = None
    rtol: tuple[str, ...] = ()
    atol: tuple[str, ...] = ()


_LEAST = (
    ("-x", "threads", 1),
    ("-S", "seed", 0),
    ("-r", "calls", 1),
    ("-t", "seconds", 0.001),
    ("--time-limit", "time_limit", 0.001),
    ("--soak", "soak", 0.01),
)


def parse_flags(flags: Flags, usable: Callable[[], Sequence[str]] = tuple) -> Asked:
    """What the flags ask for; UsageError with every mistake, a line each."""
    mistakes = Mistakes()
    models = [spec for text in flags.model for spec in mistakes.attempt(partial(parse_models, text)) or ()]
    for flag, name, least in _LEAST:
        mistakes.attempt(partial(at_least, flag, getattr(flags, name), least))
    mistakes.attempt(lambda: check_opset(flags.opset))
    if flags.quick and flags.thorough:
        mistakes.add("--quick and --thorough contradict each other; give one of them")
    asked = Asked(
        models=tuple(ModelAsked(spec=spec) for spec in models),
        runtimes=mistakes.attempt(lambda: parse_runtimes(flags.runtime, usable)) or (),
        batch=mistakes.attempt(lambda: parse_batches(flags.batch) if flags.batch is not None else ()) or (),
        threads=flags.threads,
        seed=flags.seed,
        effort="quick" if flags.quick else "thorough" if flags.thorough else None,
        calls=flags.calls,
        seconds=flags.seconds,
        tail=flags.tail or None,
        time_limit=flags.time_limit,
        streams=mistakes.attempt(lambda: parse_batches(flags.streams, "--streams") if flags.streams else ()) or (),
        soak=flags.soak,
        min_placement=mistakes.attempt(lambda: parse_placement(flags.min_placement)),
        require_placement=flags.require_placement or None,
        plugins=mistakes.attempt(lambda: parse_plugins(flags.plugin)) or {},
        opset=flags.opset,
        input_shapes=mistakes.attempt(lambda: parse_shapes(flags.input_shapes)) or {},
        input_ranges=mistakes.attempt(lambda: parse_ranges(flags.input_range)) or {},
        load_inputs=flags.load_inputs,
        onnx_file=flags.onnx,
        onnx_names=mistakes.attempt(lambda: parse_names("--onnx-names", flags.onnx_names)) or {},
        litert_file=flags.litert,
        litert_names=mistakes.attempt(lambda: parse_names("--litert-names", flags.litert_names)) or {},
        custom_objects=mistakes.attempt(lambda: parse_custom_objects(flags.custom_objects)) or (),
        unsafe=flags.unsafe or None,
        signature=flags.signature,
        rtol=mistakes.attempt(lambda: parse_tolerances("--rtol", flags.rtol)) or {},
        atol=mistakes.attempt(lambda: parse_tolerances("--atol", flags.atol)) or {},
    )
    mistakes.raise_any()
    return asked


_SHAPE = re.compile(r"\[\s*(\d+(\s*,\s*\d+)*)?\s*\]")


def parse_batches(text: str, flag: str = "-b") -> tuple[int, ...]:
    """``"1,8,32"`` -> ``(1, 8, 32)``."""
    pieces = [piece.strip() for piece in text.split(",")]
    if not all(piece.isascii() and piece.isdigit() and int(piece) for piece in pieces):
        _refuse(flag, text, "whole numbers of at least 1, such as 1,8,32")
    return tuple(int(piece) for piece in pieces)


def parse_placement(said: str | float | None, flag: str = "--min-placement") -> float | None:
    """``"95%"``, ``"0.95"`` or 0.95 -> 0.95."""
    if said is None:
        return None
    text = str(said)
    number = _number(text.removesuffix("%"))
    share = None if number is None else number / 100 if text.endswith("%") else number
    if share is None or not 0 <= share <= 1:
        _refuse(flag, text, "a share such as 95% or 0.95")
    return share


def parse_plugins(texts: Iterable[str]) -> dict[str, str]:
    """``["webgpu=path"]`` -> by the runtime's name in the table; UsageError for one that is no plugin."""
    plugins: dict[str, str] = {}
    for text in texts:
        short, _, path = text.partition("=")
        if not short or not path:
            _refuse("--plugin", text, "NAME=PATH, such as webgpu=libonnxruntime_providers_webgpu.so")
        plugins[plugin_name(short, f"--plugin {text}")] = path
    return plugins


def plugin_name(text: str, where: str) -> str:
    """The table's key of a runtime that comes as a plugin library; UsageError, told of ``where``, for any other."""
    from bench.runtimes.table import RUNTIMES, canonical_name

    name = canonical_name(text)
    if RUNTIMES[name].plugin is None:
        known = ", ".join(key for key, entry in RUNTIMES.items() if entry.plugin)
        raise UsageError(f"{where}: expected a runtime that comes as a plugin library: {known}")
    return name


def parse_shapes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """``["name:[1,3,224,224]"]`` -> by name; the batch is the first number of a shape."""
    shapes: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, shape = text.rpartition(":")
        if not name or not _SHAPE.fullmatch(shape.strip()):
            _refuse("--input-shapes", text, "NAME:[1,3,224,224]")
        shapes[name] = tuple(int(number) for number in shape.strip(" []").split(",") if number.strip())
        if 0 in shapes[name]:
            _refuse("--input-shapes", text, "dimensions of at least 1")
    return shapes


def parse_ranges(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """``["0,255", "mask:0,1"]`` -> by name, ``""`` for every input that is not named."""
    ranges: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, _, pair = text.rpartition(":")
        bounds = [_number(piece) for piece in pair.split(",")]
        if len(bounds) != 2 or bounds[0] is None or bounds[1] is None or not bounds[0] < bounds[1]:
            _refuse("--input-range", text, "[NAME:]lo,hi with lo below hi, such as 0,255")
        ranges[name] = (bounds[0], bounds[1])
    return ranges


def parse_tolerances(flag: str, texts: Iterable[str]) -> dict[str, float]:
    """``["1e-3", "logits:1e-2"]`` -> by output name, ``""`` for every output that is not named."""
    tolerances: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition(":")
        value = _number(number)
        if value is None or value < 0:
            _refuse(flag, text, "[OUTPUT:]NUMBER, at least 0, such as 1e-3")
        tolerances[name] = value
    return tolerances


def parse_names(flag: str, texts: Iterable[str]) -> dict[str, str]:
    """``["Identity:0=logits"]`` -> name in the file to name in the model."""
    names: dict[str, str] = {}
    for text in texts:
        pieces = text.split(",")
        if len(pieces) > 1 and all(piece.count("=") == 1 for piece in pieces):
            repeated = " ".join(f"{flag} {piece.strip()}" for piece in pieces)
            _refuse(flag, text, f"one pair; repeat the flag: {repeated}")
        theirs, _, ours = text.rpartition("=")
        if not theirs or not ours:
            _refuse(flag, text, "NAME_IN_FILE=NAME_IN_MODEL")
        names[theirs] = ours
    return names


def parse_custom_objects(texts: Iterable[str]) -> tuple[str, ...]:
    """``["package.module:Class"]``, one text a class or a comma list."""
    wanted = [piece.strip() for text in texts for piece in text.split(",")]
    for piece in wanted:
        module, _, name = piece.partition(":")
        if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            _refuse("--custom-objects", piece, "package.module:Class")
    return tuple(wanted)


def at_least(flag: str, value: float | None, least: float) -> None:
    """Refuses a number below ``least``, infinite or NaN; None is fine."""
    if value is not None and not (math.isfinite(value) and value >= least):
        _refuse(flag, f"{value:g}", f"a number of at least {least:g}")


def check_opset(opset: int | None) -> None:
    """Refuses an operator set that no model can be converted to; None is fine."""
    if opset is not None and not LEAST_OPSET <= opset <= GREATEST_OPSET:
        _refuse("--opset", str(opset), f"{LEAST_OPSET} to {GREATEST_OPSET}, which tf2onnx can write")


def _refuse(flag: str, text: str, expected: str) -> NoReturn:
    raise UsageError(f"{flag} {text}: expected {expected}")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
