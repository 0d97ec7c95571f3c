"""What people type for a share: ``5%`` or ``0.05``."""

from __future__ import annotations

import math

from bench.errors import UsageError


def parse_share(flag: str, text: str) -> float:
    """``"5%"`` and ``"0.05"`` -> 0.05; UsageError for what is no share above 0."""
    number, scale = (text[:-1], 100.0) if text.endswith("%") else (text, 1.0)
    try:
        share = float(number) / scale
    except ValueError:
        share = math.nan
    if not (math.isfinite(share) and share > 0):
        raise UsageError(f"{flag} {text}: expected a share above 0, such as 5% or 0.05")
    return share
