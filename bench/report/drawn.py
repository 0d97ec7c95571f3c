"""What is drawn of very many samples: few enough for a smooth page, with every extreme among them. Pure.

For drawing alone: no statistic of a report is ever taken from what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

LIMIT = 4000  # marks of one picture
_LEAST = 120  # of one series, however many the others have: warm-up is short and must stand where it was
_OF_A_STRETCH = 3  # marks that a stretch may cost


@dataclass(frozen=True)
class Envelope:
    """Samples cut into stretches of the same length, in order; arrays of one length. Alone, a sample is a stretch."""

    start: Any  # index of a stretch's first sample
    end: Any  # and behind its last
    least: Any
    middle: Any  # the median, of an even number the lower one: always a sample
    greatest: Any

    def __len__(self) -> int:
        return len(self.start)


def envelope(values: Any, limit: int) -> Envelope:
    """Each sample for itself where they are at most ``limit``, otherwise about a third as many stretches.

    The least and the greatest of all are always the least and the greatest of a stretch. Drawing only those two would
    make one cloud look like two: hence the median.
    """
    values = np.asarray(values)
    count = len(values) if len(values) <= limit else max(1, limit // _OF_A_STRETCH)
    cuts = np.linspace(0, len(values), count + 1).astype(np.int64)
    parts = [np.sort(values[start:end]) for start, end in pairwise(cuts)]
    return Envelope(
        start=cuts[:-1],
        end=cuts[1:],
        least=np.array([part[0] for part in parts], dtype=values.dtype),
        middle=np.array([part[(len(part) - 1) // 2] for part in parts], dtype=values.dtype),
        greatest=np.array([part[-1] for part in parts], dtype=values.dtype),
    )


def outline(values: Any, limit: int) -> Any:
    """Ascending indices of about ``limit`` samples for a line through them, the least and greatest of each stretch."""
    values = np.asarray(values)
    if len(values) <= max(limit, 2):
        return np.arange(len(values))
    cuts = np.linspace(0, len(values), max(1, limit // 2) + 1).astype(np.int64)
    kept = {int(start + pick(values[start:end])) for start, end in pairwise(cuts) for pick in (np.argmin, np.argmax)}
    return np.array(sorted(kept), dtype=np.int64)


def shared_limits(counts: Sequence[int], limit: int = LIMIT) -> list[int]:
    """How many marks each series of a picture may have: as large a part of ``limit`` as it has of all samples."""
    total = sum(counts)
    if total <= limit:
        return list(counts)
    return [min(count, max(_LEAST, count * limit // total)) for count in counts]
