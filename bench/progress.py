"""How a run tells how far it is: on stderr, drawn only when called, because a live display takes 2 % of a core.

Imports nothing of ours. The pipeline calls it between turns and never while a call is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TextIO

EVERY_S = 5.0  # plain lines come no closer than this


class Progress(Protocol):
    """What the pipeline says while it works."""

    def stage(self, name: str) -> None:
        """Something else is being done now."""

    def start(self, total: float) -> None:
        """``total`` units of work lie ahead; time left counts from here."""

    def advance(self, n: float = 1, detail: str = "") -> None:
        """``n`` more units are done; ``detail`` says what is going on. 0 only redraws."""

    def note(self, text: str) -> None:
        """One line for a person that stays: a caution, a wait, a failure."""

    def done(self) -> None:
        """All work that ``start`` announced is over."""


class Silent:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def start(self, total: float) -> None:
        """Nothing."""

    def advance(self, n: float = 1, detail: str = "") -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def done(self) -> None:
        """Nothing."""


class Estimate:
    """Time left, from the pace since ``start``. Pure but for the clock that is passed in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started: float | None = None
        self.total = 0.0
        self.finished = 0.0

    def start(self, total: float) -> None:
        """Count anew."""
        self._started, self.total, self.finished = self._clock(), total, 0.0

    def advance(self, n: float) -> None:
        """``n`` more units, never above the total."""
        self.finished = min(self.total, self.finished + n)

    def left_s(self) -> float | None:
        """Seconds left at the pace so far, None before there is a pace."""
        if self._started is None or self.finished <= 0:
            return None
        return (self._clock() - self._started) * (self.total - self.finished) / self.finished

    def text(self) -> str:
        """``"3/15, about 2 min left"``."""
        left = self.left_s()
        count = f"{self.finished:g}/{self.total:g}" if self.total else ""
        return ", ".join(part for part in (count, f"about {spell_seconds(left)} left" if left else "") if part)


class PlainProgress:
    """Lines for a log: stages as they come, advances at most once in ``every_s`` seconds.

    With ``each_unit`` a finished unit always is a line.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        every_s: float = EVERY_S,
        each_unit: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._each_unit = each_unit
        self._every_s = every_s
        self._clock = clock
        self._estimate = Estimate(clock)
        self._stage = ""
        self._last: float | None = None

    def stage(self, name: str) -> None:
        """A line, unless the last one was a moment ago."""
        self._stage = name
        self._now_and_then()

    def start(self, total: float) -> None:
        """No line of its own."""
        self._estimate.start(total)

    def advance(self, n: float = 1, detail: str = "") -> None:
        """A line now and then, with the time left."""
        self._estimate.advance(n)
        if self._each_unit and n > 0:
            self._last = None
        self._now_and_then(detail)

    def note(self, text: str) -> None:
        """A line, always."""
        self._write(text)

    def done(self) -> None:
        """No line of its own."""
        self._estimate.start(0)

    def _now_and_then(self, detail: str = "") -> None:
        now = self._clock()
        if self._last is not None and now - self._last < self._every_s:
            return
        self._last = now
        self._write(", ".join(part for part in (self._stage, detail, self._estimate.text()) if part))

    def _write(self, text: str) -> None:
        self._stream.write(f"bench: {text}\n")
        self._stream.flush()


class TerminalProgress:
    """One line at the bottom of a terminal that is drawn anew at each call; no thread refreshes it."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        self._estimate = Estimate(clock)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[left]}", markup=False),
            console=Console(file=stream),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, left="", start=False)
        self._stage = ""
        self._bar.start()

    def stage(self, name: str) -> None:
        """Redraws."""
        self._stage = name
        self._draw()

    def start(self, total: float) -> None:
        """Redraws with a bar."""
        self._estimate.start(total)
        self._bar.start()
        self._bar.update(self._task, total=total, completed=0)
        self._draw()

    def advance(self, n: float = 1, detail: str = "") -> None:
        """Redraws."""
        self._estimate.advance(n)
        self._bar.update(self._task, completed=self._estimate.finished)
        self._draw(detail)

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(f"bench: {text}", markup=False, highlight=False, soft_wrap=True)

    def done(self) -> None:
        """The bar goes away."""
        self._bar.stop()

    def _draw(self, detail: str = "") -> None:
        description = ", ".join(part for part in (self._stage, detail) if part)
        self._bar.update(self._task, description=description, left=self._estimate.text())
        self._bar.refresh()


def choose_progress(stream: TextIO, *, each_unit: bool = False) -> Progress:
    """A bar where ``stream`` is a terminal, plain lines otherwise, with ``each_unit`` one for every finished unit."""
    return TerminalProgress(stream) if stream.isatty() else PlainProgress(stream, each_unit=each_unit)


def spell_seconds(seconds: float) -> str:
    """``95`` -> ``"2 min"``, ``40`` -> ``"40 s"``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
