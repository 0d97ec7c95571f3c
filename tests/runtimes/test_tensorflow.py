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
