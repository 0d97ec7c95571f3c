"""Values as JSON and CSV can have them: neither has a word for NaN and infinities. Pure."""

from __future__ import annotations

import csv
import io
import math
from typing import Any


def finite(value: float | None) -> float | None:
    """The number, None where there is none."""
    return None if value is None or not math.isfinite(value) else value


def without_nan(value: Any) -> Any:
    """NaN and infinities as None, also within dictionaries and lists; all else as it is."""
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    return [without_nan(item) for item in value] if isinstance(value, (list, tuple)) else value


def csv_field(value: Any) -> str:
    """A value in CSV: strings in quotes, numbers bare, nothing where unknown."""
    value = without_nan(value)
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow([value])
    return out.getvalue()
