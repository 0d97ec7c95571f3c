"""One worker of one arm, with no other alive: what is measured apart from the rounds. Runs in the parent."""

from __future__ import annotations

from bench.measure.launch import Launcher
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm, environment_path
from bench.records import FirstRequest, Placement, Profiled, ProfileRequest, SoakDone, SoakRequest, SoakSample

PROFILE_CALLS = 3


def profile_arm(arm: Arm, launcher: Launcher, limit_s: float) -> Placement:
    """Which provider ran what, by a profiled session in a process of its own; a failure is its reason."""
    try:
        worker = launcher.start(environment_path(arm))
        try:
            reply = worker.ask(ProfileRequest(open=arm.request, calls=PROFILE_CALLS), limit_s)
        finally:
            worker.close()
    except WorkerDiedError as death:
        return Placement(reason=death.reason)
    assert isinstance(reply, Profiled)
    return Placement(parts=reply.parts, calls=reply.calls)


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
