"""A user's own LiteRT and ONNX files beside the model: three forms, each with names of its own."""

from __future__ import annotations

import functools
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bench.analysis.agreement import case_verdict, check_outputs
from bench.errors import UsageError
from bench.prepare.arrays import load_arrays
from bench.prepare.child.litert_interpreter import open_exactly, read_tensors
from bench.prepare.child.litert_source import user_litert
from bench.prepare.child.onnx_run import open_as_deployed
from bench.prepare.child.reference import Run, run_pool
from bench.records import Artifact, Failure, Precision, Prepared

Prepare = Any
WHEEL = "basic-pitch==0.4.0"
NMP = "basic_pitch/saved_models/icassp_2022/nmp"


@functools.cache
def tf() -> Any:
    import tensorflow

    return tensorflow


def write_litert(prepared: Prepared, path: Path, names: Mapping[str, str]) -> Path:
    """The model as a .tflite file whose tensors are called ``names``: name in the model -> name in the file."""
    source = prepared.artifacts["saved_model"]
    loaded = tf().saved_model.load(source.path)
    function = loaded.signatures["serving_default"]
    arguments = [tensor.name for tensor in source.inputs]
    called = [names.get(source.names.get(name, name), name) for name in arguments]

    def renamed(*tensors: Any) -> dict[str, Any]:
        results = function(**dict(zip(arguments, tensors, strict=True)))
        return {names.get(name, name): result for name, result in results.items()}

    specs = [tf().TensorSpec(t.shape, t.dtype, name=n) for t, n in zip(source.inputs, called, strict=True)]
    traced = tf().function(renamed, input_signature=specs).get_concrete_function()
    path.write_bytes(tf().lite.TFLiteConverter.from_concrete_functions([traced], loaded).convert())
    return path


def write_onnx(prepared: Prepared, path: Path, names: Mapping[str, str]) -> Path:
    """The model's ONNX file with its inputs and outputs called otherwise."""
    proto = onnx.load(prepared.artifacts["onnx"].path)
    for value in (*proto.graph.input, *proto.graph.output):
        value.name = names.get(value.name, value.name)
    for node in proto.graph.node:
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(name, name) for name in tensors]
    onnx.save(proto, path)
    return path


def given(
    prepared: Prepared,
    path: Path,
    folder: Path,
    names: Mapping[str, str] | None = None,
    precision: Precision = "float32",
) -> Artifact | Failure:
    folder.mkdir()
    return user_litert(path, names or {}, prepared, precision, folder)


def judge(prepared: Prepared, artifact: Artifact, run: Run) -> list[Any]:
    """The checks of a file, run over the pool with its names mapped."""
    pool = load_arrays(prepared.pool)
    feed = {tensor.name: pool[artifact.names.get(tensor.name, tensor.name)] for tensor in artifact.inputs}
    outputs = {artifact.names.get(n, n): rows for n, rows in run_pool(run, artifact.inputs, feed).items()}
    flag = f"--{artifact.kind}-names"
    return check_outputs(load_arrays(prepared.truth_file), outputs, prepared.yardstick, names_flag=flag)


def flags_of(reason: str, flag: str) -> dict[str, str]:
    """What the line to copy says: name in the file -> name in the model."""
    words = reason.split()
    said = [words[place + 1] for place, word in enumerate(words) if word == flag]
    return {theirs: ours for theirs, _, ours in (text.rpartition("=") for text in said)}


OTHERWISE = {"left": "in_0", "right": "in_1", "zeta": "out_1", "alpha": "out_0", "mid": "out_2"}


def test_three_forms_of_one_model_agree_once_the_names_are_those_that_the_refusals_say(
    prepare_kind: Prepare, tmp_path: Path
) -> None:
    plain = prepare_kind("by_name")  # two inputs of one shape, and two outputs
    own = write_onnx(plain, tmp_path / "own.onnx", OTHERWISE)
    reason = prepare_kind("by_name", onnx_file=str(own)).failures["onnx"].reason
    assert "the inputs of own.onnx are in_0, in_1, the model's are left, right; nothing was compared" in reason
    names = flags_of(reason, "--onnx-names")
    assert names == {theirs: ours for ours, theirs in OTHERWISE.items()}
    prepared = prepare_kind("by_name", onnx_file=str(own), onnx_names=names)
    artifact = prepared.artifacts["onnx"]
    assert case_verdict(judge(prepared, artifact, open_as_deployed(Path(artifact.path)))) == "agrees"

    lite = write_litert(plain, tmp_path / "own.tflite", OTHERWISE)
    refused = given(prepared, lite, tmp_path / "a")
    assert isinstance(refused, Failure)
    assert refused.status == "failed"
    names = flags_of(refused.reason, "--litert-names")
    assert names == {theirs: ours for ours, theirs in OTHERWISE.items()}
    artifact = given(prepared, lite, tmp_path / "b", names)
    assert isinstance(artifact, Artifact)
    assert Path(artifact.path).read_bytes() == lite.read_bytes()
    assert {tensor.name: tensor.shape for tensor in artifact.inputs} == {"in_0": (None, 4), "in_1": (None, 4)}
    assert case_verdict(judge(prepared, artifact, open_exactly(lite.read_bytes()))) == "agrees"


def test_outputs_of_one_shape_that_are_named_for_one_another_disagree(prepare_kind: Prepare, tmp_path: Path) -> None:
    prepared = prepare_kind("by_name")
    lite = write_litert(prepared, tmp_path / "own.tflite", {"zeta": "out_1", "alpha": "out_0"})
    run = open_exactly(lite.read_bytes())
    unnamed = given(prepared, lite, tmp_path / "a")
    assert isinstance(unnamed, Artifact)
    for check in judge(prepared, unnamed, run):
        if check.output in ("zeta", "alpha"):
            assert flags_of(check.reason, "--litert-names") == {"out_1": "zeta", "out_0": "alpha"}
    swapped = given(prepared, lite, tmp_path / "b", {"out_0": "zeta", "out_1": "alpha"})
    assert isinstance(swapped, Artifact)
    verdicts = {check.output: check.verdict for check in judge(prepared, swapped, run)}
    assert verdicts == {"zeta": "disagrees", "alpha": "disagrees", "mid": "agrees"}


def test_a_file_of_another_model_gets_no_names_from_its_shapes(prepare_kind: Prepare, tmp_path: Path) -> None:
    other = write_litert(prepare_kind("functional"), tmp_path / "own.tflite", {})
    refused = given(prepare_kind("by_name"), other, tmp_path / "a")
    assert isinstance(refused, Failure)
    assert refused.reason.endswith("nothing was compared; map them with --litert-names FILE_NAME=MODEL_NAME")


def test_names_that_neither_has_are_refused(prepare_kind: Prepare, tmp_path: Path) -> None:
    prepared = prepare_kind("by_name")
    lite = write_litert(prepared, tmp_path / "own.tflite", {})
    with pytest.raises(UsageError, match=r"--litert-names: no x; the file own\.tflite has "):
        given(prepared, lite, tmp_path / "a", {"x": "left"})
    with pytest.raises(UsageError, match="--litert-names: no x; the model has "):
        given(prepared, lite, tmp_path / "b", {"left": "x"})


def test_what_does_not_load_is_unsupported(prepare_kind: Prepare, tmp_path: Path) -> None:
    path = tmp_path / "own.tflite"
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + b"\x00" * 64)
    failure = given(prepare_kind("by_name"), path, tmp_path / "a")
    assert isinstance(failure, Failure)
    assert failure.status == "unsupported"
    assert failure.reason.startswith("own.tflite: it does not load in TensorFlow Lite")


def test_a_file_said_to_be_quantised_is_judged_by_its_own_error(prepare_kind: Prepare, tmp_path: Path) -> None:
    prepared = prepare_kind("by_name")
    artifact = given(prepared, write_litert(prepared, tmp_path / "own.tflite", {}), tmp_path / "a", precision="int8")
    assert isinstance(artifact, Artifact)
    assert (artifact.precision, artifact.has_integer_products) == ("int8", True)
    assert all(error is not None and error < 1e-4 for error in artifact.conversion_error.values())


def test_a_file_without_a_signature_goes_by_the_names_of_its_tensors(prepare_kind: Prepare, tmp_path: Path) -> None:
    content = without_signature(write_litert(prepare_kind("functional"), tmp_path / "own.tflite", {}).read_bytes())
    (x,), (y,) = read_tensors(content)
    assert (x.shape[0], y.shape[0]) == (None, None)
    result = open_exactly(content)({x.name: np.ones((2, *x.shape[1:]), np.float32)})
    assert result[y.name].shape[0] == 2


def without_signature(content: bytes) -> bytes:
    """A LiteRT file as converters before 2020 wrote it."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    model.signatureDefs = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


@pytest.mark.slow
def test_the_three_forms_in_the_wheel_of_basic_pitch_agree_by_name(prepare_here: Prepare, tmp_path: Path) -> None:
    folder = fetched(tmp_path)
    own = {"onnx_file": str(folder / "nmp.onnx")}
    reason = prepare_here(str(folder / "nmp"), **own).failures["onnx"].reason
    names = flags_of(reason, "--onnx-names")
    assert names == {
        "serving_default_input_2:0": "input_2",
        "StatefulPartitionedCall:0": "contour",
        "StatefulPartitionedCall:1": "note",
        "StatefulPartitionedCall:2": "onset",
    }
    prepared = prepare_here(str(folder / "nmp"), **own, onnx_names=names)
    assert all((yardstick or 0.0) > 1e-5 for yardstick in prepared.yardstick.values())  # it amplifies rounding
    artifact = prepared.artifacts["onnx"]
    assert case_verdict(judge(prepared, artifact, open_as_deployed(Path(artifact.path)))) == "agrees"
    lite = given(prepared, folder / "nmp.tflite", tmp_path / "lite")
    assert isinstance(lite, Artifact)
    run = open_exactly((folder / "nmp.tflite").read_bytes())
    assert case_verdict(judge(prepared, lite, run)) == "agrees"
    by_position = given(prepared, folder / "nmp.tflite", tmp_path / "swapped", {"note": "onset", "onset": "note"})
    assert isinstance(by_position, Artifact)
    assert case_verdict(judge(prepared, by_position, run)) == "disagrees"


def fetched(folder: Path) -> Path:
    """The models of the wheel, unpacked; skips where no package index answers."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    got = subprocess.run([*command, WHEEL], capture_output=True, text=True, check=False)
    if got.returncode:
        pytest.skip(f"{WHEEL} can't be fetched: {got.stderr.strip().splitlines()[-1]}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(NMP)])
    return (folder / NMP).parent
