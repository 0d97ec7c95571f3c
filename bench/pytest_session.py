"""A case opened in this process, judged, and kept ready: what ``runtime_benchmark`` times.

Joins prepare, runtimes, measure and analysis as ``pipeline.py`` does, without a worker: it imports the case's runtime
into pytest's own process.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from bench import errors
from bench.analysis.agreement import merge_checks
from bench.analysis.checker import budgets_of, make_checker
from bench.analysis.doubts import joined
from bench.analysis.ledger import option_text
from bench.analysis.placement import placement_status
from bench.analysis.summary import summarise_group
from bench.cases import make_arm, make_case
from bench.errors import BenchError
from bench.measure.feeds import Feed, gather_outputs, make_feeds
from bench.measure.plan import WARMUP_MAX_CALLS, is_steady
from bench.measure.rounds import Arm
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.prepare import prepare_model
from bench.preparing import failure_of, with_variants
from bench.progress import Silent
from bench.pytest_cases import SessionCase
from bench.records import ArrayFile, Case, CaseRepetition, Failure, GroupRepetition, OutputCheck, Prepared
from bench.reproduce import reproduce_command
from bench.rows import Row
from bench.runtimes.contract import Session
from bench.runtimes.loading import open_session
from bench.suite import check_tolerance_names

Kept = MutableMapping[Any, Prepared | Failure]


class OpenCase:
    """A session with its feeds and the judgement of what it gave; close it."""

    def __init__(self, asked: SessionCase, case: Case, arm: Arm, prepared: Prepared) -> None:
        self.asked, self.case, self.prepared = asked, case, prepared
        self.request = arm.request
        self.session: Session = open_session(case.runtime.name, arm.request.artifact, arm.request.settings)
        self.feeds: list[Feed] = make_feeds(arm.request)
        self._check = make_checker(prepared, asked.suite.tolerance, budgets_of([case], prepared))
        self._checks: list[OutputCheck] = []

    def judge(self) -> Row:
        """Run the whole pool: the row as ``bench verify`` makes it, of this and every earlier look the worst."""
        with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
            outputs = gather_outputs(self.session.call, self.feeds, self.request)
            file: ArrayFile = save_arrays(Path(folder) / "outputs.npz", outputs)
            found = self._check(self.case.case_id, file)
        self._checks = merge_checks(self._checks, found) if self._checks else found
        return self._row()

    def warm_up(self, clock: Callable[[], int]) -> None:
        """Call until steady, by the rule of ``bench run``."""
        durations: list[int] = []
        while len(durations) < WARMUP_MAX_CALLS and not is_steady(durations):
            feed = self.feeds[len(durations) % len(self.feeds)]
            start = clock()
            self.session.call(feed)
            durations.append(clock() - start)

    def close(self) -> None:
        """Let go of the session: its threads would disturb the next test."""
        self.session.close()
        self.feeds = []

    def _row(self) -> Row:
        info, case = self.session.info, self.case
        seen = CaseRepetition(
            case_id=case.case_id, repetition=0, status=placement_status(info, None, 1.0), checks=self._checks
        )
        group = GroupRepetition(group=0, repetition=0, cases=[seen], rounds=[], page_cache="warm", started="")
        command = reproduce_command(case, self.asked.model, self.asked.suite)
        (row,) = summarise_group([case], [group], self.prepared, None, {case.case_id: command})
        return msgspec.structs.replace(
            row,
            runtime_version=info.runtime_version,
            provider=info.provider,
            call_path=info.call_path,
            runtime_options=option_text(info.effective_options),
            node_share=info.node_share,
            cautions="; ".join(filter(None, [joined(info.cautions), row.cautions])),
        )


def open_case(asked: SessionCase, kept: Kept) -> OpenCase:
    """The case, open and not yet judged; ``kept`` is where prepared models wait for the next test.

    Raises UnavailableError where the runtime is not there in the version asked for, BenchError where the case can't be
    had, UsageError where this process can't take it (TensorFlow has one thread count).
    """
    prepared = _prepared(asked, kept)
    if isinstance(prepared, Failure):
        raise _error(prepared)
    check_tolerance_names(asked.suite.tolerance, [output.name for output in prepared.outputs])
    case = make_case(asked.model, asked.runtime, asked.batch_size, asked.suite.threads)
    shapes = {asked.model.display: {name: array.shape for name, array in load_arrays(prepared.pool).items()}}
    arm = make_arm(case, prepared, shapes)
    if isinstance(arm, CaseRepetition):
        raise _error(Failure(status=arm.status, reason=arm.reason))
    opened = OpenCase(asked, case, arm, prepared)
    found, wanted = opened.session.info.runtime_version, asked.runtime.version
    if wanted is not None and found != wanted:
        opened.close()
        raise errors.UnavailableError(
            f"opening {asked.runtime.display}: {wanted} asked for, this process has {found}; "
            "`bench gate` and `bench run` can make environments, a test can't"
        )
    return opened


def _prepared(asked: SessionCase, kept: Kept) -> Prepared | Failure:
    key = msgspec.json.encode([asked.model, asked.suite.prepare], order="deterministic")
    if key not in kept:
        try:
            kept[key] = prepare_model(asked.model, asked.suite.prepare)
        except BenchError as error:
            kept[key] = failure_of(error)
    found = kept[key]
    if isinstance(found, Prepared):
        suite = msgspec.structs.replace(asked.suite, runtimes=(asked.runtime,))
        found = kept[key] = with_variants(found, asked.model, suite, Silent())
    return found


def _error(failure: Failure) -> BenchError:
    is_absent = failure.status == "unavailable"
    return (errors.UnavailableError if is_absent else BenchError)(failure.reason)
