from __future__ import annotations

import pytest

from bench.check.ci_gates import FoundGate, exit_code, faults, level_of, tally, verdict_of
from bench.check.records import GateAnswer, GateSettings
from ci_fakes import agreement, found, gate_result, judged, missing


@pytest.mark.parametrize(
    ("answer", "code"),
    [("PASS", 0), ("DISAGREES", 3), ("REGRESSED", 4), ("INCONCLUSIVE", 5), ("NOT COMPARABLE", 5), ("FAILED", 6)],
)
def test_one_gate_exits_as_it_did_itself(answer: GateAnswer, code: int) -> None:
    assert exit_code([found(judged(answer))]) == code


def test_the_strongest_of_several_gates_decides() -> None:
    assert exit_code([found(judged()), found(judged("INCONCLUSIVE"))]) == 5
    assert exit_code([found(judged("FAILED")), found(judged("REGRESSED"))]) == 4
    assert exit_code([found(judged("REGRESSED")), missing()]) == 2


def test_a_missing_gate_is_never_green() -> None:
    assert exit_code([missing()]) == exit_code([found(judged()), missing()]) == exit_code([]) == 2
    assert verdict_of([found(judged()), missing()]) == verdict_of([]) == "NOT MEASURED"


def test_a_gate_that_judged_nothing_is_never_green_even_where_doubt_passes() -> None:
    empty = found(settings=GateSettings(inconclusive="pass"))
    assert empty.result is not None
    assert empty.result.exit_code == 5
    assert exit_code([empty]) == 5
    assert faults(empty) == [("NOT MEASURED", "the gate judged no case")]
    assert faults(found(judged(), settings=GateSettings(inconclusive="pass"))) == []


def test_a_code_that_its_verdicts_contradict_hides_none_of_them() -> None:
    assert exit_code([found(judged("REGRESSED"), exit_code=0)]) == 4
    assert exit_code([found(judged(), exit_code=0)]) == 0


def test_an_interrupted_gate_stays_interrupted() -> None:
    ended = found(judged("INCONCLUSIVE"), exit_code=130)
    assert exit_code([ended, missing()]) == 130
    assert verdict_of([ended]) == "INTERRUPTED"
    assert exit_code([found(judged("INCONCLUSIVE"), exit_code=143)]) == 143


def test_what_cannot_be_told_fails_where_that_is_asked_for() -> None:
    doubt = found(judged("INCONCLUSIVE"))
    assert [exit_code([doubt], when) for when in ("warn", "fail")] == [5, 4]
    forgiven = found(judged("NOT COMPARABLE"), settings=GateSettings(inconclusive="pass"))
    assert [exit_code([forgiven], when) for when in ("warn", "fail")] == [0, 4]
    assert exit_code([found(judged())], "fail") == 0
    assert exit_code([found(judged("DISAGREES")), doubt], "fail") == 3
    assert exit_code([missing(), doubt], "fail") == 2


def test_doubt_is_a_warning_and_a_fault_an_error() -> None:
    result = gate_result()
    levels = {answer: level_of(judged(answer), result) for answer in ("PASS", "INCONCLUSIVE", "REGRESSED")}
    assert levels == {"PASS": "notice", "INCONCLUSIVE": "warning", "REGRESSED": "error"}
    assert level_of(judged("NOT COMPARABLE"), result) == "warning"
    assert level_of(judged("NOT COMPARABLE"), result, "fail") == "error"
    strict = gate_result(settings=GateSettings(inconclusive="fail"))
    assert level_of(judged("INCONCLUSIVE"), strict) == "error"


def test_every_verdict_is_counted_the_strongest_first() -> None:
    gates = [found(judged("INCONCLUSIVE"), agreement()), found(judged(), agreement("DISAGREES")), missing()]
    assert tally(gates) == "1 NOT MEASURED, 1 DISAGREES, 1 INCONCLUSIVE, 2 PASS"
    assert tally([]) == "1 NOT MEASURED"
    assert verdict_of(gates[:2]) == "DISAGREES"
    assert verdict_of([found(judged(), agreement())]) == "PASS"


def test_a_gate_without_a_result_says_why() -> None:
    assert faults(FoundGate(folder="x", problem="no such folder")) == [("NOT MEASURED", "no such folder")]
