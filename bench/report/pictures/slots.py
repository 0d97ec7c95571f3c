"""Places on an axis of calls for cases that took turns: the same round of every case begins at the same place. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.report.pictures.scene import WARMUP, Calls

_FIRST, _LAST = -1, 1 << 40  # round numbers of warm-up and of the tail: before and after all rounds


@dataclass(frozen=True)
class Slots:
    """The blocks of a group in order: (repetition, round), where each begins and how many calls it has room for."""

    keys: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def total(self) -> int:
        """Places there are."""
        return self.offsets[-1] + self.sizes[-1] if self.sizes else 0

    @property
    def starts(self) -> list[tuple[int, int]]:
        """Each repetition with its first place."""
        first: dict[int, int] = {}
        for (repetition, _), offset in zip(self.keys, self.offsets, strict=True):
            first.setdefault(repetition, offset)
        return list(first.items())

    def spans(self, rounds: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
        """From and to of the given rounds, those side by side as one."""
        found: list[tuple[int, int]] = []
        for key, offset, size in zip(self.keys, self.offsets, self.sizes, strict=True):
            if key not in rounds:
                continue
            start = found.pop()[0] if found and found[-1][1] == offset else offset
            found.append((start, offset + size))
        return found

    def place(self, calls: Calls) -> Any:
        """Where each call stands."""
        where = dict(zip(self.keys, self.offsets, strict=True))
        block, within = _blocks(calls)
        offsets = np.array([where[key] for key in block.keys], dtype=np.int64)
        return offsets[block.of_call] + within


@dataclass(frozen=True)
class _Blocks:
    keys: list[tuple[int, int]]
    of_call: Any  # index into keys of each call
    sizes: list[int]


def slots_of(cases: Sequence[Calls]) -> Slots:
    """As much room in each block as the case with the most calls there needs."""
    sizes: dict[tuple[int, int], int] = {}
    for calls in cases:
        blocks, _ = _blocks(calls)
        for key, size in zip(blocks.keys, blocks.sizes, strict=True):
            sizes[key] = max(sizes.get(key, 0), size)
    keys = tuple(sorted(sizes))
    ordered = [sizes[key] for key in keys]
    offsets = [0, *np.cumsum(ordered)[:-1].tolist()] if ordered else []
    return Slots(keys, tuple(map(int, offsets)), tuple(ordered))


def _blocks(calls: Calls) -> tuple[_Blocks, Any]:
    """The blocks of one case, and the number of each call within its block."""
    outside = np.where(calls.kind == WARMUP, _FIRST, _LAST)
    rounds = np.where(calls.round < 0, outside, calls.round)
    pairs = np.stack([calls.repetition, rounds], axis=1)
    keys, of_call, sizes = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    of_call = of_call.reshape(-1)
    order = np.lexsort((calls.call, of_call))
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    within = np.empty(len(calls), dtype=np.int64)
    within[order] = np.arange(len(calls)) - starts
    return _Blocks([(int(r), int(n)) for r, n in keys], of_call, [int(size) for size in sizes]), within
