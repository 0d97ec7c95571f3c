"""An invented build of ONNX Runtime: the real module's options, and a session that says what it is told to say."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

CPU = "CPUExecutionProvider"


class FakeSession:
    """A session whose provider list, options and placement are as scripted."""

    def __init__(self, got: list[str], used: Mapping[str, str], nodes_on: str) -> None:
        self.got, self.used, self.nodes_on = got, used, nodes_on
        self.fallback = True

    def disable_fallback(self) -> None:
        self.fallback = False

    def get_providers(self) -> list[str]:
        return self.got

    def get_provider_options(self) -> dict[str, Mapping[str, str]]:
        return {self.got[0]: self.used}

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x")]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="y")]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        node = SimpleNamespace(op_type="Conv", name="conv")
        return [SimpleNamespace(ep_name=self.nodes_on, get_nodes=lambda: [node])]

    def run(self, names: list[str], feed: Mapping[str, Any]) -> list[Any]:
        return [np.full((1, 1, 2, 2), 9, np.float32)]


class FakeOrt:
    """The real module's options with a scripted build and session: what a wheel with OpenVINO does on this machine."""

    __version__ = "1.24.1"
    __file__ = "/env/onnxruntime/__init__.py"

    def __init__(self, real: Any, session: FakeSession, available: tuple[str, ...]) -> None:
        self.SessionOptions = real.SessionOptions
        self.ExecutionMode, self.GraphOptimizationLevel = real.ExecutionMode, real.GraphOptimizationLevel
        self.session = session
        self.available = available
        self.asked: list[Any] = []
        self.ep_devices: list[Any] = []
        self.libraries: list[tuple[str, str]] = []

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def InferenceSession(self, path: str, options: Any, providers: Any = None) -> FakeSession:  # noqa: N802
        self.asked.append(providers)
        return self.session

    def get_ep_devices(self) -> list[Any]:
        return self.ep_devices

    def register_execution_provider_library(self, name: str, path: str) -> None:
        self.libraries.append((name, path))
        if path == "missing.so":
            raise RuntimeError("Failed to load library missing.so\nmore")
