"""Which of very many samples are drawn: few enough for a smooth page, with every extreme among them. Pure.

For drawing alone: no statistic is ever taken from what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

LIMIT = 4000  # points of one picture
_LEAST = 8  # of one series, however many the others have


def drawn_indices(values: Any, limit: int) -> Any:
    """Ascending indices into ``values`` (in the order in which they are drawn), about ``limit`` of them at most.

    All of them where they are that few. Otherwise they are cut into stretches of the same length, and each gives its
    least and its greatest: so the least and the greatest of all are always there, and the outline stays. Equal input
    gives equal output.
    """
    values = np.asarray(values)
    if len(values) <= max(limit, 2):
        return np.arange(len(values))
    cuts = np.linspace(0, len(values), max(1, limit // 2) + 1).astype(np.int64)
    kept = {int(start + pick(values[start:end])) for start, end in pairwise(cuts) for pick in (np.argmin, np.argmax)}
    return np.array(sorted(kept), dtype=np.int64)


def shared_limits(counts: Sequence[int], limit: int = LIMIT) -> list[int]:
    """How many points each series of a picture may have: as large a part of ``limit`` as it has of all samples."""
    total = sum(counts)
    if total <= limit:
        return list(counts)
    return [min(count, max(_LEAST, count * limit // total)) for count in counts]
