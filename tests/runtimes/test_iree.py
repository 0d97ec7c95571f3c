from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.errors import UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, SessionSettings
from bench.runtimes import iree as ours
from bench.runtimes import iree_module
from bench.runtimes.iree_module import told_in_one_line
from bench.runtimes.table import RUNTIMES
from small_onnx import SETTINGS, X, relu_and_sum


class FakeRuntime(ModuleType):
    """The module ``iree.runtime``: a function that gives x and twice x, as arrays on a device."""

    def __init__(self) -> None:
        super().__init__("iree.runtime")
        self.__file__ = "/env/iree/runtime/__init__.py"
        self.told: list[str] = []
        self.contexts = 0
        self.flags = SimpleNamespace(parse_flags=self.told.append)
        self.VmModule = SimpleNamespace(mmap=lambda _, file: SimpleNamespace(name="module", file=Path(file)))

    def Config(self, device: str) -> Any:  # noqa: N802 - its name there
        return SimpleNamespace(device=device, vm_instance=None, default_vm_modules=())

    def SystemContext(self, *, vm_modules: Any, config: Any) -> Any:  # noqa: N802
        del vm_modules, config
        self.contexts += 1

        def two(x: Any) -> Any:
            return SimpleNamespace(to_host=lambda: x), SimpleNamespace(to_host=lambda: 2 * x)

        return SimpleNamespace(modules={"module": {"two": two}})

    def query_available_drivers(self) -> list[str]:
        return ["local-sync", "local-task"]


class Compiler:
    """Stands for the child: writes what it is told to, or complains."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.complaint: str | None = None
        self.answer: dict[str, Any] = {
            "function": "two",
            "inputs": [["x", "float32"]],
            "outputs": [["y", "float32"], ["z", "float32"]],
        }

    def run(self, command: list[str], **_: Any) -> Any:
        request = json.loads(command[-1])
        self.calls.append(request)
        if self.complaint is not None:
            return SimpleNamespace(returncode=1, stdout="", stderr=self.complaint)
        Path(request["target"]).write_bytes(b"module")
        return SimpleNamespace(returncode=0, stdout=f"a warning\n{json.dumps(self.answer)}\n", stderr="")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    fake = FakeRuntime()
    monkeypatch.setitem(sys.modules, "iree", ModuleType("iree"))
    monkeypatch.setitem(sys.modules, "iree.runtime", fake)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "3.13.0")
    monkeypatch.setattr(ours, "_settled", {})
    monkeypatch.setattr(ours, "_worker_threads", lambda: 2)
    monkeypatch.setattr(ours, "_NAMING_S", 0.0)
    return fake


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    compiler = Compiler()
    monkeypatch.setattr("subprocess.run", compiler.run)
    return compiler


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return relu_and_sum(tmp_path)


def _with(**changes: Any) -> SessionSettings:
    return msgspec.structs.replace(SETTINGS, **changes)


@pytest.mark.usefixtures("compiler")
def test_outputs_come_in_the_order_asked_for(runtime: FakeRuntime, artifact: Artifact) -> None:
    z, y = ours.open_session("iree", artifact, SETTINGS).call({"x": X})
    np.testing.assert_array_equal(y, X)
    np.testing.assert_array_equal(z, 2 * X)


@pytest.mark.usefixtures("compiler")
def test_the_threads_asked_for_are_told_and_the_workers_counted(
    runtime: FakeRuntime, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = ours.open_session("iree", artifact, SETTINGS).info
    assert runtime.told == ["--task_topology_group_count=2"]
    assert (info.effective_options["intra_op_threads"], info.provider) == ("2", "local-task")
    monkeypatch.setattr(ours, "_worker_threads", lambda: 1)
    with pytest.raises(UnavailableError, match="asked for 2 threads, 1 workers were started"):
        ours.open_session("iree", artifact, SETTINGS)


@pytest.mark.usefixtures("compiler", "runtime")
def test_threads_are_settled_by_the_first_session_of_a_process(artifact: Artifact) -> None:
    ours.open_session("iree", artifact, SETTINGS)
    with pytest.raises(UsageError, match="setting 1 threads: this process has 2, by its first session"):
        ours.open_session("iree", artifact, _with(threads=1))


@pytest.mark.usefixtures("compiler", "runtime")
def test_the_callers_thread_is_one_thread(artifact: Artifact) -> None:
    alone = {"device": "local-sync"}
    assert ours.open_session("iree", artifact, _with(threads=1, options=alone)).info.provider == "local-sync"
    with pytest.raises(UnavailableError, match="asked for 2 threads, device=local-sync has the caller's; use -x 1"):
        ours.open_session("iree", artifact, _with(options=alone))


@pytest.mark.usefixtures("compiler")
def test_every_caller_has_a_context_of_its_own(runtime: FakeRuntime, artifact: Artifact) -> None:
    session = ours.open_session("iree", artifact, SETTINGS)
    session.another()
    assert runtime.contexts == 2
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.call({"x": X})


@pytest.mark.usefixtures("runtime")
def test_the_compiler_is_told_shapes_processor_and_to_keep_float64(compiler: Compiler, artifact: Artifact) -> None:
    ours.open_session("iree", artifact, _with(options={"optimization": "O2"}))
    (request,) = compiler.calls
    assert request["shapes"] == {"x": [2, 3]}
    assert request["flags"] == [
        "--iree-llvmcpu-target-cpu=host",
        "--iree-opt-level=O2",
        "--iree-input-demote-f64-to-f32=false",
    ]


@pytest.mark.usefixtures("runtime")
def test_a_module_is_kept_where_asked_for_and_compiled_anew_for_anything_else(
    compiler: Compiler, artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = _with(cache=str(tmp_path / "kept"))
    assert ours.open_session("iree", artifact, SETTINGS).info.build_cache is None
    assert [ours.open_session("iree", artifact, kept).info.build_cache for _ in range(2)] == ["miss", "hit"]
    other = msgspec.structs.replace(kept, options={"optimization": "O2"})
    assert ours.open_session("iree", artifact, other).info.build_cache == "miss"
    monkeypatch.setattr(iree_module, "_processor", lambda: "another machine")
    assert ours.open_session("iree", artifact, kept).info.build_cache == "miss"
    assert len(compiler.calls) == 4


@pytest.mark.usefixtures("runtime")
def test_what_failed_to_compile_leaves_nothing_in_the_cache(
    compiler: Compiler, artifact: Artifact, tmp_path: Path
) -> None:
    compiler.complaint = 'x.mlir:4:10: error: failed to legalize operation: %0 = "torch.operator"() "onnx.Frobnicate"'
    with pytest.raises(UnsupportedError, match=r"compiling two\.onnx: IREE cannot compile the operators Frobnicate$"):
        ours.open_session("iree", artifact, _with(cache=str(tmp_path / "kept")))
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.usefixtures("runtime")
def test_names_and_types_that_the_module_has_not_are_refused(compiler: Compiler, artifact: Artifact) -> None:
    with pytest.raises(UnsupportedError, match=r"two\.onnx has no output w; it has y, z"):
        ours.open_session("iree", artifact, _with(outputs=("w",)))
    compiler.answer["inputs"] = [["x", "float64"]]
    with pytest.raises(UnsupportedError, match="input 'x' is float64 in the model, not float32"):
        ours.open_session("iree", artifact, SETTINGS)
    compiler.answer["inputs"] = [["v", "float32"]]
    with pytest.raises(UnsupportedError, match=r"two\.onnx has no input x; it has v"):
        ours.open_session("iree", artifact, SETTINGS)


def test_without_the_package_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "iree", None)
    monkeypatch.setitem(sys.modules, "iree.runtime", None)
    probe = ours.probe("iree")
    assert (probe.state, probe.install) == ("not installed", RUNTIMES["iree"].install)


def test_a_complaint_without_an_operator_is_told_by_its_error_or_its_last_line() -> None:
    path = Path("m.onnx")
    assert told_in_one_line("a\nb.mlir:1:2: error: no such type\nc\n", path) == "compiling m.onnx: no such type"
    assert told_in_one_line("Traceback\n  x\nValueError: y\n", path) == "compiling m.onnx: ValueError: y"
    assert told_in_one_line("", path) == "compiling m.onnx: the compiler ended without a word"
