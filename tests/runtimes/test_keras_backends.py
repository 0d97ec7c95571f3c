"""Keras on JAX and PyTorch: with fakes, and on the backends themselves where an environment that has them is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.errors import UnavailableError, UnsupportedError, UsageError
from bench.records import Artifact, ArtifactKind, SessionSettings, Tensor
from bench.runtimes import keras_backends as ours
from bench.runtimes.keras_file import KerasFile
from session_server import SessionServer

ARTIFACT = Artifact(kind="keras", path="m.keras", digest="d", size_bytes=1, inputs=(), outputs=())
X = np.ones((1, 2), np.float32)


def settings(threads: int = 2, dtype: str = "float32") -> SessionSettings:
    inputs = (Tensor(name="x", shape=(1, 2), dtype=dtype),)
    return SessionSettings(threads=threads, batch_size=1, inputs=inputs, outputs=("y",))


class FakeModel:
    """Doubles its input, once as a layer and once without state."""

    trainable_variables = (SimpleNamespace(value=2.0),)
    non_trainable_variables = ()
    trainings: list[bool]

    def __init__(self) -> None:
        self.trainings = []

    def __call__(self, x: Any, training: bool) -> Any:
        self.trainings.append(training)
        return SimpleNamespace(numpy=lambda: 2 * x)

    def stateless_call(self, trainable: Any, others: Any, x: Any, training: bool) -> Any:
        self.trainings.append(training)
        return trainable[0] * x, others


class FakeJax(ModuleType):
    """Its pool has as many threads as it was told when first asked for its devices."""

    def __init__(self, tasks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__("jax")
        self.__file__ = "/env/jax/__init__.py"
        self.tree = SimpleNamespace(map=lambda function, leaf: function(leaf))
        self._tasks = tasks
        monkeypatch.setattr(ours, "_TASKS", tasks)

    def devices(self, _: str) -> None:
        if not self._tasks.exists():
            for number in range(int(os.environ["PJRT_NPROC"])):
                (self._tasks / str(number)).mkdir(parents=True)
                (self._tasks / str(number) / "comm").write_text("tf_XLAEigen\n")

    def ShapeDtypeStruct(self, shape: Any, dtype: Any) -> Any:  # noqa: N802 - its name there
        return (shape, dtype)

    def jit(self, function: Any) -> Any:
        return SimpleNamespace(lower=lambda *_: SimpleNamespace(compile=lambda: function))


class FakeTorch(ModuleType):
    def __init__(self) -> None:
        super().__init__("torch")
        self.__file__ = "/env/torch/__init__.py"
        self.threads = {"intra": 8, "inter": 4}
        self.inference = 0

    def set_num_threads(self, count: int) -> None:
        self.threads["intra"] = count

    def get_num_threads(self) -> int:
        return self.threads["intra"]

    def set_num_interop_threads(self, count: int) -> None:
        self.threads["inter"] = count

    def get_num_interop_threads(self) -> int:
        return self.threads["inter"]

    def inference_mode(self) -> Any:
        self.inference += 1
        return pytest.MonkeyPatch.context()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """The model that every file holds; Keras itself is not imported."""
    fake, example = FakeModel(), SimpleNamespace(shape=(1, 2), dtype="float32")
    file = KerasFile(fake, lambda feed: feed["x"], lambda result: [result], example)
    monkeypatch.setattr(ours, "load_keras_file", lambda *_: file)
    monkeypatch.setattr(ours, "import_keras", lambda *_: None)
    monkeypatch.setattr(metadata, "version", {"keras": "3.15.1", "jax": "0.10.2", "torch": "2.13.0"}.get)
    for name in ("JAX_PLATFORMS", "KERAS_TORCH_DEVICE", "PJRT_NPROC"):
        monkeypatch.setenv(name, "")
    return fake


@pytest.fixture
def jax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeJax:
    fake = FakeJax(tmp_path / "task", monkeypatch)
    monkeypatch.setitem(sys.modules, "jax", fake)
    return fake


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> FakeTorch:
    fake = FakeTorch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


def test_jax_is_called_as_a_function_compiled_at_opening(model: FakeModel, jax: FakeJax) -> None:
    session = ours.open_session("keras-jax", ARTIFACT, settings())
    [y] = session.call({"x": X})
    np.testing.assert_array_equal(y, 2 * X)
    assert model.trainings == [False]
    assert session.info.call_path == "compiled function"
    assert session.info.build_ns is not None
    assert session.info.concurrent
    assert session.info.effective_options["fixed_shapes"] == "x=[1, 2]"
    assert session.info.runtime_version == "0.10.2"


@pytest.mark.parametrize("threads", [1, 3])
def test_jax_has_as_many_threads_as_were_counted(model: FakeModel, jax: FakeJax, threads: int) -> None:
    session = ours.open_session("keras-jax", ARTIFACT, settings(threads))
    assert session.info.effective_options["intra_op_threads"] == str(threads)


def test_other_threads_in_the_same_process_are_refused(model: FakeModel, jax: FakeJax) -> None:
    ours.open_session("keras-jax", ARTIFACT, settings(2))
    with pytest.raises(UsageError, match="setting 1 threads: JAX already runs in this process with 2"):
        ours.open_session("keras-jax", ARTIFACT, settings(1))


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_numbers_that_jax_would_narrow_are_refused(model: FakeModel, jax: FakeJax, dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="input x has 64 bits"):
        ours.open_session("keras-jax", ARTIFACT, settings(dtype=dtype))


def test_torch_runs_in_inference_mode_with_the_threads_asked_for(model: FakeModel, torch: FakeTorch) -> None:
    session = ours.open_session("keras-torch", ARTIFACT, settings(3))
    [y] = session.call({"x": X})
    np.testing.assert_array_equal(y, 2 * X)
    assert (model.trainings, torch.inference) == ([False], 1)
    assert torch.threads == {"intra": 3, "inter": 1}
    assert session.info.effective_options["intra_op_threads"] == "3"
    assert session.info.call_path == "eager call"
    assert not session.info.concurrent


def test_what_a_backend_cannot_run_is_unsupported_with_its_first_line(
    model: FakeModel, jax: FakeJax, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(function: Any) -> Any:
        raise NotImplementedError("no such layer\nlong story")

    monkeypatch.setattr(jax, "jit", lacks)
    with pytest.raises(UnsupportedError, match=r"^opening the Keras file on jax: no such layer$"):
        ours.open_session("keras-jax", ARTIFACT, settings())


@pytest.mark.parametrize(("name", "package"), [("keras-jax", "jax"), ("keras-torch", "torch")])
def test_a_backend_that_is_not_there_is_told_with_what_makes_it(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what Python keeps of a module that must not be imported
    with pytest.raises(UnavailableError, match=f"importing {package}: .*; bench env build {name}"):
        ours.import_runtime(name, {})
    assert ours.probe(name).state == "not installed"


def test_a_closed_session_says_so(model: FakeModel, torch: FakeTorch) -> None:
    session = ours.open_session("keras-torch", ARTIFACT, settings())
    session.close()
    session.close()
    with pytest.raises(RuntimeError, match="closed"):
        session.call({"x": X})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["keras-jax", "keras-torch"])
def test_the_backend_itself_runs_the_file_without_tensorflow(
    name: str, models: Callable[[str, ArtifactKind], Artifact], start_server: Callable[[Path | None], SessionServer]
) -> None:
    variable = f"BENCH_TEST_{name.upper().replace('-', '_')}"
    prefix = os.environ.get(variable)
    if prefix is None:
        pytest.skip(f"{name}: no test downloads it; {variable} names the environment that has it")
    left, right = np.array([[1, -2, 3], [0.5, 4, -1]], np.float32), np.ones((2, 3), np.float32)
    inputs = tuple(Tensor(name=name, shape=(2, 3), dtype="float32") for name in ("right", "left"))
    asked = SessionSettings(threads=2, batch_size=2, inputs=inputs, outputs=("mid", "alpha"))
    session = start_server(Path(prefix)).open(name, models("three", "keras"), asked)
    mid, alpha = session.call(left=left, right=right)
    np.testing.assert_allclose(mid, np.maximum(left - right, 0), rtol=1e-6)
    np.testing.assert_allclose(alpha, left * right + 1, rtol=1e-6)
    assert session.info.effective_options["intra_op_threads"] == "2"
    assert session.info.cautions == ()  # TensorFlow was not imported
