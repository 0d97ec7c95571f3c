from __future__ import annotations

import importlib.metadata
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from bench.environments.pinned import pinned_environment
from bench.errors import UsageError
from bench.records import Probe
from bench.runtimes import homes, probe_children, probing
from bench.runtimes.probe_children import Finished, ProbeChildren
from bench.runtimes.probing import probe_all, probe_one, usable_runtimes
from bench.runtimes.table import RUNTIMES
from uv_fakes import FakeUv, install_fake_uv


class ScriptedChildren:
    """Children that answer usable for every name, except that a name in ``ends`` ends its child in that way."""

    def __init__(self, **ends: tuple[int | None, str]) -> None:
        self.ends = {name.replace("_", "-"): end for name, end in ends.items()}
        self.started: list[tuple[str, ...]] = []
        self.prefixes: list[str | None] = []

    def __call__(self, prefix: str | None, names: Sequence[str]) -> Finished:
        self.prefixes.append(prefix)
        self.started.append(tuple(names))
        out = b""
        for name in names:
            if name in self.ends:
                exit_code, err = self.ends[name]
                return exit_code, out, err.encode()
            out += msgspec.json.encode(Probe(name=name, state="usable", detail="1.0", evidence={"took": "1 s"})) + b"\n"
        return 0, out, b""


@pytest.fixture(autouse=True)
def nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    return install_fake_uv(tmp_path, monkeypatch)


def _states(names: Sequence[str], children: ScriptedChildren) -> dict[str, str]:
    return {probe.name: probe.state for probe in probe_all(names, start=children)}


def test_answers_come_in_the_order_asked_for_under_canonical_names() -> None:
    found = probe_all(["xnnpack", "tf", "cpu"], start=ScriptedChildren())
    assert [probe.name for probe in found] == ["onnxruntime-xnnpack", "tensorflow", "onnxruntime-cpu"]


def test_one_child_for_tensorflow_and_one_for_all_of_onnx_runtime() -> None:
    children = ScriptedChildren()
    probe_all(["xnnpack", "tf", "cpu"], start=children)
    assert sorted(children.started) == [("onnxruntime-xnnpack", "onnxruntime-cpu"), ("tensorflow",)]


def test_a_crash_is_told_with_its_signal_and_does_not_hide_the_others() -> None:
    children = ScriptedChildren(onnxruntime_xnnpack=(-11, "warning\nlibcudart not found\n"))
    found = {probe.name: probe for probe in probe_all(["cpu", "xnnpack", "dnnl"], start=children)}
    assert [found[name].state for name in found] == ["usable", "broken", "usable"]
    assert found["onnxruntime-xnnpack"].detail == "its probe was ended by SIGSEGV: libcudart not found"
    assert found["onnxruntime-xnnpack"].install
    assert children.started == [("onnxruntime-cpu", "onnxruntime-xnnpack", "onnxruntime-dnnl"), ("onnxruntime-dnnl",)]


def test_a_probe_that_hangs_is_told_with_its_bound() -> None:
    [found] = probe_all(["tf"], start=ScriptedChildren(tensorflow=(None, "")))
    assert (found.state, found.detail) == ("broken", "its probe did not end within 90 s")


def test_an_exception_in_a_probe_is_told_with_its_last_line() -> None:
    [found] = probe_all(["tf"], start=ScriptedChildren(tensorflow=(1, "Traceback\nOSError: no space\n")))
    assert found.detail == "its probe ended with exit code 1: OSError: no space"


def test_a_child_that_dies_at_every_name_ends_after_as_many_children() -> None:
    children = ScriptedChildren(onnxruntime_cpu=(-9, ""), onnxruntime_xnnpack=(-9, ""))
    assert set(_states(["cpu", "xnnpack"], children).values()) == {"broken"}
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


def test_a_real_probe_finds_the_cpu_and_no_xnnpack_in_a_plain_wheel(probes: dict[str, Probe]) -> None:
    assert probes["onnxruntime-cpu"].state == "usable"
    assert probes["onnxruntime-cpu"].version
    assert probes["onnxruntime-cpu"].environment is None
    assert "CPUExecutionProvider" in probes["onnxruntime-cpu"].evidence["providers in the build"]
    if "XnnpackExecutionProvider" in probes["onnxruntime-xnnpack"].evidence["providers in the build"]:
        pytest.skip("this environment has a wheel with XNNPACK")
    assert probes["onnxruntime-xnnpack"].state == "not installed"
    assert "--use_xnnpack" in str(probes["onnxruntime-xnnpack"].install)


def test_what_lives_in_its_own_environment_names_the_line_that_makes_it() -> None:
    children = ScriptedChildren()
    [found] = probe_all(["openvino"], start=children)
    assert (found.state, found.install) == ("not installed", "bench env build openvino")
    assert found.requirements == RUNTIMES["openvino"].requirements
    assert children.started == []


def test_a_made_environment_answers_by_its_own_interpreter(nothing_is_made: FakeUv) -> None:
    nothing_is_made.knows("openvino", "2026.4.1")
    made = pinned_environment(RUNTIMES["openvino"].requirements, like={}, on_stage=lambda _: None)
    children = ScriptedChildren()
    openvino, cpu = probe_all(["openvino", "cpu"], start=children)
    assert (openvino.state, openvino.environment, cpu.environment) == ("usable", made.key, None)
    assert sorted(children.prefixes, key=str) == [made.prefix, None]
    assert openvino.requirements == ("openvino==2026.4.1",)
    assert openvino.evidence["interpreter"] == f"environment {made.key[:12]}: bin/python"
    assert cpu.evidence["interpreter"] == "that of bench"


def test_a_broken_environment_names_the_lines_that_make_it_again(nothing_is_made: FakeUv) -> None:
    nothing_is_made.knows("openvino", "2026.4.1")
    made = pinned_environment(RUNTIMES["openvino"].requirements, like={}, on_stage=lambda _: None)
    err = f"\x1b[31mone\n\nImportError: {made.prefix}/lib/x.so: {Path.home()}/y: {sys.prefix}/z\x1b[m\n"
    [found] = probe_all(["openvino"], start=ScriptedChildren(openvino=(1, err)))
    assert (found.state, found.install) == ("broken", "bench env remove openvino; bench env build openvino")
    assert found.detail == "its probe ended with exit code 1: ImportError: ENVIRONMENT/lib/x.so: ~/y: BENCH/z"
    assert found.evidence["last lines of its standard error"].splitlines()[0] == "one"


def test_a_version_is_looked_for_in_its_own_environment(nothing_is_made: FakeUv) -> None:
    children = ScriptedChildren()
    found = probe_one("onnxruntime-cpu", "1.30.0", start=children)
    assert (found.state, found.install) == ("not installed", "bench env build onnxruntime-cpu@1.30.0")
    assert (found.requirements, children.started) == (("onnxruntime==1.30.0",), [])
    nothing_is_made.knows("onnxruntime", "1.30.0", {"flatbuffers": "25.0"})
    made = pinned_environment(("onnxruntime==1.30.0",), like=homes.pins_beside("onnxruntime-cpu"), on_stage=print)
    found = probe_one("onnxruntime-cpu", "1.30.0", start=children)
    assert (found.state, found.environment, children.prefixes) == ("usable", made.key, [made.prefix])
    broken = probe_one("onnxruntime-cpu", "1.30.0", start=ScriptedChildren(onnxruntime_cpu=(1, "ImportError")))
    assert broken.install == "bench env remove onnxruntime-cpu@1.30.0; bench env build onnxruntime-cpu@1.30.0"


def test_the_version_that_bench_has_is_looked_for_here() -> None:
    here = importlib.metadata.version("onnxruntime")
    children = ScriptedChildren()
    assert probe_one("onnxruntime-cpu", here, start=children).environment is None
    assert children.prefixes == [None]


def test_evidence_tells_how_its_probe_ended_and_what_it_said() -> None:
    [found] = probe_all(["cpu"], start=ScriptedChildren())
    assert found.evidence == {
        "interpreter": "that of bench",
        "took": "1 s",
        "end of its probe": "ended with exit code 0",
        "last lines of its standard error": "none",
    }


def test_without_its_device_a_runtime_says_so_and_nothing_is_probed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = (str(tmp_path / "device*"),)
    monkeypatch.setattr(homes, "DEVICE_MAKERS", {there: "NVIDIA"})
    monkeypatch.setitem(RUNTIMES, "onnxruntime-cuda", replace(RUNTIMES["onnxruntime-cuda"], device_files=there))
    [found] = probe_all(["cuda"], start=ScriptedChildren())
    assert (found.state, found.install) == ("no device", None)
    assert found.detail.startswith("no NVIDIA device here")
    (tmp_path / "device0").touch()
    [found] = probe_all(["cuda"], start=ScriptedChildren())
    assert (found.state, found.install) == ("not installed", "bench env build onnxruntime-cuda")


def test_all_is_what_is_usable_but_for_what_runs_on_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []

    def answer(names: Sequence[str]) -> list[Probe]:
        asked.append(names)
        return [Probe(name=name, state="usable" if "cpu" in name else "broken", detail="") for name in names]

    monkeypatch.setattr(probing, "probe_all", answer)
    assert usable_runtimes() == ("onnxruntime-cpu",)
    assert not {"keras-jax", "keras-torch"} & set(asked[0])
    assert {"openvino", "litert", "onnxruntime-openvino"} <= set(asked[0])


def test_whoever_no_longer_waits_leaves_no_child() -> None:
    children = ProbeChildren()
    ended: list[Finished] = []
    waiting = threading.Thread(target=lambda: ended.append(children.start(None, ["tensorflow"])))
    waiting.start()
    while not children._running:
        assert waiting.is_alive()
    children.close()
    waiting.join()
    assert ended[0][0] == -signal.SIGKILL
    assert children.start(None, ["tensorflow"])[0] == 127


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    children = ProbeChildren()
    try:
        exit_code, out, err = children.start(str(tmp_path), ["onnxruntime-cpu"])
    finally:
        children.close()
    assert (exit_code, out) == (127, b"")
    assert b"its interpreter can't be started: No such file" in err


def test_a_real_child_that_outstays_its_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_children, "TIME_LIMIT_S", 0.01)
    [found] = probe_all(["cpu"])
    assert found.state == "broken"
    assert "did not end within 0.01 s" in found.detail
