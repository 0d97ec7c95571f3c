"""What the runtimes' tests share: the models, made once, and sessions in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from bench.records import Artifact, ArtifactKind, Probe, Tensor
from bench.runtimes.probing import probe_all
from session_server import CHILDREN, SessionServer

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # some tests import onnxruntime into this process


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


@pytest.fixture(scope="module")
def start_server() -> Iterator[Callable[[], SessionServer]]:
    servers: list[SessionServer] = []

    def start() -> SessionServer:
        servers.append(SessionServer())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def _tensors(model: str) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    dtype = {"three": "float32", "half": "float16", "brain": "bfloat16", "words": "string"}[model]
    inputs = ("left", "right") if model == "three" else ("left",)
    sizes = {"three": {"zeta": 2, "alpha": 3, "mid": 3}, "words": {"upper": 3}}.get(model, {"double": 3})
    return (
        tuple(Tensor(name=name, shape=(None, 3), dtype=dtype) for name in inputs),
        tuple(Tensor(name=name, shape=(None, size), dtype=dtype) for name, size in sizes.items()),
    )
