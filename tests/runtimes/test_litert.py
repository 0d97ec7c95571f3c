"""LiteRT as it is, in its own environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from bench.errors import UnsupportedError, UsageError
from bench.records import Artifact, ArtifactKind, SessionSettings, Tensor
from made_environments import environment_for
from session_server import SessionServer

pytestmark = pytest.mark.slow

LEFT = np.array([[1, -2, 3], [0.5, 4, -1]], np.float32)
RIGHT = np.array([[2, 5, -1], [0.25, -3, 8]], np.float32)
SETTINGS = SessionSettings(
    threads=2,
    batch_size=2,
    inputs=tuple(Tensor(name=name, shape=(2, 3), dtype="float32") for name in ("right", "left")),
    outputs=("mid", "alpha"),  # not in the order of the file
)


@pytest.fixture(scope="module")
def server(start_server: Callable[[Path | None], SessionServer]) -> SessionServer:
    return start_server(environment_for("litert"))


@pytest.fixture
def artifact(models: Callable[[str, ArtifactKind], Artifact]) -> Artifact:
    return models("three", "litert")


@pytest.mark.parametrize("delegate", ["xnnpack", "off"])
def test_tensors_go_by_the_names_of_the_signature(server: SessionServer, artifact: Artifact, delegate: str) -> None:
    session = server.open("litert", artifact, replace(SETTINGS, options={"delegate": delegate}))
    mid, alpha = session.call(left=LEFT, right=RIGHT)
    np.testing.assert_allclose(mid, np.maximum(LEFT - RIGHT, 0), rtol=1e-6)
    np.testing.assert_allclose(alpha, LEFT * RIGHT + 1, rtol=1e-6)


def test_the_row_says_whose_kernels_ran(server: SessionServer, artifact: Artifact) -> None:
    packed = server.open("litert", artifact, SETTINGS).info
    own = server.open("litert", artifact, replace(SETTINGS, options={"delegate": "off"})).info
    assert (packed.provider, own.provider) == ("XNNPACK", "LiteRT kernels")
    assert own.effective_options["delegate"] == "off"
    assert packed.runtime_version == "2.3.0"
    assert packed.build_ns is not None


def test_a_size_that_the_file_fixes_is_unsupported_and_the_batch_is_free(
    server: SessionServer, artifact: Artifact
) -> None:
    wide = tuple(Tensor(name=name, shape=(2, 4), dtype="float32") for name in ("left", "right"))
    with pytest.raises(UnsupportedError, match=r"shape"):
        server.open("litert", artifact, replace(SETTINGS, inputs=wide))
    many = tuple(Tensor(name=name, shape=(5, 3), dtype="float32") for name in ("left", "right"))
    session = server.open("litert", artifact, replace(SETTINGS, inputs=many, batch_size=5))
    assert session.call(left=np.ones((5, 3), np.float32), right=np.ones((5, 3), np.float32))[0].shape == (5, 3)


def test_names_and_types_that_are_not_the_files_are_unsupported(server: SessionServer, artifact: Artifact) -> None:
    with pytest.raises(UnsupportedError, match="no output nowhere; it has alpha, mid, zeta"):
        server.open("litert", artifact, replace(SETTINGS, outputs=("nowhere",)))
    halves = tuple(replace(tensor, dtype="float16") for tensor in SETTINGS.inputs)
    with pytest.raises(UnsupportedError, match=r"float32 in .*float16 cannot be given"):
        server.open("litert", artifact, replace(SETTINGS, inputs=halves))


def test_a_file_that_is_no_model_is_one_line(server: SessionServer, artifact: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"no flatbuffer at all")
    with pytest.raises(UnsupportedError, match=r"reading model\.tflite: "):
        server.open("litert", replace(artifact, path=str(path)), SETTINGS)


def test_unknown_values_are_refused(server: SessionServer, artifact: Artifact) -> None:
    with pytest.raises(UsageError, match="delegate='gpu' is not a value of it; allowed: xnnpack, off"):
        server.open("litert", artifact, replace(SETTINGS, options={"delegate": "gpu"}))
