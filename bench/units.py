"""Integers to text for people: nanoseconds, bytes, ratios. Formatting, nothing else; imports nothing of ours."""

from __future__ import annotations

import math

_TIME = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))
_SIZE = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
_COUNT = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
UNKNOWN = "-"


def duration(ns: float | None) -> str:
    """``7480000`` -> ``"7.48 ms"``: three significant digits in the largest fitting unit."""
    return _scaled(ns, _TIME, 1000)


def size(n_bytes: float | None) -> str:
    """``63963136`` -> ``"61 MiB"``."""
    return _scaled(n_bytes, _SIZE, 1024)


def count(number: float | None) -> str:
    """``568740352`` -> ``"569 M"``."""
    return _scaled(number, _COUNT, 1000)


def time_unit(ns: float) -> tuple[float, str]:
    """What durations about as long as this are given in on an axis: nanoseconds of one, and its name."""
    return next((unit for unit in _TIME if ns >= unit[0]), _TIME[-1])


def size_unit(n_bytes: float) -> tuple[float, str]:
    """The same of sizes."""
    return next((unit for unit in _SIZE if n_bytes >= unit[0]), _SIZE[-1])


def error(value: float | None) -> str:
    """A relative error: ``6.04e-6`` -> ``"6.0e-6"``, ``0.1234`` -> ``"0.12"``."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if value == 0 or 0.01 <= abs(value) < 1000 or math.isinf(value):
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def percent(share: float | None) -> str:
    """``0.9375`` -> ``"93.75 %"``."""
    return UNKNOWN if share is None else f"{100 * share:.4g} %"


def speed(ratio: float | None) -> str:
    """A ratio of latencies, reference over case, as text: ``2.3`` -> ``"2.3x faster"``, ``0.5`` -> ``"2x slower"``."""
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return UNKNOWN
    if abs(ratio - 1) < 0.005:
        return "same"
    return f"{_three_digits(ratio)}x faster" if ratio > 1 else f"{_three_digits(1 / ratio)}x slower"


def comparison(ratio: float | None, low: float | None, high: float | None) -> str:
    """A latency over the reference's with its interval: ``0.476, 0.435, 0.5`` -> ``"2.1x faster (2.0 to 2.3)"``.

    Both numbers of the brackets are in the direction of the word before them; where the interval covers 1 one of them
    is below 1. Digits are added until a bound that is not 1 is not printed as 1.
    """
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return UNKNOWN
    slower = ratio > 1
    point = ratio if slower else 1 / ratio
    bounds = sorted(b if slower else 1 / b for b in (low, high) if b is not None and math.isfinite(b) and b > 0)
    whole = len(bounds) == 2
    is_decided = whole and not bounds[0] <= 1 <= bounds[1]
    digits = _digits(point, [*bounds, point] if is_decided else bounds)
    word = "same" if not is_decided and point < 1.005 else f"{point:.{digits}f}x {'slower' if slower else 'faster'}"
    return f"{word} ({bounds[0]:.{digits}f} to {bounds[1]:.{digits}f})" if whole else word


def _digits(point: float, never_one: list[float]) -> int:
    least = 2 if point < 1.995 else 1 if point < 19.95 else 0
    return next((d for d in range(least, 4) if not any(round(v, d) == 1 != v for v in never_one)), 4)


def _scaled(value: float | None, units: tuple[tuple[float, str], ...], step: int) -> str:
    if value is None or not math.isfinite(value):
        return UNKNOWN
    chosen = next((i for i, (scale, _) in enumerate(units) if abs(value) >= scale), len(units) - 1)
    if chosen and float(_three_digits(abs(value) / units[chosen][0])) >= step:  # 999.96 us is 1 ms
        chosen -= 1
    scale, unit = units[chosen]
    return f"{_three_digits(value / scale)} {unit}".rstrip()


def _three_digits(value: float) -> str:
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, what: str) -> str:
    """``1 case``, ``3 cases``."""
    return f"{number} {what}{'s' * (number != 1)}"
