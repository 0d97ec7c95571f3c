from __future__ import annotations

from typing import Any

import msgspec
import pytest

from analysis_fakes import died, measured, opened, together
from bench.analysis.outcome import choose_reference, exit_code_of, repetition_status, status_of
from bench.records import Case, MeasureSettings, ProviderPart
from fakes import case
from report_fakes import absent, row

ROUNDS = [[10], [10]]
ORT, TF, CUDA = case("onnxruntime-cpu"), case("tensorflow"), case("onnxruntime-cuda")


def with_path(plain: Case, path: str) -> Case:
    spec = msgspec.structs.replace(plain.runtime, options={"path": path})
    return msgspec.structs.replace(plain, case_id=f"{plain.case_id}:path={path}", runtime=spec)


def test_a_case_is_ok_only_if_every_repetition_is() -> None:
    whole = [measured("c", repetition, ROUNDS) for repetition in range(3)]
    assert status_of(whole, 3, 0.95) == ("ok", "")
    assert status_of([*whole[:2], died("c", 2)], 3, 0.95)[0] == "crashed"


def test_a_worker_that_died_once_tells_when_and_how_many_measured() -> None:
    tries = [measured("c", n, ROUNDS) if n != 1 else died("c", n) for n in range(5)]
    assert status_of(tries, 5, 0.95) == ("crashed", "in repetition 2 of 5; 4 measured: it died of SIGKILL")


def test_several_deaths_are_listed_and_the_worst_decides() -> None:
    tries = [measured("c", 0, ROUNDS), died("c", 1), died("c", 2, "timeout", "no reply"), died("c", 3), died("c", 4)]
    assert status_of(tries, 5, 0.95) == ("crashed", "in repetitions 2, 4 and 5 of 5; 1 measured: it died of SIGKILL")


def test_a_case_that_never_measured_gives_its_reason_alone() -> None:
    tries = [died("c", n, "unavailable", "CUDAExecutionProvider is not in this build") for n in range(2)]
    assert status_of(tries, 5, 0.95) == ("unavailable", "CUDAExecutionProvider is not in this build")


def test_a_case_that_no_repetition_has_was_skipped() -> None:
    assert status_of([], 5, 0.95) == ("skipped", "not measured: the run ended before its turn")


def test_a_session_that_ran_elsewhere_in_part_is_partial_with_its_share() -> None:
    elsewhere = ProviderPart(provider="CPUExecutionProvider", nodes=6, operators={"Unique": 6})
    info = opened(node_share=0.4, provider="CUDAExecutionProvider", placement=(elsewhere,))
    tries = [measured("c", n, ROUNDS, opened=info) for n in range(2)]
    assert repetition_status(tries[0], None, 0.95) == "partial"
    assert status_of(tries, 2, 0.95) == (
        "partial",
        "40% of the graph's nodes on CUDAExecutionProvider, at least 95% is wanted: "
        "CPUExecutionProvider 100%: Unique x6",
    )
    assert status_of([tries[0], died("c", 1)], 2, 0.95)[0] == "crashed"


def test_tensorflow_is_the_reference_wherever_it_stands() -> None:
    whole = together(0, *(measured(one.case_id, 0, ROUNDS) for one in (ORT, TF)))
    assert choose_reference([ORT, TF], [whole]) == TF.case_id
    assert choose_reference([ORT, CUDA], [whole]) == ORT.case_id


def test_the_plain_concrete_function_is_the_reference_among_several_tensorflows() -> None:
    signature = with_path(TF, "saved_model")
    whole = together(0, *(measured(one.case_id, 0, ROUNDS) for one in (signature, TF, ORT)))
    assert choose_reference([signature, ORT, TF], [whole]) == TF.case_id
    assert choose_reference([ORT, signature], [whole]) == signature.case_id


@pytest.mark.parametrize("path", ["predict", "eager call"])
def test_a_call_through_keras_is_the_reference_only_of_its_own_kind(path: str) -> None:
    keras = with_path(TF, path)
    slow = measured(keras.case_id, 0, ROUNDS, opened=opened(call_path=path))
    whole = together(0, slow, measured(ORT.case_id, 0, ROUNDS))
    assert choose_reference([keras, ORT], [whole]) == ORT.case_id
    assert choose_reference([keras], [whole]) == keras.case_id


def test_turns_without_a_complete_repetition_make_no_reference() -> None:
    half = measured(TF.case_id, 0, ROUNDS, status="crashed", complete=False)
    group = together(0, half, died(CUDA.case_id, 0), measured(ORT.case_id, 0, ROUNDS))
    assert choose_reference([TF, CUDA, ORT], [group]) == ORT.case_id
    later = together(1, measured(TF.case_id, 1, ROUNDS))
    assert choose_reference([TF, CUDA, ORT], [group, later]) == TF.case_id


def test_where_nothing_is_complete_there_is_no_reference() -> None:
    assert choose_reference([TF, ORT], [together(0, died(TF.case_id, 0), died(ORT.case_id, 0))]) is None
    assert choose_reference([TF, ORT], []) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"agreement": "disagrees"}, 3),
        ({"agreement": "disagrees", "status": "crashed"}, 3),
        ({"agreement": "disagrees", "status": "partial"}, 3),
        ({"status": "crashed"}, 6),
        ({"status": "unavailable", "agreement": "unchecked"}, 6),
        ({"status": "skipped", "agreement": "vacuous"}, 6),
        ({"status": "partial"}, 0),
        ({"status": "partial", "agreement": "vacuous"}, 5),
        ({"agreement": "vacuous"}, 5),
        ({"agreement": "unchecked"}, 5),
    ],
)
def test_a_row_exits_by_disagreement_then_status_then_doubt(change: dict[str, Any], code: int) -> None:
    assert exit_code_of([row(**change)]) == code
    assert exit_code_of([row(), row(**change), row()]) == code


def test_a_partial_row_exits_by_its_agreement_unless_placement_is_required() -> None:
    required = MeasureSettings(require_placement=True)
    assert exit_code_of([row(status="partial")], required) == 6
    assert exit_code_of([row(status="partial", agreement="disagrees")], required) == 3
    assert exit_code_of([row()], required) == 0


def test_placement_that_is_unknown_is_no_proof_where_it_is_required() -> None:
    unknown = row(cautions="few samples: x; placement unknown: a profile died")
    assert exit_code_of([unknown], MeasureSettings(require_placement=True)) == 6
    assert exit_code_of([unknown]) == 0


def test_the_strongest_row_decides_the_exit() -> None:
    doubtful, wrong = row(agreement="vacuous"), row(agreement="disagrees")
    assert exit_code_of([doubtful, absent()]) == 6
    assert exit_code_of([doubtful, absent(), wrong]) == 3
    assert exit_code_of([]) == 0
