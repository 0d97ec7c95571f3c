"""Where along a model its values leave their budget, by as few runs as a search needs. Pure: who runs is passed in.

The search is over prefixes of the model's steps. A prefix's *frontier* is all that a later step or the model's outputs
read of it: whatever is wrong within passes there. So no tensor within has to be an output, and a runtime may fuse as it
does in the whole model. A prefix is bad iff a tensor of its frontier leaves its budget.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

from bench.analysis.distance import GREATEST_TOLERANCE
from bench.prepare.steps import tolerance
from bench.records import Record

_CREEPING = 0.3  # of its budget: an error as large just before it leaves it may have been out of it earlier


class Link(Record, frozen=True):
    """A step as the search sees it."""

    tensor: str | None  # that can be judged; None where there is none, or it can't be
    before: tuple[int, ...] = ()  # places of the steps that it reads
    is_output: bool = False


class Chain(Record, frozen=True):
    """The steps that can be judged, in order, and how they hang together; numbers are places among them."""

    steps: tuple[int, ...]  # places among all steps
    tensors: tuple[str, ...]
    last_read: tuple[int, ...]  # the last that reads each; ``len(steps)`` where the model's outputs do
    within: tuple[tuple[int, ...], ...]  # among all steps: those that can't be judged and whose work is in each

    def frontier(self, length: int) -> tuple[int, ...]:
        """Which of the first ``length`` are read by what comes after."""
        return tuple(place for place in range(length) if self.last_read[place] >= length)


class Answer(Record, frozen=True):
    """What one prefix came to."""

    bad: bool
    worst: float = 0.0  # largest error of its frontier in units of its budget
    reason: str = ""  # why it could not be run
    runs: int = 1  # of the runtime that it took; 0 where it was known


class Search(Record, frozen=True):
    """What a search came to: prefix ``good`` is within its budget, ``bad`` is not; nothing between could be run."""

    verdict: Literal["found", "only as a whole"]
    good: int
    bad: int
    runs: int
    failed: dict[int, str]  # prefixes that could not be run, and why
    creeping: bool = False  # the error was near its budget before: an earlier step may have brought it


def most_runs(n: int) -> int:
    """Of the runtime, for a model of ``n`` steps: the whole, the search, and the part that fails alone."""
    return int(2 * math.log2(n)) + 2 if n else 2


def can_be_judged(spread: float | None, yardstick: float | None) -> bool:
    """Whether a check of this tensor could fail: it varies over inputs, and by more than correct runtimes differ."""
    if spread is None or not (math.isfinite(spread) and spread > 0):
        return False
    return tolerance(yardstick) <= GREATEST_TOLERANCE


def make_chain(links: Sequence[Link]) -> Chain:
    """The steps that can be judged. One that can't hands on what it reads; so does one whose tensor was there before.

    ``links`` are in order of computation: each reads earlier ones only. Those that no output needs are left out.
    """
    alive = _alive(links)
    steps: list[int] = []
    tensors: list[str] = []
    last_read: list[int] = []
    within: list[set[int]] = []
    reached: list[tuple[frozenset[int], frozenset[int]]] = []  # of each step: judged ones it stands for, hidden work
    for place, link in enumerate(links):
        sources, hidden = (_joined(reached[i][part] for i in link.before) for part in (0, 1))
        if link.tensor in tensors:
            sources, hidden = frozenset([tensors.index(str(link.tensor))]), frozenset()
        elif place not in alive:
            sources, hidden = frozenset(), frozenset()
        elif link.tensor is not None:
            number = len(steps)
            for source in sources:
                last_read[source] = number
            steps.append(place)
            tensors.append(link.tensor)
            last_read.append(-1)
            within.append(set(hidden))
            sources, hidden = frozenset([number]), frozenset()
        else:
            hidden |= {place}
        reached.append((sources, hidden))
    for place, link in enumerate(links):
        for source in reached[place][0] if link.is_output else ():
            last_read[source] = len(steps)
    return Chain(
        steps=tuple(steps),
        tensors=tuple(tensors),
        last_read=tuple(last_read),
        within=tuple(tuple(sorted(one)) for one in within),
    )


def hidden_before(links: Sequence[Link], outputs: Collection[int]) -> tuple[int, ...]:
    """Steps that no tensor is judged for on their way to outputs: what is wrong there shows in the whole alone."""
    hidden: list[frozenset[int]] = []
    for place, link in enumerate(links):
        hidden.append(frozenset() if link.tensor is not None else _joined(hidden[i] for i in link.before) | {place})
    return tuple(sorted(_joined(hidden[place] for place in outputs)))


def _alive(links: Sequence[Link]) -> set[int]:
    """Steps that an output is computed from."""
    alive = {place for place, link in enumerate(links) if link.is_output}
    for place in reversed(range(len(links))):
        alive |= set(links[place].before) if place in alive else set()
    return alive


def _joined(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset(number for one in sets for number in one)


def search(n: int, probe: Callable[[int], Answer], *, most: int, spent: int = 0) -> Search:
    """The shortest bad prefix, given that the whole model is wrong.

    ``probe(k)`` runs the first k steps, ``most`` bounds the runs, ``spent`` of which were made. A prefix that can't be
    run is stepped over. Where the error was near its budget just before, runs that are left look for an earlier one.
    """
    hunt = _Hunt(probe, most, spent)
    end = hunt.ask(n) if n else Answer(bad=False)
    if not end.bad and not end.reason:
        return Search(verdict="only as a whole", good=n, bad=n, runs=hunt.runs, failed=hunt.failed)
    good, bad = hunt.halve(0, n)
    creeping = False
    while good and hunt.answers[good].worst > _CREEPING:
        creeping = True
        earlier = hunt.look_before(good)
        if earlier is None:
            break
        good, bad = hunt.halve(*earlier)
    return Search(verdict="found", good=good, bad=bad, runs=hunt.runs, failed=hunt.failed, creeping=creeping)


class _Hunt:
    """Answers so far, and how many runs they took."""

    def __init__(self, probe: Callable[[int], Answer], most: int, spent: int) -> None:
        self.answers: dict[int, Answer] = {}
        self.runs = spent
        self._probe = probe
        self._most = most

    @property
    def failed(self) -> dict[int, str]:
        """Prefixes that could not be run."""
        return {length: one.reason for length, one in sorted(self.answers.items()) if one.reason}

    def ask(self, length: int) -> Answer:
        """What a prefix came to; each is run once."""
        if length not in self.answers:
            self.answers[length] = self._probe(length)
            self.runs += self.answers[length].runs
        return self.answers[length]

    def halve(self, good: int, bad: int) -> tuple[int, int]:
        """The same two, as near as they can be brought."""
        while (middle := self._middle(good, bad)) is not None:
            answer = self.ask(middle)
            if answer.bad:
                bad = middle
            elif not answer.reason:
                good = middle
        return good, bad

    def look_before(self, good: int) -> tuple[int, int] | None:
        """A good and a bad prefix before ``good``, by runs that are left; None where none was found."""
        while self.runs < self._most:
            known = [0, *(k for k, one in sorted(self.answers.items()) if k <= good and not one.reason)]
            low, high = max(itertools.pairwise(known), key=lambda pair: pair[1] - pair[0])
            middle = self._middle(low, high)
            if middle is None:
                return None
            if self.ask(middle).bad:
                return low, middle
        return None

    def _middle(self, low: int, high: int) -> int | None:
        """What is nearest to the middle of two and was not asked yet; None where nothing is, or no run is left."""
        if self.runs >= self._most:
            return None
        between = (k for k in range(low + 1, high) if k not in self.answers)
        return min(between, key=lambda k: (abs(2 * k - low - high), k), default=None)
