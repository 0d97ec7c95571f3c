"""What people type for a share: ``5%`` or ``0.05``."""

from __future__ import annotations

from bench import gate_asking
from bench.errors import UsageError


def parse_share(flag: str, text: str) -> float:
    """``"5%"`` and ``"0.05"`` -> 0.05; UsageError, with the flag, for what ``gate_asking.parse_share`` refuses."""
    try:
        return gate_asking.parse_share(text)
    except UsageError as error:
        raise UsageError(f"{flag} {error}") from None
