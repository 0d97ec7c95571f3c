"""Reference cases and chains, from files of outputs made by hand: no worker runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attributing_fakes import TRUTH, cases_of, prepared, references
from bench.analysis.checker import make_checker
from bench.attributing import attribute_case, loads_onnx, with_rejected
from bench.prepare.arrays import load_arrays, save_arrays
from bench.records import ArrayFile, Tolerance
from fakes import artifact

LEVELS = ("off", "basic", "extended", "all")


def test_every_level_of_the_optimiser_is_a_reference_and_the_default_case_is_the_last(tmp_path: Path) -> None:
    (case,) = cases_of("onnxruntime-cpu")
    found = references(prepared(tmp_path), [case])
    assert list(found) == [("float32", level) for level in LEVELS]
    assert found["float32", "all"] is case
    extra = found["float32", "basic"]
    assert (extra.runtime.name, extra.runtime.options) == ("onnxruntime-cpu", {"optimization": "basic"})
    assert (extra.batch_size, extra.threads) == (4, 2)


@pytest.mark.parametrize(
    ("runtime", "levels"),
    [
        ("cpu:optimization=off", ["off"]),
        ("cpu:optimization=basic", ["off", "basic"]),
        ("cpu:optimization=layout", ["off", "basic", "extended"]),
        ("openvino", [*LEVELS]),
        ("tensorflow", []),
        ("litert", []),
    ],
)
def test_only_what_a_case_needs_is_run(tmp_path: Path, runtime: str, levels: list[str]) -> None:
    assert [level for _, level in references(prepared(tmp_path), cases_of(runtime))] == levels


@pytest.mark.parametrize("runtime", ["cpu@1.30.0", "cpu:arena=off", "openvino"])
def test_a_case_with_anything_else_asked_for_is_no_reference(tmp_path: Path, runtime: str) -> None:
    (case,) = cases_of(runtime)
    assert references(prepared(tmp_path), [case])["float32", "all"].case_id != case.case_id


def test_a_users_case_that_did_not_run_is_no_reference(tmp_path: Path) -> None:
    (case,) = cases_of("onnxruntime-cpu")
    assert references(prepared(tmp_path), [case], {})["float32", "all"] is not case


def test_a_converted_file_is_held_against_the_export_and_run_exactly(tmp_path: Path) -> None:
    files = {"onnx": artifact(), "onnx int8": artifact(precision="int8", conversion_error={"probabilities": 0.2})}
    (case,) = cases_of("cpu:precision=int8")
    found = references(prepared(tmp_path, artifacts=files), [case])
    assert list(found) == [("float32", "off"), *(("int8", level) for level in LEVELS)]
    assert found["int8", "off"].precision == "int8"
    assert found["int8", "all"] is case


def test_of_a_bare_file_the_truth_is_the_file_unoptimised(tmp_path: Path) -> None:
    bare = prepared(tmp_path, truth="onnxruntime-cpu unoptimised")
    assert [level for _, level in references(bare, cases_of("openvino"))] == ["basic", "extended", "all"]


def test_a_rejected_file_takes_the_place_of_the_one_that_is_not_there(tmp_path: Path) -> None:
    rejected = artifact(path="rejected.onnx")
    lacking = prepared(tmp_path, artifacts={}, rejected={"onnx": rejected})
    assert with_rejected(lacking).artifacts == {"onnx": rejected}
    assert with_rejected(prepared(tmp_path, rejected={"onnx": rejected})).artifacts["onnx"] != rejected
    assert [level for _, level in references(lacking, cases_of("cpu"), {})] == [*LEVELS]
    assert references(prepared(tmp_path, artifacts={}), cases_of("cpu"), {}) == {}


class Chain:
    """Outputs of a case and of its references, rounding alone but where a test plants more."""

    def __init__(self, folder: Path, runtime: str, planted: str, **changes: Any) -> None:
        self.model = prepared(folder, **changes)
        (self.case,) = cases_of(runtime)
        self.references = references(self.model, [self.case], {})
        self.files: dict[str, ArrayFile] = {}
        output = TRUTH
        for (_, level), case in self.references.items():
            output = output + (0.3 if planted == level else 0.0)
            self.add(folder, case.case_id, output)
        if planted != "never ran":
            self.add(folder, self.case.case_id, output + (0.3 if planted == "runtime" else 0.0))

    def add(self, folder: Path, case_id: str, output: Any) -> None:
        file = folder / f"{len(self.files)}.npz"
        self.files[case_id] = save_arrays(file, {"probabilities": output.astype(np.float32)})

    def attributed(self) -> Any:
        truth = load_arrays(self.model.truth_file)
        check = make_checker(self.model, Tolerance())
        checks = {case_id: check(case_id, file) for case_id, file in self.files.items()}
        return attribute_case(self.case, self.model, truth, self.references, self.files, checks)


@pytest.mark.parametrize(
    ("planted", "blame"),
    [
        ("off", "export"),
        ("basic", "optimiser basic"),
        ("extended", "optimiser extended"),
        ("all", "optimiser all"),
        ("runtime", "runtime"),
        ("nothing", None),
    ],
)
def test_the_chain_of_a_case_blames_the_link_that_is_wrong(tmp_path: Path, planted: str, blame: str | None) -> None:
    (found,) = Chain(tmp_path, "openvino", planted).attributed()
    names = ["export", "optimiser basic", "optimiser extended", "optimiser all", "runtime"]
    assert [link.link for link in found.links] == names
    assert found.blame == blame


def test_a_case_without_an_onnx_file_is_its_own_chain(tmp_path: Path) -> None:
    (found,) = Chain(tmp_path, "tensorflow", "runtime").attributed()
    assert [link.link for link in found.links] == ["runtime"]
    assert found.blame == "runtime"


def test_a_file_that_no_runtime_is_given_is_attributed_by_its_references_alone(tmp_path: Path) -> None:
    lacking = {"artifacts": {}, "rejected": {"onnx": artifact()}}
    chain = Chain(tmp_path, "cpu", "never ran", **lacking)
    assert [link.link for link in chain.attributed()[0].links][-1] == "optimiser all"
    assert chain.attributed()[0].blame is None


def test_a_chain_with_a_part_that_did_not_run_tells_nothing(tmp_path: Path) -> None:
    chain = Chain(tmp_path, "openvino", "runtime")
    del chain.files[chain.references["float32", "basic"].case_id]
    assert chain.attributed() == []


def test_which_runtimes_run_an_onnx_file() -> None:
    assert [loads_onnx(case) for case in cases_of("cpu", "openvino", "tensorflow")] == [True, True, False]
