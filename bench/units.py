"""Integers to text for people: nanoseconds, bytes, ratios. Formatting, nothing else; imports nothing of ours."""

from __future__ import annotations

import math

_TIME = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))
_SIZE = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
UNKNOWN = "-"


def duration(ns: float | None) -> str:
    """``7480000`` -> ``"7.48 ms"``: three significant digits in the largest fitting unit."""
    if ns is None:
        return UNKNOWN
    scale, unit = next(((s, u) for s, u in _TIME if abs(ns) >= s), _TIME[-1])
    return f"{_three_digits(ns / scale)} {unit}"


def size(n_bytes: int | None) -> str:
    """``63963136`` -> ``"61 MiB"``."""
    if n_bytes is None:
        return UNKNOWN
    scale, unit = next(((s, u) for s, u in _SIZE if abs(n_bytes) >= s), _SIZE[-1])
    return f"{_three_digits(n_bytes / scale)} {unit}"


def speed(ratio: float | None) -> str:
    """A ratio of latencies, reference over case, as text: ``2.3`` -> ``"2.3x faster"``, ``0.5`` -> ``"2x slower"``."""
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return UNKNOWN
    if abs(ratio - 1) < 0.005:
        return "same"
    return f"{_three_digits(ratio)}x faster" if ratio > 1 else f"{_three_digits(1 / ratio)}x slower"


def count(number: float | None) -> str:
    """``568740352`` -> ``"569 M"``."""
    if number is None:
        return UNKNOWN
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= scale:
            return f"{_three_digits(number / scale)} {unit}"
    return f"{number:g}"


def _three_digits(value: float) -> str:
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
