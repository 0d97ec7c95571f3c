from __future__ import annotations

from pathlib import Path

import pytest

from bench.measure.alone import measure_roofs_alone, operators_arm
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm
from bench.records import Operator, Profiled, ProfileRequest, Reply, Request, Roofs, RoofsRequest
from fakes import case, open_request

PROFILED = Profiled(
    parts=(), calls=2, operators=(Operator(name="a", operator="Conv", provider="CPU", time_ns=(1, 2)),), calls_ns=(3, 3)
)


class Answering:
    """A worker that answers with this, or dies."""

    pid = 1

    def __init__(self, answer: Reply | None) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.prefixes: list[Path | None] = []
        self.closed = 0

    def start(self, prefix: Path | None) -> Answering:
        self.prefixes.append(prefix)
        return self

    def ask(self, request: Request, limit_s: float) -> Reply:
        self.asked.append(request)
        if self.answer is None:
            raise WorkerDiedError("unsupported", "iree does not tell how long its operators took")
        return self.answer

    def close(self, kill: bool = False) -> None:
        self.closed += 1


ARM = Arm(case=case("openvino"), request=open_request("openvino"), environment="/env")


def test_operators_come_from_a_worker_of_the_arms_environment_that_ends() -> None:
    launcher = Answering(PROFILED)
    assert operators_arm(ARM, launcher, calls=2, limit_s=9) == PROFILED
    assert launcher.asked == [ProfileRequest(open=ARM.request, calls=2, with_operators=True)]
    assert (launcher.prefixes, launcher.closed) == ([Path("/env")], 1)


def test_a_runtime_that_tells_no_operators_is_a_reason_and_its_worker_ends() -> None:
    launcher = Answering(None)
    with pytest.raises(WorkerDiedError, match="does not tell how long"):
        operators_arm(ARM, launcher, calls=2, limit_s=9)
    assert launcher.closed == 1


def test_roofs_are_asked_of_a_worker_of_our_own() -> None:
    roofs = Roofs(threads=2, flops_per_s=(1.0,), bytes_per_s=(1.0,))
    launcher = Answering(roofs)
    assert measure_roofs_alone(launcher, 2, (0, 1), 9) == roofs
    assert launcher.asked == [RoofsRequest(threads=2, cpus=(0, 1))]
    assert (launcher.prefixes, launcher.closed) == ([None], 1)
