"""What became of a model is one word with its reason; what has none, or is a bug of ours, is called unexplained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from bench.records import Failure
from benchmarks.conversion_rows import Converted, row_of, table_text


def one(**changes: object) -> Converted:
    return Converted(**{"group": "layers", "name": "Dense", **changes})  # type: ignore[arg-type]


AGREES = one(verdict="agrees", truth="float64", relative_error=3.5e-7)
WRONG = one(
    name="Resizing area",
    failed=Failure(
        status="failed", reason="wrong; the first that differs is layer resize, Resizing", verdict="disagrees"
    ),
)


@pytest.mark.parametrize(
    ("became", "word", "explained"),
    [
        (AGREES, "agrees", True),
        (one(verdict="disagrees", reason="off by 3"), "exported, disagrees", True),
        (one(verdict="disagrees"), "exported, disagrees", False),
        (one(verdict="vacuous", reason="constant"), "cannot tell", True),
        (WRONG, "wrong, refused", True),
        (one(failed=Failure(status="failed", reason="wrong", verdict="disagrees")), "wrong, refused", False),
        (one(failed=Failure(status="unsupported", reason="no operation")), "cannot be exported", True),
        (one(failed=Failure(status="unsupported", reason="")), "cannot be exported", False),
        (one(failed=Failure(status="failed", reason="text input"), error="usage"), "no model", True),
        (one(failed=Failure(status="failed", reason="Traceback ..."), error="bug"), "no model", False),
    ],
)
def test_every_end_is_one_word_and_a_reason_is_needed(became: Converted, word: str, explained: bool) -> None:
    row = row_of(became)
    assert (row.word, row.explained) == (word, explained)


def test_the_table_counts_each_word_and_names_what_is_not_explained() -> None:
    lost = one(name="Lost", failed=Failure(status="unsupported", reason=""))
    text = table_text([AGREES, WRONG, lost], {"keras": "3.15.1"}, 61.4)
    assert "3 models, 61 s. keras 3.15.1." in text
    assert "| agrees | 1 |" in text
    assert "| not explained | 1 | Lost |" in text
    assert "| Dense | agrees | error 3.5e-7, truth float64 |" in text
    assert "| Resizing area | wrong, refused | wrong; the first that differs is layer resize, Resizing |" in text


def test_a_bar_in_a_reason_does_not_end_its_cell() -> None:
    assert "a \\| b" in table_text([one(verdict="vacuous", reason="a | b")], {}, 1.0)
