"""What the fixture ``runtime_benchmark`` gives to a test: nothing is timed before its outputs were judged."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from bench.errors import BenchError, UnavailableError
from bench.measure.feeds import Feed
from bench.pytest_cases import SessionCase
from bench.pytest_session import Kept, OpenCase, open_case
from bench.report.pytest_benchmark import extra_info, group_of
from bench.report.pytest_benchmark_file import with_stats
from bench.rows import Row
from bench.runtimes.contract import Session


class RuntimeBenchmark:
    """A verified session of one model on one runtime; call it to time it.

    The first use of any attribute opens and judges it: a test fails there where its outputs do not agree with the
    truth, and is skipped where the runtime is not there.
    """

    def __init__(
        self, case: SessionCase, benchmark: Any, *, kept: Kept, require: bool, on_doubt: Callable[[str], None]
    ) -> None:
        """``benchmark`` is pytest-benchmark's fixture, ``on_doubt`` takes what a person should know of a sound row."""
        self.case = case
        self.benchmark = benchmark
        self._kept, self._require, self._on_doubt = kept, require, on_doubt
        self._open: OpenCase | None = None
        self._row: Row | None = None

    def __call__(self, *, rounds: int | None = None, iterations: int = 1) -> Row:
        """Time one call after another, inputs rotating: the row, with what was timed unless benchmarks are disabled.

        With ``rounds`` exactly so many of ``iterations`` calls; without, as many as pytest-benchmark's options say.
        """
        row, opened = self.row, self._opened()
        self.benchmark.group = self.benchmark.group or group_of(row)
        if self.benchmark.enabled:
            opened.warm_up(time.perf_counter_ns)
        call, next_feed = opened.session.call, itertools.cycle(opened.feeds).__next__

        def call_next() -> Any:
            return call(next_feed())

        if rounds is None:
            self.benchmark(call_next)
        else:
            self.benchmark.pedantic(call_next, rounds=rounds, iterations=iterations)
        if self.benchmark.stats is not None:
            self._judge(opened)
            self._row = with_stats(self.row, self.benchmark.stats)
        return self.row

    @property
    def row(self) -> Row:
        """The case as a row of a report: digests, versions, placement, agreement; latencies once they were timed."""
        self._opened()
        assert self._row is not None
        return self._row

    @property
    def session(self) -> Session:
        """The session itself; ``session.call(feed)`` gives the outputs in the order of the model's file."""
        return self._opened().session

    @property
    def feeds(self) -> list[Feed]:
        """The inputs of the pool, one dict of arrays a call, under the names of the model's file."""
        return self._opened().feeds

    def close(self) -> None:
        """Let go of the session."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _opened(self) -> OpenCase:
        if self._open is None:
            try:
                self._open = open_case(self.case, self._kept)
            except UnavailableError as error:
                if not self._require:
                    pytest.skip(str(error))
                self._fail(f"{error} (--bench-require)")
            except BenchError as error:
                self._fail(str(error))
            self._judge(self._open)
        return self._open

    def _judge(self, opened: OpenCase) -> None:
        """Fail the test unless its outputs agree; its benchmark is then in no file."""
        row = opened.judge()
        self.benchmark.extra_info.update(extra_info(row))
        if row.agreement != "agrees":
            self._fail(f"{row.case_id}: {row.agreement}: {row.agreement_reason}")
        if self._row is None and row.status != "ok":
            self._on_doubt(f"{row.case_id}: {row.status}: {row.status_reason}")
        self._row = row

    def _fail(self, reason: str) -> NoReturn:
        def fail() -> NoReturn:
            pytest.fail(reason, pytrace=False)

        self.benchmark.has_error = True
        if self.benchmark.stats is None:
            self.benchmark(fail)  # counts as a use: pytest-benchmark would warn that there was none
        fail()
