"""TensorFlow's own: types that other runtimes lack, and what belongs to the whole process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.errors import UnsupportedError, UsageError
from bench.records import Artifact, ArtifactKind, SessionSettings, Tensor
from session_server import RemoteSession, SessionServer

pytestmark = pytest.mark.slow

Models = Callable[[str, ArtifactKind], Artifact]


@pytest.fixture(scope="module")
def server(start_server: Callable[[], SessionServer]) -> SessionServer:
    return start_server()


def _open(
    server: SessionServer, models: Models, model: str, output: str, dtype: str, threads: int = 1
) -> RemoteSession:
    settings = SessionSettings(
        threads=threads,
        batch_size=2,
        inputs=(Tensor(name="left", shape=(2, 3), dtype=dtype),),
        outputs=(output,),
    )
    return server.open("tensorflow", models(model, "saved_model"), settings)


def test_bfloat16_comes_in_and_goes_out_as_bfloat16(server: SessionServer, models: Models) -> None:
    bfloat16 = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    session = _open(server, models, "brain", "double", "bfloat16")
    [double] = session.call(left=np.array([[1, 2, 3], [4, 5, 0.5]], bfloat16))
    assert double.dtype == bfloat16
    np.testing.assert_array_equal(double.astype(np.float32), np.array([[2, 4, 6], [8, 10, 1]], np.float32))


def test_strings_come_in_and_go_out(server: SessionServer, models: Models) -> None:
    session = _open(server, models, "words", "upper", "string")
    [upper] = session.call(left=np.array([["a", "b", "c"], ["d", "e", "f"]]))
    assert upper.tolist() == [[b"A", b"B", b"C"], [b"D", b"E", b"F"]]


def test_other_threads_in_the_same_process_are_refused(server: SessionServer, models: Models) -> None:
    _open(server, models, "half", "double", "float16")
    with pytest.raises(UsageError, match="setting 2 threads: TensorFlow has already run in this process with 1"):
        _open(server, models, "half", "double", "float16", threads=2)


def test_a_signature_of_other_names_is_refused_with_those_there_are(server: SessionServer, models: Models) -> None:
    with pytest.raises(UnsupportedError, match="no signature left -> triple; it has serving_default: left -> double"):
        _open(server, models, "half", "triple", "float16")


def test_a_type_that_the_signature_does_not_take_is_refused(server: SessionServer, models: Models) -> None:
    with pytest.raises(UnsupportedError, match="input 'left' is float16 in the model, not float32"):
        _open(server, models, "half", "double", "float32")


def test_gpus_are_hidden_and_xla_is_off_and_both_are_recorded(server: SessionServer, models: Models) -> None:
    recorded = _open(server, models, "half", "double", "float16").info
    assert recorded.effective_options["gpu"] == "hidden"
    assert recorded.effective_options["xla"] == "off"
    assert recorded.effective_options["onednn"] == "on"
    assert recorded.call_path == "concrete function"


def test_nothing_is_traced_after_opening_not_even_for_another_batch(server: SessionServer, models: Models) -> None:
    session = _open(server, models, "half", "double", "float16")
    session.call_all([{"left": np.ones((batch, 3), np.float16)} for batch in (2, 2, 5)])
    assert server.ask("traces", session.key) == 1


PATHS = {"function": "concrete function", "saved_model": "SavedModel signature", "eager": "eager call",
         "predict": "predict"}  # fmt: skip


def _open_path(server: SessionServer, models: Models, path: str, batch: int = 2) -> RemoteSession:
    settings = SessionSettings(
        threads=1,
        batch_size=batch,
        inputs=tuple(Tensor(name=name, shape=(batch, 3), dtype="float32") for name in ("left", "right")),
        outputs=("mid", "zeta"),
        options={"path": path},
    )
    kind: ArtifactKind = "keras" if path in ("eager", "predict") else "saved_model"
    return server.open("tensorflow", models("three", kind), settings)


@pytest.mark.parametrize("path", PATHS)
def test_a_call_path_is_named_and_says_whether_several_may_call(
    server: SessionServer, models: Models, path: str
) -> None:
    recorded = _open_path(server, models, path).info
    assert recorded.call_path == PATHS[path]
    assert recorded.effective_options["path"] == path
    assert recorded.concurrent == (path != "predict")
    assert recorded.build_ns is None


@pytest.mark.parametrize(("path", "by_then"), [("function", 1), ("saved_model", 0), ("eager", 0), ("predict", 1)])
def test_nothing_is_traced_after_the_first_call(server: SessionServer, models: Models, path: str, by_then: int) -> None:
    session = _open_path(server, models, path)
    feed = {"left": np.ones((2, 3), np.float32), "right": np.zeros((2, 3), np.float32)}
    session.call_all([feed])
    assert server.ask("traces", session.key) == by_then
    session.call_all([feed] * 20)
    assert server.ask("traces", session.key) == by_then


def test_predict_takes_a_batch_above_its_usual_32_in_one_step(server: SessionServer, models: Models) -> None:
    session = _open_path(server, models, "predict", batch=50)
    [mid, _] = session.call(left=np.ones((50, 3), np.float32), right=np.zeros((50, 3), np.float32))
    assert mid.shape == (50, 3)
    assert session.info.effective_options["predict_batch_size"] == "50"


@pytest.fixture(scope="module")
def xla_server(start_server: Callable[[], SessionServer]) -> SessionServer:
    return start_server()


def test_xla_is_compiled_at_opening_and_its_time_is_told(xla_server: SessionServer, models: Models) -> None:
    settings = SessionSettings(
        threads=1, batch_size=2, inputs=(Tensor(name="left", shape=(2, 3), dtype="float16"),), outputs=("double",)
    )
    recorded = xla_server.open("tensorflow-xla", models("half", "saved_model"), settings).info
    assert recorded.effective_options["xla"] == "on"
    assert recorded.call_path == "concrete function"
    assert recorded.build_ns is not None


def test_what_xla_cannot_compile_is_unsupported(xla_server: SessionServer, models: Models) -> None:
    settings = SessionSettings(
        threads=1, batch_size=2, inputs=(Tensor(name="left", shape=(2, 3), dtype="string"),), outputs=("upper",)
    )
    with pytest.raises(UnsupportedError, match="opening the model on tensorflow-xla: "):
        xla_server.open("tensorflow-xla", models("words", "saved_model"), settings)
