"""Every exporter at every operator set gives a file that is named, or a reason; and what XLA compiles is laid open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.prepare.exporters import EXPORTERS, OURS, ExportersAnswer, ExportersRequest
from bench.records import PrepareSettings
from bench.specs import parse_model

pytestmark = pytest.mark.slow
KINDS = Path(__file__).with_name("model_kinds.py")


@pytest.fixture
def export_kind(prepare_here: Any, tmp_path: Path) -> Any:
    """A function: a model of ``model_kinds.py`` and settings -> what every exporter made of it."""

    def export(spec: str, opsets: tuple[int, ...] = (13, 18), **settings: Any) -> ExportersAnswer:
        from bench.prepare.child.exporters import export_each

        request = ExportersRequest(
            spec=parse_model(spec),
            settings=PrepareSettings(**settings),
            prepared=prepare_here(spec, **settings),
            opsets=opsets,
            folder=str(tmp_path / "made"),
        )
        return export_each(request, lambda _: None)

    return export


def test_three_exporters_make_the_same_model_at_every_opset(export_kind: Any) -> None:
    files = export_kind(f"{KINDS}:functional").files
    assert [(file.exporter, file.opset) for file in files] == [(e, o) for e in EXPORTERS for o in (13, 18)]
    for file in files:
        assert file.reason == ""
        assert file.artifact.opset == file.opset
        assert Path(file.artifact.path).stat().st_size == file.artifact.size_bytes
        assert "Conv" in file.operators
        assert file.nodes >= len(file.operators)
        assert [t.name for t in file.artifact.inputs] == ["image"]


def test_outputs_of_other_names_are_paired_and_it_says_how(export_kind: Any) -> None:
    ours, saved, keras = export_kind(f"{KINDS}:layer_twice", (18,)).files
    assert (ours.paired, saved.paired, keras.paired) == ("by name", "by name", "by position")
    assert list(keras.artifact.names.values()) == ["shared", "shared_1"]
    assert [tensor.name for tensor in keras.artifact.outputs] == list(keras.artifact.names)


def test_what_no_exporter_can_do_has_the_same_reason_in_every_row(export_kind: Any) -> None:
    files = export_kind(f"{KINDS}:gelu", (18,)).files
    assert all("Erfc" in file.reason for file in files)
    assert [file.artifact is None for file in files] == [True, False, False]


def test_a_model_that_does_not_know_its_inputs_goes_through_all(export_kind: Any) -> None:
    files = export_kind(f"{KINDS}:subclassed", (18,), input_shapes={"x": (1, 4)}).files
    assert [file.reason for file in files] == ["", "", ""]


def test_a_saved_model_has_two_exporters(export_kind: Any, prepare_here: Any) -> None:
    folder = prepare_here(f"{KINDS}:functional").artifacts["saved_model"].path
    files = export_kind(folder, (18,)).files
    assert [file.exporter for file in files] == list(EXPORTERS[:2])
    assert all(not file.reason for file in files)


def test_a_grouped_convolution_is_laid_open_for_tf2onnx_but_not_by_its_saved_model_path(export_kind: Any) -> None:
    by_exporter = {file.exporter: file for file in export_kind(f"{KINDS}:grouped", (18,)).files}
    assert by_exporter[OURS].reason == ""
    assert "Conv" in by_exporter[OURS].operators
    assert "PartitionedCall" in by_exporter["tf2onnx SavedModel"].reason


def test_a_grouped_convolution_agrees_with_its_float64_truth(prepare_kind: Any) -> None:
    prepared = prepare_kind("grouped")
    assert prepared.truth == "float64"
    assert "onnx" in prepared.artifacts


def test_the_replacement_of_tf_function_ends_with_its_block() -> None:
    import tensorflow as tf

    from bench.prepare.child.xla import is_compiled, without_xla

    original = tf.function

    def twice() -> Any:
        inner = tf.function(lambda x: x * 2.0, jit_compile=True)
        return tf.function(lambda x: inner(x)).get_concrete_function(tf.TensorSpec((2,), tf.float32))

    assert is_compiled(twice())
    with without_xla():
        assert not is_compiled(twice())
    assert tf.function is original
    assert is_compiled(twice())
