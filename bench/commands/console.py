"""Where a verb's words go: given to it by the command line, faked by tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Console:
    """Results go to ``say``, words about them to ``warn``."""

    say: Callable[[str], None]
    warn: Callable[[str], None]
    width: int = 100  # columns
    colour: bool = False
