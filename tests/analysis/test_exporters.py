"""Which exporter is right, which is fastest, and what the comparison's exit code is."""

from __future__ import annotations

from typing import Any

import pytest

from bench.analysis.exporters import ExporterRow, choose_reference, exit_code_of, headline

OURS, KERAS = "tf2onnx from_function", "Keras export"


def row(exporter: str = OURS, opset: int = 18, **changes: Any) -> ExporterRow:
    """A file that agrees and was timed, unless told otherwise."""
    known: dict[str, Any] = {"loads": True, "agreement": "agrees", "latency_ns_best": 1e6, "ratio_to_reference": 1.0}
    return ExporterRow(exporter=exporter, opset=opset, is_ours=exporter == OURS, **known | changes)


def timed(low: float, high: float, **changes: Any) -> ExporterRow:
    return row(KERAS, ratio_to_reference=(low + high) / 2, ratio_low=low, ratio_high=high, **changes)


REFERENCE = row(is_reference=True)
WRONG: dict[str, Any] = {"agreement": "disagrees", "reason": "output 'y' is off"}
NO_FILE: dict[str, Any] = {"loads": False, "agreement": "unchecked", "latency_ns_best": None}


def test_where_all_agree_and_none_is_told_to_be_faster_it_says_so() -> None:
    assert headline([REFERENCE, timed(0.98, 1.02)]) == (
        "All 2 files agree with the model; none is faster than tf2onnx from_function, opset 18"
    )


@pytest.mark.parametrize(("low", "high", "is_fastest"), [(0.8, 0.9, True), (0.8, 0.98, False), (0.8, 1.1, False)])
def test_a_file_is_faster_only_where_its_whole_interval_is_clearly_below_one(
    low: float, high: float, is_fastest: bool
) -> None:
    assert ("Keras export, opset 18 is fastest" in headline([REFERENCE, timed(low, high)])) is is_fastest


def test_the_reference_is_fastest_where_every_other_is_slower_and_a_slower_one_is_named() -> None:
    assert headline([REFERENCE, timed(1.2, 1.4)]).endswith("tf2onnx from_function, opset 18 is fastest")
    said = headline([REFERENCE, timed(1.2, 1.4), timed(0.99, 1.01, opset=13)])
    assert said.endswith("none is faster than tf2onnx from_function, opset 18, Keras export (opset 18) is slower")


def test_a_wrong_file_is_never_the_fastest() -> None:
    said = headline([REFERENCE, timed(0.3, 0.4, **WRONG)])
    assert "Keras export (opset 18) computes something else" in said
    assert "fastest" not in said


def test_opsets_of_one_exporter_are_told_together() -> None:
    said = headline([REFERENCE, row(KERAS, 13, **NO_FILE), row(KERAS, 15, **NO_FILE)])
    assert "1 of 3 files agrees with the model; Keras export (opset 13, 15) gives no file that loads" in said


def test_without_any_file_that_agrees_the_sentence_says_what_there_is() -> None:
    assert headline([row(**NO_FILE)]) == "No exporter makes a file that loads"
    assert headline([row(**WRONG), row(KERAS, **WRONG)]).endswith("Keras export (opset 18) compute something else")
    assert headline([row(agreement="vacuous")]).startswith("No file is known to agree")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(), row(KERAS, **NO_FILE)], 0),
        ([row(), row(opset=13, **NO_FILE)], 0),
        ([row(), row(KERAS, **WRONG)], 3),
        ([row(**WRONG)], 3),
        ([row(**NO_FILE), row(KERAS)], 6),
        ([row(**NO_FILE), row(KERAS, **NO_FILE)], 6),
        ([row(agreement="vacuous"), row(KERAS, agreement="vacuous")], 5),
    ],
)
def test_the_exit_code_is_ours_unless_a_file_disagrees(rows: list[ExporterRow], code: int) -> None:
    assert exit_code_of(rows) == code


def test_the_reference_is_ours_of_the_latest_opset_that_agrees() -> None:
    best = row(opset=15)
    assert choose_reference([row(opset=13), best, row(opset=18, **WRONG), row(KERAS)]) is best
    agreeing = row(KERAS)
    assert choose_reference([row(**WRONG), agreeing]) is agreeing
    assert choose_reference([row(**NO_FILE)]) is None
