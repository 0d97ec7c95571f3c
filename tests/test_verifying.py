"""Verification with real models, real workers and real files: whose error it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx import helper

from bench.commands.verify import verified_json, verified_text
from bench.commands.verify_stored import judge_again
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Failure, MeasureSettings, PrepareSettings, Suite
from bench.report.kept_outputs import read_kept
from bench.specs import parse_model, parse_runtimes
from bench.verifying import Verified, verify_suite
from command_fakes import Heard
from small_onnx import two_nodes

SMALL = "mobilenet_v1:alpha=0.25,resolution=32"
LEVELS = ["optimiser basic", "optimiser extended", "optimiser all"]
NETS = """
import keras

def area():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = keras.layers.Resizing(5, 5, interpolation="area")(x)
    return keras.Model(image, keras.layers.Flatten()(x))

def two():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    logits = keras.layers.Dense(6)(keras.layers.Flatten()(x))
    return keras.Model(image, {"logits": logits, "mask": keras.layers.Conv2D(1, 1, activation="sigmoid")(x)})
"""
pytestmark = pytest.mark.slow


def suite(model: str = SMALL, runtimes: str = "tensorflow,onnxruntime-cpu") -> Suite:
    spec = parse_model(model)
    return Suite(
        models=(spec,),
        runtimes=parse_runtimes([runtimes]),
        batch_sizes={spec.display: (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nets") / "nets.py"
    path.write_text(NETS)
    return path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "outputs"


@pytest.fixture(scope="module")
def two(nets: Path, kept: Path) -> Verified:
    return verify_suite(suite(f"{nets}:two"), progress=Silent(), out=kept)


def test_each_output_of_each_case_has_its_own_chain(two: Verified) -> None:
    assert two.exit_code == 0
    tensorflow, onnx = two.models[0].cases
    for found, links in ((tensorflow, ["runtime"]), (onnx, ["export", *LEVELS])):
        assert [one.output for one in found.chain] == ["logits", "mask"]
        for one in found.chain:
            assert [link.link for link in one.links] == links
            assert one.blame is None
            assert all(link.error is not None and link.verdict == "agrees" for link in one.links)
    assert 0 < two.models[0].apart["tensorflow", "onnxruntime-cpu"] < 1e-3
    assert verified_text(two, suite()).startswith("nets.py:two: tensorflow and onnxruntime-cpu compute the same")


def test_what_was_kept_is_judged_again_as_it_was_and_otherwise_by_other_tolerances(two: Verified, kept: Path) -> None:
    heard = Heard()
    assert judge_again(kept, Flags(), as_json=True, console=heard.console) == 0
    cases = json.loads(heard.text)["cases"]
    assert [case["case_id"] for case in cases] == [row.case_id for row in two.rows]
    for case, judged in zip(cases, two.models[0].cases, strict=True):
        assert [one["relative_error"] for one in case["outputs"]] == [one.relative_error for one in judged.checks]
    assert judge_again(kept, Flags(rtol=("1e-9",)), as_json=False, console=heard.console) == 3
    assert str(Path.home()) not in (kept / "outputs.json").read_text()


class Interrupting(Silent):
    """The user presses Ctrl-C once a first case is done, or as it is begun."""

    def __init__(self, after: int) -> None:
        self._after = after

    def advance(self, n: float = 1, detail: str = "") -> None:
        if n >= self._after:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("after", "verified"), [(1, ["tensorflow"]), (0, [])])
def test_what_was_verified_before_an_interruption_is_kept_and_can_be_judged_again(
    nets: Path, tmp_path: Path, after: int, verified: list[str]
) -> None:
    out = tmp_path / "outputs"
    with pytest.raises(KeyboardInterrupt):
        verify_suite(suite(f"{nets}:two"), progress=Interrupting(after), out=out)
    cases = read_kept(out).cases
    assert [case.runtime for case in cases] == ["tensorflow", "onnxruntime-cpu"]
    assert [case.runtime for case in cases if case.file] == verified
    heard = Heard()
    assert judge_again(out, Flags(), as_json=False, console=heard.console) != 0
    assert not verified or "tensorflow" in heard.text


def test_a_file_that_computes_something_else_is_the_exports_fault(nets: Path) -> None:
    result = verify_suite(suite(f"{nets}:area"), progress=Silent())
    assert result.exit_code == 3
    tensorflow, onnx = result.models[0].cases
    assert (tensorflow.row.agreement, onnx.row.agreement, onnx.row.status) == ("agrees", "disagrees", "failed")
    (found,) = onnx.chain
    assert (found.blame, found.links[0].link) == ("export", "export")
    assert found.links[0].error is not None
    assert found.links[0].error > 0.1
    text = verified_text(result, suite(f"{nets}:area"))
    assert "the export is wrong: unoptimised on the CPU its 'flatten' is off by" in text.splitlines()[0]
    assert f"bench bisect {nets}:area -e cpu" in text.splitlines()[0]


def test_a_bare_file_is_held_against_itself_unoptimised(tmp_path: Path) -> None:
    nodes = [helper.make_node("Sigmoid", ["x"], ["y"]), helper.make_node("Softmax", ["y"], ["z"])]
    net = two_nodes(tmp_path, nodes)
    result = verify_suite(suite(net.path, "onnxruntime-cpu"), progress=Silent())
    (case,) = result.models[0].cases
    assert case.row.agreement == "agrees"
    assert [[link.link for link in one.links] for one in case.chain] == [LEVELS, LEVELS]
    assert "one rounding of the weights" in verified_text(result, suite())


def test_without_an_onnx_file_there_is_no_reference_to_run() -> None:
    result = verify_suite(suite(runtimes="tensorflow"), progress=Silent())
    (case,) = result.models[0].cases
    assert [[link.link for link in one.links] for one in case.chain] == [["runtime"]]


def test_verification_alone_times_nothing() -> None:
    result = verify_suite(suite(), progress=Silent())
    assert result.exit_code == 0
    assert [row.agreement for row in result.rows] == ["agrees", "agrees"]
    assert all(row.latency_ns_best is None for row in result.rows)
    assert json.loads(verified_json(result, suite()))["models"][0]["truth"] == "float64"


def test_random_weights_are_called_vacuous_not_verified() -> None:
    result = verify_suite(suite(f"{SMALL},weights=random"), progress=Silent())
    assert [row.agreement for row in result.rows] == ["vacuous", "vacuous"]
    assert result.exit_code == 5
    assert "cannot tell whether" in verified_text(result, suite())


def test_a_model_that_could_not_be_prepared_is_told_and_the_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(status="unsupported", reason="the model has no inputs")
    monkeypatch.setattr("bench.verifying.prepare_models", lambda asked, *_: {asked.models[0].display: failure})
    result = verify_suite(suite(), progress=Silent())
    assert result.exit_code == 6
    first = verified_text(result, suite()).splitlines()[0]
    assert first == f"{SMALL}: tensorflow and onnxruntime-cpu could not run: the model has no inputs"
