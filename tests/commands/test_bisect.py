"""``bench bisect`` on real models and ONNX Runtime: a kernel that is 1 % off is found wherever it is."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from bench.bisect_text import command_of, lines_of, readme_of, verdict_sentence
from bench.bisected import Bisected, Nearby, PartFacts
from bench.commands.bisect import bisect_model
from bench.commands.verify import verify_models
from bench.errors import UsageError
from bench.flags import Flags
from bench.progress import Silent
from command_fakes import Heard

NETS = Path(__file__).with_name("nets_to_bisect.py")


def bisect(*runtimes: str, model: str, out: Path | None = None, every: bool = False, **flags: Any) -> tuple[int, Any]:
    """Exit code and what ``--json`` says."""
    heard = Heard()
    asked = Flags(model=(model,), runtime=runtimes, **flags)
    code = bisect_model(asked, out=out, every_layer=every, as_json=True, console=heard.console, progress=Silent())
    return code, json.loads(heard.text)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function: a net's name -> its exported file."""
    from bench.prepare.prepare import prepare_model
    from bench.records import PrepareSettings
    from bench.specs import parse_model

    return lambda name: Path(prepare_model(parse_model(f"{NETS}:{name}"), PrepareSettings()).artifacts["onnx"].path)


def with_fault(source: Path, folder: Path, which: int) -> tuple[Path, str]:
    """A copy whose n-th kernel is 1 % larger, and the kernel's name."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    proto = onnx.load(source)
    weights = {tensor.name: tensor for tensor in proto.graph.initializer}
    kernels = [
        n.input[1] for n in proto.graph.node if n.op_type in ("Conv", "MatMul", "Gemm") and n.input[1] in weights
    ]
    tensor = weights[kernels[which]]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))
    onnx.save(proto, folder / "faulty.onnx")
    return folder / "faulty.onnx", kernels[which]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "which", "layer"),
    [
        ("chain", 2, "block2_conv"),
        ("chain", 4, "last_conv"),
        ("residual", 2, "block1_conv"),
        ("nested", 2, "encoder/second_conv"),
        ("two_inputs", 2, "embed"),
    ],
)
def test_a_kernel_that_is_one_per_cent_off_is_found(
    net: str, which: int, layer: str, exported: Any, tmp_path: Path
) -> None:
    faulty, kernel = with_fault(exported(net), tmp_path, which)
    code, said = bisect("onnxruntime-cpu", model=f"{NETS}:{net}", onnx=str(faulty))
    assert layer.rpartition("/")[2] in kernel, "the test plants it elsewhere"
    assert (code, said["verdict"], said["layer"]) == (3, "found", layer)
    assert said["kind"] in ("Conv2D", "Dense")
    assert said["runs"] <= said["most_runs"]
    assert said["error"] > said["tolerance"]
    assert said["file_error"] > said["tolerance"], "the file itself is wrong"
    assert said["part"]["from_inputs"] is False
    assert said["part"]["error"] > said["part"]["tolerance"]


@pytest.mark.slow
def test_outputs_that_are_swapped_in_the_file_are_told_with_the_names_that_mend_it(tmp_path: Path) -> None:
    import onnx

    from bench.prepare.prepare import prepare_model
    from bench.records import PrepareSettings
    from bench.specs import parse_model

    model = f"{NETS}:two_heads"
    prepared = prepare_model(parse_model(model), PrepareSettings())
    proto = onnx.load(prepared.artifacts["onnx"].path)
    called = [one.name for one in proto.graph.output]
    other = dict(zip(called, reversed(called), strict=True))
    for node in proto.graph.node:
        node.output[:] = [other.get(name, name) for name in node.output]
        node.input[:] = [other.get(name, name) for name in node.input]
    onnx.save(proto, tmp_path / "swapped.onnx")
    code, said = bisect("onnxruntime-cpu", model=model, onnx=str(tmp_path / "swapped.onnx"))
    assert (code, said["verdict"], said["layer"]) == (3, "the file as a whole", None)
    assert "the outputs appear to be permuted" in said["reason"]
    assert "fuses" not in said["reason"]
    way_on = shlex.split(said["reason"].partition("run it with ")[2])
    names = tuple(word for word in way_on if "=" in word)
    code, said = bisect("onnxruntime-cpu", model=model, onnx=str(tmp_path / "swapped.onnx"), onnx_names=names)
    assert (code, said["verdict"]) == (0, "nothing differs")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["noisy", "two_heads"])
def test_only_a_random_model_is_said_to_be_random(name: str) -> None:
    code, said = bisect("onnxruntime-cpu", model=f"{NETS}:{name}")
    assert code == (5 if name == "noisy" else 0)
    assert ("the model is random: no comparison of it means anything" in said["reason"]) == (name == "noisy")


@pytest.mark.slow
def test_what_is_kept_shows_the_fault_alone(exported: Any, tmp_path: Path) -> None:
    faulty, _ = with_fault(exported("residual"), tmp_path, 3)
    out = tmp_path / "out"
    code, said = bisect("onnxruntime-cpu", model=f"{NETS}:residual", onnx=str(faulty), out=out, every=True)
    assert (code, said["layer"]) == (3, "block2_conv")
    assert {"part", "layers.csv", "errors.png", "errors.svg"} == {path.name for path in out.iterdir()}
    with (out / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    wrong = [row["layer"] for row in rows if row["verdict"] == "beyond"]
    assert wrong[0] in ("block2_conv", "block2_relu")
    assert all(row["verdict"] in ("within", "beyond", "not judged") for row in rows)
    assert (out / "errors.png").read_bytes().startswith(b"\x89PNG")
    heard = Heard()
    flags = Flags(model=(str(out / "part" / "model.onnx"),), runtime=("onnxruntime-cpu",))
    verified = verify_models(flags, suite_file=None, out=None, as_json=False, console=heard.console, progress=Silent())
    assert verified == 3
    assert "stored outputs" in heard.text


@pytest.mark.slow
def test_a_model_that_is_right_exits_with_0() -> None:
    code, said = bisect("onnxruntime-cpu", model=f"{NETS}:residual")
    assert (code, said["verdict"], said["layer"], said["runs"]) == (0, "nothing differs", None, 1)


@pytest.mark.slow
@pytest.mark.parametrize("runtimes", ["onnxruntime-cpu", "onnxruntime-cpu:optimization=off,onnxruntime-cpu"])
def test_a_bare_file_is_judged_by_itself_unoptimised_or_by_another_runtime(runtimes: str, exported: Any) -> None:
    code, said = bisect(runtimes, model=str(exported("chain")))
    assert (code, said["verdict"], said["runs"]) == (0, "nothing differs", 1)
    assert said["reference"] == ("onnxruntime-cpu:optimization=off" if "," in runtimes else None)


@pytest.mark.parametrize(
    ("runtimes", "message"),
    [
        ("tensorflow", "tensorflow does not load; these do: onnxruntime-cpu, "),
        ("litert", "litert does not load"),
        ("cpu:precision=float16", "leave precision= away"),
        ("cpu#a,cpu#b,cpu#c", "give one runtime, or two"),
    ],
)
def test_what_can_not_be_meant_is_one_line(runtimes: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bisect(runtimes, model="article_cnn")


def test_a_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(UsageError, match="a new or an empty folder"):
        bisect("cpu", model="article_cnn", out=tmp_path)


FOUND = Bisected(
    verdict="found",
    model="net",
    runtime="onnxruntime-cpu",
    runtime_version="1.32.0",
    truth="float64",
    layer="block_5/conv",
    kind="Conv2D",
    tensor="X",
    error=0.012,
    tolerance=1e-3,
    file_error=1e-6,
    fused=("block_5/norm",),
    before=(Nearby(name="block_4", error=1e-6, tolerance=1e-3),),
    outputs=(Nearby(name="y", error=0.02, tolerance=1e-3),),
    runs=9,
    most_runs=18,
    part=PartFacts(folder=None, inputs=("a",), outputs=("X",), error=0.013, tolerance=1e-3, from_inputs=False),
)


def changed(**fields: Any) -> Bisected:
    import msgspec

    return msgspec.structs.replace(FOUND, **fields)


def test_the_verdict_is_one_sentence() -> None:
    assert verdict_sentence(FOUND) == (
        "The first layer that leaves its budget is block_5/conv (Conv2D): error 0.012 where 0.001 is allowed; "
        "tensor X; 9 runs of at most 18"
    )
    assert verdict_sentence(changed(verdict="nothing differs", runs=1)).endswith(
        "within its budget of the truth; 1 run of at most 18"
    )
    assert "is one of a, b, c and 1 more" in verdict_sentence(changed(candidates=("a", "b", "c", "d")))
    assert "NaN, infinities or another shape" in verdict_sentence(changed(error=None))
    assert verdict_sentence(changed(verdict="failed", reason="gone")) == "net on onnxruntime-cpu: gone"
    assert "is wrong on onnxruntime-cpu: why" in verdict_sentence(changed(verdict="cannot tell", reason="why"))


def test_whose_error_it_is_and_how_to_see_it_follow() -> None:
    text = "\n".join(lines_of(FOUND))
    assert "The file is right: unoptimised on the CPU its error is 1e-06; onnxruntime-cpu is not" in text
    assert "Right before it: block_4" in text
    assert "-o DIR keeps it" in text
    assert "The file itself computes it so" in "\n".join(lines_of(changed(file_error=0.012)))
    both = changed(reference="openvino")
    assert command_of(both, "out/part") == "`bench verify out/part/model.onnx -e openvino,onnxruntime-cpu`"
    assert "openvino gives" in readme_of(both)
