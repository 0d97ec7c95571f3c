"""What the runtimes' tests share: the models, made once, and sessions in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from bench.records import Artifact, ArtifactKind, Probe, Tensor
from bench.runtimes.probing import probe_all
from contract_table import ContractTable
from made_environments import use_software_gpu
from session_server import CHILDREN, SessionServer

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # some tests import onnxruntime into this process


_contract = ContractTable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _contract.add(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := list(_contract.lines()):
        terminalreporter.section("the contract suite: runtime by test")
        terminalreporter.write_line("\n".join(lines))


class StartServer(Protocol):
    def __call__(self, prefix: Path | None = None) -> SessionServer: ...


@pytest.fixture(scope="session")
def probes() -> dict[str, Probe]:
    return {probe.name: probe for probe in probe_all()}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, ArtifactKind], Artifact]:
    """The artifact of a model of ``make_models.py``; all are written at the first request."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run(
        [sys.executable, str(CHILDREN / "make_models.py"), str(folder)], check=True, capture_output=True, timeout=300
    )

    def artifact(model: str, kind: ArtifactKind) -> Artifact:
        path = folder / (model if kind == "saved_model" else f"{model}.{kind}")
        inputs, outputs = _tensors(model)
        return Artifact(kind=kind, path=str(path), digest="", size_bytes=1, inputs=inputs, outputs=outputs)

    return artifact


@pytest.fixture(scope="session", autouse=True)
def _software_gpu() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_software_gpu(patch)
        yield


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts a server by the interpreter of an environment; None is that of the tests."""
    servers: list[SessionServer] = []
    folder = tmp_path_factory.mktemp("server")

    def start(prefix: Path | None = None) -> SessionServer:
        servers.append(SessionServer(folder, prefix))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def _tensors(model: str) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    if model == "planted":
        shape = (None, 32, 32, 8)
        return (Tensor("left", shape, "float32"),), (Tensor("double", (None, 128), "float32"),)
    dtype = {"three": "float32", "half": "float16", "brain": "bfloat16", "words": "string"}[model]
    inputs = ("left", "right") if model == "three" else ("left",)
    sizes = {"three": {"zeta": 2, "alpha": 3, "mid": 3}, "words": {"upper": 3}}.get(model, {"double": 3})
    return (
        tuple(Tensor(name=name, shape=(None, 3), dtype=dtype) for name in inputs),
        tuple(Tensor(name=name, shape=(None, size), dtype=dtype) for name, size in sizes.items()),
    )
