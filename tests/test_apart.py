from __future__ import annotations

from pathlib import Path

from analysis_fakes import measured, opened, together
from bench.apart import with_placements
from bench.measure.process import WorkerDiedError
from bench.measure.rounds import Arm
from bench.records import CaseRepetition, MeasureSettings, Profiled, ProfileRequest, ProviderPart, Reply, Request
from fakes import case, open_request

CPU, OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"
SETTINGS = MeasureSettings()


class ProfilingLauncher:
    """Workers that answer a profile with these parts, or die with this reason."""

    pid = 1

    def __init__(self, *parts: ProviderPart, dies: str = "") -> None:
        self.parts, self.dies = parts, dies
        self.asked = self.closed = 0

    def start(self, prefix: Path | None) -> ProfilingLauncher:
        assert prefix is None
        return self

    def ask(self, request: Request, limit_s: float) -> Reply:
        assert isinstance(request, ProfileRequest)
        assert limit_s == SETTINGS.time_limit_s
        self.asked += 1
        if self.dies:
            raise WorkerDiedError("crashed", self.dies)
        return Profiled(parts=self.parts, calls=request.calls)

    def close(self, kill: bool = False) -> None:
        self.closed += 1


def _part(provider: str, time_ns: int) -> ProviderPart:
    return ProviderPart(provider=provider, kernels=1, time_ns=time_ns, operators={"Conv": 1})


def _placed(launcher: ProfilingLauncher, name: str = "onnxruntime-openvino") -> CaseRepetition:
    one = case(name)
    arm = Arm(case=one, request=open_request(name))
    info = opened(provider=OPENVINO, node_share=1.0)
    result = together(0, measured(one.case_id, 0, [[10]], opened=info))
    [first] = with_placements(result, [arm], [], launcher, SETTINGS).cases
    again = together(1, measured(one.case_id, 1, [[10]], opened=info))
    [second] = with_placements(again, [arm], [together(0, first)], launcher, SETTINGS).cases
    assert second.placement is None or name == "tensorflow"
    return first


def test_a_case_is_profiled_once_a_run_in_a_worker_that_ends() -> None:
    launcher = ProfilingLauncher(_part(OPENVINO, 9))
    first = _placed(launcher)
    assert first.placement is not None
    assert (first.placement.parts, first.placement.calls, first.complete) == (launcher.parts, 3, True)
    assert (launcher.asked, launcher.closed) == (1, 1)


def test_a_case_in_part_elsewhere_keeps_its_numbers() -> None:
    first = _placed(ProfilingLauncher(_part(OPENVINO, 1), _part(CPU, 99)))
    assert (first.status, first.complete, len(first.turns)) == ("ok", True, 2)


def test_a_case_of_which_nothing_ran_on_the_provider_has_no_number_under_its_name() -> None:
    first = _placed(ProfilingLauncher(_part(CPU, 99)))
    assert (first.status, first.complete, first.turns, first.checks) == ("unavailable", False, [], [])
    assert first.reason == f"nothing ran on {OPENVINO}: {CPU} 100%: Conv"


def test_a_profile_that_dies_is_a_reason_and_takes_nothing_away_and_is_not_tried_again() -> None:
    launcher = ProfilingLauncher(dies="it died of SIGSEGV")
    first = _placed(launcher)
    assert first.placement is not None
    assert (first.placement.reason, first.complete, launcher.asked) == ("it died of SIGSEGV", True, 1)
    assert launcher.closed == 1


def test_a_runtime_without_providers_is_not_profiled() -> None:
    launcher = ProfilingLauncher()
    assert _placed(launcher, "tensorflow").placement is None
    assert launcher.asked == 0
