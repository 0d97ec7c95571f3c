"""IREE as it is, in its own environment: compiler and runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as replaced
from onnx import TensorProto, helper

from bench.errors import UnsupportedError, UsageError
from bench.records import Artifact
from made_environments import environment_for
from session_server import SessionServer
from small_onnx import SETTINGS, X, relu_and_sum, two_nodes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(start_server: Callable[[Path | None], SessionServer]) -> SessionServer:
    return start_server(environment_for("iree"))


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return relu_and_sum(tmp_path)


def test_it_computes_what_was_asked_for_on_the_workers_asked_for(server: SessionServer, artifact: Artifact) -> None:
    before = server.ask("task_count")
    session = server.open("iree", artifact, SETTINGS)
    z, y = session.call(x=X)
    np.testing.assert_array_equal(y, np.maximum(X, 0))
    np.testing.assert_array_equal(z, 2 * np.maximum(X, 0))
    assert server.ask("task_count") - before in {2, 3}  # two workers, and one that waits for devices
    assert session.info.effective_options["intra_op_threads"] == "2"
    assert session.info.runtime_version == "3.13.0"
    assert session.info.build_ns


def test_another_number_of_threads_in_one_process_is_refused(server: SessionServer, artifact: Artifact) -> None:
    server.open("iree", artifact, SETTINGS)
    with pytest.raises(UsageError, match="setting 1 threads: this process has 2"):
        server.open("iree", artifact, replaced(SETTINGS, threads=1))


def test_its_second_start_comes_from_the_cache(server: SessionServer, artifact: Artifact, tmp_path: Path) -> None:
    asked = replaced(SETTINGS, cache=str(tmp_path / "kept"), options={"cache": "on"})
    sessions = [server.open("iree", artifact, asked) for _ in range(2)]
    assert [session.info.build_cache for session in sessions] == ["miss", "hit"]
    for one, other in zip(*(session.call(x=X) for session in sessions), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_names_the_operator_that_it_does_not_know(server: SessionServer, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["y"]),
        helper.make_node("Frobnicate", ["x"], ["z"], domain="my.ops"),
    ]
    with pytest.raises(UnsupportedError, match="IREE cannot compile the operators Frobnicate"):
        server.open("iree", two_nodes(tmp_path, nodes, domain="my.ops"), SETTINGS)


@pytest.mark.parametrize(
    ("kind", "dtype", "node"),
    [
        (TensorProto.DOUBLE, "float64", "Abs"),
        (TensorProto.INT64, "int64", "Abs"),
        (TensorProto.FLOAT16, "float16", "Abs"),
        (TensorProto.BOOL, "bool", "Not"),
    ],
)
def test_types_go_in_and_come_out_as_they_are(
    server: SessionServer, tmp_path: Path, kind: int, dtype: str, node: str
) -> None:
    nodes = [helper.make_node(node, ["x"], ["y"]), helper.make_node("Identity", ["y"], ["z"])]
    tensor = replaced(SETTINGS.inputs[0], dtype=dtype)
    session = server.open("iree", two_nodes(tmp_path, nodes, kind=kind), replaced(SETTINGS, inputs=(tensor,)))
    given: Any = (np.abs(X) > 1) if dtype == "bool" else (X / 3 if "float" in dtype else X)
    given = given.astype(dtype)
    z, y = session.call(x=given)
    expected = np.logical_not(given) if dtype == "bool" else np.abs(given)
    for found in (z, y):
        assert found.dtype == given.dtype
        np.testing.assert_array_equal(found, expected)
