"""One worker of one arm, with no other alive: what is measured apart from the rounds. Runs in the parent."""

from __future__ import annotations

from pathlib import Path

from bench.measure.launch import Launcher
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm, environment_path
from bench.records import (
    FirstRequest,
    Placement,
    Profiled,
    ProfileRequest,
    Reply,
    Request,
    Roofs,
    RoofsRequest,
    SoakDone,
    SoakRequest,
    SoakSample,
)

PROFILE_CALLS = 3


def profile_arm(arm: Arm, launcher: Launcher, limit_s: float) -> Placement:
    """Which provider ran what, by a profiled session in a process of its own; a failure is its reason."""
    try:
        request = ProfileRequest(open=arm.request, calls=PROFILE_CALLS)
        reply = _asked_alone(environment_path(arm), launcher, request, limit_s)
    except WorkerDiedError as death:
        return Placement(reason=death.reason)
    assert isinstance(reply, Profiled)
    return Placement(parts=reply.parts, calls=reply.calls)


def operators_arm(arm: Arm, launcher: Launcher, calls: int, limit_s: float) -> Profiled:
    """Every operator with its time in each of ``calls`` calls, by a fresh process.

    Raises WorkerDiedError where it can't be had; its reason says why, as of a runtime that tells no such times.
    """
    request = ProfileRequest(open=arm.request, calls=calls, with_operators=True)
    reply = _asked_alone(environment_path(arm), launcher, request, limit_s)
    assert isinstance(reply, Profiled)
    return reply


def measure_roofs_alone(
    launcher: Launcher, threads: int, cpus: tuple[int, ...], limit_s: float, environment: Path | None = None
) -> Roofs:
    """What this machine can do at most with so many threads, by a fresh process of ``environment`` (None: our own).

    Raises WorkerDiedError where it can't be had.
    """
    reply = _asked_alone(environment, launcher, RoofsRequest(threads=threads, cpus=cpus), limit_s)
    assert isinstance(reply, Roofs)
    return reply


def _asked_alone(environment: Path | None, launcher: Launcher, request: Request, limit_s: float) -> Reply:
    worker = launcher.start(environment)
    try:
        return worker.ask(request, limit_s)
    finally:
        worker.close()


def soak_arm(arm: Arm, launcher: Launcher, seconds: float, limit_s: float) -> list[SoakSample]:
    """Memory over ``seconds`` of calls in a fresh process. Raises WorkerDiedError where it can't be had."""
    worker = launcher.start(environment_path(arm))
    try:
        worker.ask(arm.request, limit_s)
        worker.ask(FirstRequest(), limit_s)
        reply = worker.ask(SoakRequest(seconds=seconds), seconds + limit_s)
    finally:
        worker.close()
    assert isinstance(reply, SoakDone)
    return reply.samples
