"""What the tests of the verbs share: a console that remembers, and a pipeline that measures nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.commands.console import Console
from bench.pipeline import RunResult
from bench.records import Suite
from bench.rows import Row


@dataclass
class Heard:
    """What was said, on which stream."""

    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    @property
    def console(self) -> Console:
        return Console(say=self.out.append, warn=self.err.append)

    @property
    def text(self) -> str:
        return "\n".join(self.out)


@dataclass
class FakePipeline:
    """Stands for ``run_suite``: remembers what it was asked and answers at once."""

    rows: list[Row]
    exit_code: int = 0
    suites: list[Suite] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def run_suite(self, suite: Suite, out: Path, **settings: Any) -> RunResult:
        self.suites.append(suite)
        self.calls.append({"out": out, **settings})
        return RunResult(self.rows, self.exit_code, out)
