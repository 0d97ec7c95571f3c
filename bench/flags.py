"""Texts of command-line flags -> values. Pure; every mistake is a UsageError that names the flag and its form."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from bench.errors import UsageError

_SHAPE = re.compile(r"\[\s*(\d+(\s*,\s*\d+)*)?\s*\]")


def parse_batches(text: str) -> tuple[int, ...]:
    """``"1,8,32"`` -> ``(1, 8, 32)``."""
    sizes = [_whole(piece.strip()) for piece in text.split(",")]
    return tuple(size if size else _refuse("-b", text, "whole numbers of at least 1, such as 1,8,32") for size in sizes)


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
        else:
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
        else:
            tolerances[name] = value
    return tolerances


def parse_names(texts: Iterable[str]) -> dict[str, str]:
    """``["Identity:0=logits"]`` -> name in the file to name in the model."""
    names: dict[str, str] = {}
    for text in texts:
        theirs, _, ours = text.rpartition("=")
        if not theirs or not ours:
            _refuse("--onnx-names", text, "NAME_IN_FILE=NAME_IN_MODEL")
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


def _refuse(flag: str, text: str, expected: str) -> int:
    raise UsageError(f"{flag} {text}: expected {expected}")


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
