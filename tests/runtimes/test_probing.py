from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
import pytest

from bench.errors import UsageError
from bench.records import Probe
from bench.runtimes import probing
from bench.runtimes.probing import Finished, probe_all
from bench.runtimes.table import RUNTIMES


class ScriptedChildren:
    """Children that answer usable for every name, except that a name in ``ends`` ends its child in that way."""

    def __init__(self, **ends: tuple[int | None, str]) -> None:
        self.ends = {name.replace("_", "-"): end for name, end in ends.items()}
        self.started: list[tuple[str, ...]] = []

    def __call__(self, names: Sequence[str]) -> Finished:
        self.started.append(tuple(names))
        out = b""
        for name in names:
            if name in self.ends:
                exit_code, err = self.ends[name]
                return exit_code, out, err.encode()
            out += msgspec.json.encode(Probe(name=name, state="usable", detail="1.0")) + b"\n"
        return 0, out, b""


def _states(names: Sequence[str], children: ScriptedChildren) -> dict[str, str]:
    return {probe.name: probe.state for probe in probe_all(names, start=children)}


def test_answers_come_in_the_order_asked_for_under_canonical_names() -> None:
    found = probe_all(["cuda", "tf", "cpu"], start=ScriptedChildren())
    assert [probe.name for probe in found] == ["onnxruntime-cuda", "tensorflow", "onnxruntime-cpu"]


def test_one_child_for_tensorflow_and_one_for_all_of_onnx_runtime() -> None:
    children = ScriptedChildren()
    probe_all(["cuda", "tf", "cpu"], start=children)
    assert sorted(children.started) == [("onnxruntime-cuda", "onnxruntime-cpu"), ("tensorflow",)]


def test_a_crash_is_told_with_its_signal_and_does_not_hide_the_others() -> None:
    children = ScriptedChildren(onnxruntime_cuda=(-11, "warning\nlibcudart not found\n"))
    found = {probe.name: probe for probe in probe_all(["cpu", "cuda", "webgpu"], start=children)}
    assert [found[name].state for name in found] == ["usable", "broken", "usable"]
    assert found["onnxruntime-cuda"].detail == "its probe was ended by SIGSEGV: libcudart not found"
    assert found["onnxruntime-cuda"].install
    assert children.started == [("onnxruntime-cpu", "onnxruntime-cuda", "onnxruntime-webgpu"), ("onnxruntime-webgpu",)]


def test_a_probe_that_hangs_is_told_with_its_bound() -> None:
    [found] = probe_all(["tf"], start=ScriptedChildren(tensorflow=(None, "")))
    assert (found.state, found.detail) == ("broken", "its probe did not end within 90 s")


def test_an_exception_in_a_probe_is_told_with_its_last_line() -> None:
    [found] = probe_all(["tf"], start=ScriptedChildren(tensorflow=(1, "Traceback\nOSError: no space\n")))
    assert found.detail == "its probe ended with exit code 1: OSError: no space"


def test_a_child_that_dies_at_every_name_ends_after_as_many_children() -> None:
    children = ScriptedChildren(onnxruntime_cpu=(-9, ""), onnxruntime_cuda=(-9, ""))
    assert set(_states(["cpu", "cuda"], children).values()) == {"broken"}
    assert len(children.started) == 2


def test_what_exists_on_another_system_only_is_not_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    children = ScriptedChildren()
    [found] = probe_all(["coreml"], start=children)
    assert (found.state, found.detail) == ("other system", "not on Linux, only on macOS")
    assert children.started == []


def test_it_is_probed_where_it_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _states(["coreml"], ScriptedChildren()) == {"onnxruntime-coreml": "usable"}


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(UsageError):
        probe_all(["azure"], start=ScriptedChildren())


def test_azure_is_never_listed(probes: dict[str, Probe]) -> None:
    assert list(probes) == list(RUNTIMES)
    assert not any("zure" in name for name in probes)


def test_a_real_probe_finds_the_cpu_and_no_cuda_in_a_cpu_wheel(probes: dict[str, Probe]) -> None:
    assert probes["onnxruntime-cpu"].state == "usable"
    assert probes["onnxruntime-cpu"].version
    if "CUDAExecutionProvider" not in probes["onnxruntime-cuda"].detail:
        pytest.skip("this environment has a CUDA wheel")
    assert probes["onnxruntime-cuda"].state == "not installed"
    assert "pip install onnxruntime-gpu" in str(probes["onnxruntime-cuda"].install)


def test_a_real_child_that_outstays_its_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "TIME_LIMIT_S", 0.01)
    [found] = probe_all(["cpu"])
    assert found.state == "broken"
    assert "did not end within 0.01 s" in found.detail
