from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import BenchError, UsageError
from bench.prepare.arrays import load_arrays
from bench.records import Prepared, PrepareSettings

pytestmark = pytest.mark.slow

Prepare = Callable[..., Prepared]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels with no, one and two signatures, one exported by Keras, and one of TensorFlow 1."""
    import keras
    import tensorflow as tf

    root = tmp_path_factory.mktemp("saved_models")
    module = tf.Module()
    module.w = tf.Variable(tf.random.stateless_normal([4, 3], seed=(1, 2)))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator,unused-ignore]
    def single(x: Any) -> Any:
        return {"out": x @ module.w}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator,unused-ignore]
    def double(x: Any) -> Any:
        return {"zeta": x @ module.w, "alpha": 1.0 - x @ module.w}

    for name, signatures in (("none", {}), ("one", {"predict": double}), ("two", {"single": single, "double": double})):
        module.functions = [single, double]
        tf.saved_model.save(module, str(root / name), signatures=signatures)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.export(root / "exported", verbose=False)
    _save_as_tensorflow_1(root / "v1")
    return root


def _save_as_tensorflow_1(path: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        w = v1.get_variable("w", initializer=tf.constant(np.arange(12, dtype=np.float32).reshape(4, 3)))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(path), {"x": x}, {"zeta": tf.matmul(x, w), "alpha": -tf.matmul(x, w)})


def test_without_signatures_it_says_how_to_save_one(prepare_here: Prepare, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no signatures.*model\.export\(\)"):
        prepare_here(f"{folder}/none")


def test_several_signatures_are_listed_and_one_can_be_chosen(prepare_here: Prepare, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--signature: double: x \[None, 4\] float32 -> alpha.*; single: .* -> out"):
        prepare_here(f"{folder}/two")
    assert [tensor.name for tensor in prepare_here(f"{folder}/two", signature="single").outputs] == ["out"]
    with pytest.raises(UsageError, match=r"--signature third: the SavedModel has double: .*; single: "):
        prepare_here(f"{folder}/two", signature="third")


@pytest.mark.parametrize(("name", "outputs"), [("one", ["alpha", "zeta"]), ("v1", ["alpha", "zeta"])])
def test_the_one_signature_is_taken_and_its_outputs_are_paired_by_name(
    prepare_here: Prepare, folder: Path, name: str, outputs: list[str]
) -> None:
    import onnxruntime
    import tensorflow as tf

    prepared = prepare_here(f"{folder}/{name}")
    assert prepared.failures == {}
    assert prepared.truth == "tensorflow float32"
    assert [tensor.name for tensor in prepared.outputs] == outputs
    truth, pool = load_arrays(prepared.truth_file), load_arrays(prepared.pool)
    session = onnxruntime.InferenceSession(prepared.artifacts["onnx"].path, providers=["CPUExecutionProvider"])
    signature = tf.saved_model.load(prepared.artifacts["saved_model"].path).signatures["serving_default"]
    for output in outputs:
        np.testing.assert_allclose(session.run([output], pool)[0], truth[output], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(signature(x=tf.constant(pool["x"]))[output], truth[output], rtol=1e-6)
        error = prepared.yardstick[output]
        assert error is not None
        assert 0 < error < 1e-5


def test_a_model_exported_by_keras_is_taken(prepare_here: Prepare, folder: Path) -> None:
    prepared = prepare_here(f"{folder}/exported")
    assert prepared.failures == {}
    assert [tensor.name for tensor in prepared.outputs] == ["output_0"]
    assert prepared.parameters is None


def test_what_only_a_session_can_load_is_frozen_and_gives_the_same(folder: Path) -> None:
    import tensorflow as tf

    from bench.prepare.child.saved_model import _load_by_session

    named = _load_by_session(folder / "v1", PrepareSettings(), RuntimeError("no"))
    x = np.eye(4, dtype=np.float32)
    outputs = named.call({"x": tf.constant(x)})
    np.testing.assert_array_equal(outputs["zeta"], np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(outputs["alpha"], -outputs["zeta"].numpy())
    assert named.inputs[0].shape == (None, 4)


def test_weights_that_are_frozen_to_constants_still_give_a_yardstick(folder: Path) -> None:
    from bench.prepare.child.named import trace
    from bench.prepare.child.saved_model import _load_by_session
    from bench.prepare.child.truth import tensorflow_truth

    named = _load_by_session(folder / "v1", PrepareSettings(), RuntimeError("no"))
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    truth = tensorflow_truth(named, trace(named), named.inputs, {"x": x}, 0)
    for name in ("zeta", "alpha"):
        yardstick = truth.yardstick[name]
        assert yardstick is not None
        assert 1e-9 < yardstick < 1e-6  # of one product: about one unit in the last place
    np.testing.assert_allclose(truth.outputs["zeta"], x @ np.arange(12, dtype=np.float32).reshape(4, 3), rtol=1e-5)


def test_a_folder_that_tensorflow_cannot_load_is_an_error_on_one_line(prepare_here: Prepare, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"nothing of the kind")
    with pytest.raises(BenchError, match="broken: TensorFlow could not load") as raised:
        prepare_here(str(tmp_path / "broken"))
    assert "\n" not in str(raised.value)
