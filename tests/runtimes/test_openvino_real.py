"""OpenVINO as it is, in its own environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as replaced
from onnx import helper

from bench.errors import UnavailableError, UnsupportedError
from bench.records import Artifact
from made_environments import environment_for
from session_server import SessionServer
from small_onnx import SETTINGS, X, relu_and_sum, two_nodes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(start_server: Callable[[Path | None], SessionServer]) -> SessionServer:
    return start_server(environment_for("openvino"))


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return relu_and_sum(tmp_path)


def test_it_computes_what_was_asked_for_on_the_threads_asked_for(server: SessionServer, artifact: Artifact) -> None:
    session = server.open("openvino", artifact, SETTINGS)
    z, y = session.call(x=X)
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    np.testing.assert_array_equal(z, 2 * np.maximum(X, 0))
    effective = session.info.effective_options
    assert (effective["intra_op_threads"], effective["inference_precision_hint"]) == ("2", "f32")
    assert session.info.runtime_version == "2026.4.1"
    session.close()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"options": {"device": "NPU"}}, "there is no device NPU; the devices here are: .*CPU"),
        ({"options": {"device": "AUTO"}}, "picks a device by itself"),
        ({"threads": 4096}, "asked for 4096 threads, the device uses"),
    ],
)
def test_it_refuses_what_it_would_replace_in_silence(
    server: SessionServer, artifact: Artifact, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnavailableError, match=told):
        server.open("openvino", artifact, replaced(SETTINGS, **changes))


def test_it_gives_float16_or_says_what_it_computes_in(server: SessionServer, artifact: Artifact) -> None:
    asked = replaced(SETTINGS, precision="float16", options={"precision": "float16"})
    try:
        came = server.open("openvino", artifact, asked).info.effective_options["inference_precision_hint"]
    except UnavailableError as error:
        came = str(error)
    assert came == "f16" or "asked for float16, the device computes in" in came


def test_it_names_the_operator_that_it_does_not_know(server: SessionServer, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Frobnicate", ["x"], ["z"], domain="my.ops"),
    ]
    with pytest.raises(UnsupportedError, match="Frobnicate"):
        server.open("openvino", two_nodes(tmp_path, nodes, domain="my.ops"), SETTINGS)


def test_it_takes_its_second_start_from_the_cache(server: SessionServer, artifact: Artifact, tmp_path: Path) -> None:
    asked = replaced(SETTINGS, cache=str(tmp_path / "kept"), options={"cache": "on"})
    seen = [server.open("openvino", artifact, asked).info for _ in range(2)]
    assert [info.build_cache for info in seen] == ["miss", "hit"]
    assert all(info.build_ns for info in seen)
