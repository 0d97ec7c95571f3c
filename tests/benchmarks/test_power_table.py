import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks import power_table as table
from benchmarks.judges import JUDGES
from benchmarks.power_table import Outcome


def outcome(kind: str, **changes: Any) -> Outcome:
    """A mutant that was called out, by all judges, unless told otherwise."""
    known: dict[str, Any] = {
        "model": "net",
        "kind": kind,
        "is_correct": False,
        "verdict": "disagrees",
        "reason": "",
        "relative_error": 0.5,
        "tolerance": 1e-3,
        "passes": (False, False, False, False),
        "same_form": True,
        "bitwise_equal": False,
    }
    return Outcome(**known | changes)


def correct(error: float, **changes: Any) -> Outcome:
    known: dict[str, Any] = {"is_correct": True, "verdict": "agrees", "relative_error": error}
    return outcome("all, 2 threads", **known | {"passes": (True, True, True, True), "bitwise_equal": True} | changes)


def test_a_mutant_within_three_times_the_correct_files_error_is_equivalent_and_above_it_is_scored() -> None:
    files = [correct(1e-4), correct(2e-4), outcome("near", relative_error=6e-4), outcome("far", relative_error=6.1e-4)]
    assert table.own_error(files, "net") == 2e-4
    assert [o.kind for o in table.equivalents(files)] == ["near"]
    assert [o.kind for o in table.scored(files)] == ["far"]


@pytest.mark.parametrize(
    ("changes", "equivalent"),
    [
        ({"bitwise_equal": True, "relative_error": None}, True),
        ({"relative_error": None}, False),  # NaN: there is no distance
        ({"relative_error": 0.0, "same_form": False}, False),  # an output too many, another type
        ({"is_correct": True, "relative_error": 0.0}, False),
    ],
)
def test_equivalence_is_about_numbers_in_the_same_form(changes: dict[str, Any], equivalent: bool) -> None:
    assert table.is_equivalent(outcome("kind", **changes), 1e-4) is equivalent


def test_the_correct_files_of_one_model_excuse_no_mutant_of_another() -> None:
    files = [correct(1e-1), correct(1e-4, model="other"), outcome("small", model="other", relative_error=0.2)]
    assert [o.model for o in table.scored(files)] == ["other"]


def test_a_mutant_that_agrees_or_is_vacuous_and_a_correct_file_that_does_not_agree_are_mistakes() -> None:
    seen = [outcome("seen"), correct(1e-4)]
    assert table.mistakes(seen) == []
    wrong = [outcome("missed", verdict="agrees"), outcome("unsure", verdict="vacuous")]
    alarm = correct(1e-4, verdict="disagrees")
    assert table.mistakes([*seen, *wrong, alarm]) == [*wrong, alarm]


def test_an_equivalent_mutant_that_agrees_is_no_mistake() -> None:
    assert table.mistakes([correct(1e-4), outcome("cap", verdict="agrees", relative_error=1e-4)]) == []


CALIBRATED = [correct(1e-4), outcome("cap", relative_error=1e-4, verdict="agrees"), outcome("flip"), outcome("zero")]


def of_untrained(verdict: str, **changes: Any) -> list[Outcome]:
    known: dict[str, Any] = {"model": "net:weights=random", "verdict": verdict}
    return [correct(1e-4, **known), *(outcome(kind, **known | changes) for kind in ("cap", "flip", "zero"))]


def test_of_untrained_networks_the_kinds_are_counted_that_were_scored_with_calibrated_weights() -> None:
    counted = table.untrained(of_untrained("vacuous"), CALIBRATED)
    assert [o.kind for o in counted] == ["all, 2 threads", "flip", "zero"]


def test_a_file_that_equals_the_correct_one_counts_where_the_check_is_vacuous_and_nowhere_else() -> None:
    equal = {"bitwise_equal": True, "relative_error": 1e-4}
    assert len(table.untrained(of_untrained("vacuous", **equal), CALIBRATED)) == 3
    assert len(table.untrained(of_untrained("agrees", **equal), CALIBRATED)) == 1


def test_a_wrong_file_of_an_untrained_network_that_agrees_is_undetected() -> None:
    assert table.undetected(table.untrained(of_untrained("vacuous"), CALIBRATED)) == []
    agreed = table.untrained(of_untrained("agrees"), CALIBRATED)
    assert [o.kind for o in table.undetected(agreed)] == ["flip", "zero"]


def test_each_judge_is_scored_on_the_same_files() -> None:
    files = [
        correct(1e-4, passes=(False, False, True, True)),
        correct(1e-4),
        outcome("a"),
        outcome("b", passes=(False, False, True, True)),
        outcome("c", passes=(True, True, True, True), verdict="agrees"),
        outcome("equivalent", passes=(False, False, True, True), relative_error=1e-4),
    ]
    ours, polygraphy, strict, loose, cosine = table.scores(files)
    assert (polygraphy.judge, cosine.judge) == ("Polygraphy's defaults", "cosine 0.997")
    assert (ours.called_out, ours.scored, ours.false_alarms, ours.correct) == (2, 3, 0, 2)
    assert (strict.judge, strict.called_out, strict.scored, strict.false_alarms) == ("allclose 1e-5", 2, 3, 1)
    assert (loose.judge, loose.called_out, loose.scored, loose.false_alarms) == ("allclose 1e-3", 1, 3, 0)


def test_the_gap_is_between_the_nearest_wrong_number_and_the_farthest_correct_one() -> None:
    files = [
        correct(1e-4),
        correct(2e-4),
        outcome("big", relative_error=3.0),
        outcome("small", relative_error=0.05),
        outcome("twice", relative_error=1e-4, same_form=False),
        outcome("NaN", relative_error=None),
    ]
    assert "| net | 4 | 2.0e-4 | 1.0e-3 | 0.05 | small | 250 |" in table.render_gaps(files)


def test_tables_list_correct_files_first_and_equivalents_apart() -> None:
    files = [outcome("far"), correct(1e-4), outcome("cap", relative_error=2e-4, verdict="agrees"), outcome("other")]
    lines = table.render_files(files).splitlines()
    assert lines[0] == f"| model | file | relative error | tolerance | ours | {' | '.join(JUDGES)} |"
    assert lines[2:] == [
        "| net | *correct, all, 2 threads* | 1.0e-4 | 1.0e-3 | agrees | passes | passes | passes | passes |",
        "| net | far | 0.5 | 1.0e-3 | disagrees | fails | fails | fails | fails |",
        "| net | other | 0.5 | 1.0e-3 | disagrees | fails | fails | fails | fails |",
    ]
    assert table.render_equivalents(files).splitlines()[2:] == [
        "| net | cap | 2.0e-4 | correct files are off by 1.0e-4 | agrees |"
    ]


def test_the_table_of_untrained_networks_counts_verdicts_and_what_allclose_lets_pass() -> None:
    files = [
        correct(1.0, verdict="vacuous"),
        outcome("a", verdict="vacuous", passes=(True, True, True, True)),
        outcome("b", verdict="vacuous", passes=(False, False, True, True)),
        outcome("renamed", passes=(True, True, True, True), same_form=False),
    ]
    assert table.render_vacuous(files).splitlines()[2] == "| net | vacuous | 3 | 0 | 2 | 1 | 2 | 2 | 3 | 3 |"


def test_totals_have_their_exact_intervals() -> None:
    text = table.render_scores([correct(1e-4), outcome("a"), outcome("b", verdict="agrees")])
    assert "| ours | 1 of 2 (1.3 to 98.7 %) | 0 of 1 (0.0 to 97.5 %) |" in text


def test_the_table_by_model_counts_each_judge_and_tells_of_false_alarms() -> None:
    files = [correct(1e-4, passes=(False, True, True, True)), outcome("a"), outcome("b", passes=(True,) * 4)]
    assert table.render_models(files).splitlines()[2] == "| net | 2 | 2 | 1, 1 of 1 accused | 1 | 1 | 1 |"
