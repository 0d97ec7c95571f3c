"""bench profile on real small models, real workers and real files: a planted slow operator is named first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.analysis.profiled import Profile
from bench.commands.profile import profile_models
from bench.commands.profile_diff import diff_folders
from bench.errors import EXIT_CANNOT_TELL, EXIT_INTERRUPTED, EXIT_OK, UsageError
from bench.flags import Flags
from bench.progress import Silent
from bench.report.profile_store import load_profile
from command_fakes import Heard

pytestmark = pytest.mark.slow
_SIDE, _CHANNELS = 768, 4


def picture_net(path: Path, *, planted: bool) -> str:
    """Two cheap convolutions, between them a needless Transpose of a large tensor where it is ``planted``.

    It turns every axis but the items' round, which ONNX Runtime does element by element: several times all the rest.
    """
    chance = np.random.default_rng(0)
    first = numpy_helper.from_array(chance.normal(0, 0.5, (_CHANNELS, 1, 1, 1)).astype(np.float32), "first")
    arriving = _SIDE if planted else _CHANNELS
    second = numpy_helper.from_array(chance.normal(0, 0.5, (2, arriving, 1, 1)).astype(np.float32), "second")
    between = [helper.make_node("Transpose", ["a"], ["t"], "to_other_side", perm=[0, 3, 2, 1])] if planted else []
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], "conv_a"),
        *between,
        helper.make_node("Conv", ["t" if planted else "a", "second"], ["b"], "conv_b", strides=[8, 8]),
        helper.make_node("GlobalAveragePool", ["b"], ["g"], "pool"),
        helper.make_node("Flatten", ["g"], ["y"], "flat"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, _SIDE, _SIDE])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])]
    graph = helper.make_graph(nodes, "net", inputs, outputs, [first, second])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def profiled(out: Path, heard: Heard, *models: str, diff: bool = False, progress: Silent | None = None) -> int:
    return profile_models(
        Flags(model=models, runtime=("cpu",), threads=1, quick=not diff),
        diff=diff,
        out=out,
        as_json=False,
        command="bench profile",
        console=heard.console,
        progress=progress or Silent(),
    )


def test_a_planted_transpose_is_named_first(tmp_path: Path) -> None:
    heard = Heard()
    plain, planted = (picture_net(tmp_path / name, planted=name == "b.onnx") for name in ("a.onnx", "b.onnx"))
    assert profiled(tmp_path / "out", heard, plain, planted, diff=True) == EXIT_OK, heard.text
    assert heard.text.startswith("Transpose to_other_side (only in B) explains "), heard.text
    (first,) = [line for line in heard.text.splitlines() if line.startswith("Transpose to_other_side (only in B)  ")]
    assert first.split()[5] == "-"  # A has none


class Interrupting(Silent):
    """Ctrl-C in the second repetition, while its workers are profiled."""

    def __init__(self) -> None:
        self.seen = 0

    def advance(self, n: float = 1, detail: str = "") -> None:
        self.seen += detail.startswith("profiling")
        if self.seen == 2 and detail.startswith("profiling"):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Profile, Path]:
    place = tmp_path_factory.mktemp("profiled")
    model = picture_net(place / "a.onnx", planted=False)
    heard = Heard()
    code = profiled(place / "out", heard, model, progress=Interrupting())
    assert heard.err[-2:] == ["interrupted: 1 of 3 repetitions are whole and kept", f"profile: {place / 'out'}"]
    return code, load_profile(place / "out"), place / "out"


def test_an_interrupted_profile_keeps_its_whole_repetitions(interrupted: tuple[int, Profile, Path]) -> None:
    code, profile, folder = interrupted
    (case,) = profile.cases
    assert code == EXIT_INTERRUPTED
    assert not profile.environment.finished
    assert case.repetitions == (0,)
    assert {kernel.operator for kernel in case.kernels} >= {"Conv", "GlobalAveragePool"}
    assert "not finished: 1 of 3" in (folder / "profile.md").read_text()
    assert len(profile.roofs) == 1


def test_kernels_of_a_bare_file_are_those_of_its_nodes(interrupted: tuple[int, Profile, Path]) -> None:
    (case,) = interrupted[1].cases
    assert case.row.agreement == "agrees"
    owners = {case.layers[place].name for kernel in case.kernels for place in kernel.layers}
    assert {"conv_a", "conv_b", "pool"} <= owners
    conv = next(layer for layer in case.layers if layer.name == "conv_a")
    assert conv.multiply_adds == _SIDE * _SIDE * _CHANNELS
    assert conv.window == "1x1"


def test_a_profile_against_itself_is_not_told_apart(interrupted: tuple[int, Profile, Path]) -> None:
    heard = Heard()
    folder = str(interrupted[2])
    assert diff_folders([folder, folder], as_json=False, console=heard.console) == EXIT_CANNOT_TELL
    assert "explains" not in heard.text.splitlines()[0]


def test_a_difference_of_one_case_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected two cases, got 1"):
        profiled(tmp_path / "out", Heard(), picture_net(tmp_path / "a.onnx", planted=False), diff=True)
    assert not (tmp_path / "out").exists()
