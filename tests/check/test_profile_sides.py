from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bench.analysis.profiled import ProfiledCase
from bench.check.profile_sides import sides_of
from bench.errors import UsageError
from profile_fakes import MS, case, kernel, profile
from report_fakes import MACHINE

CONV = kernel("conv", "Conv", (0,), [6 * MS] * 3)


def made(name: str = "onnxruntime-cpu", /, **row: Any) -> ProfiledCase:
    return case([CONV], [10 * MS] * 3, name, row=row)


def test_two_cases_of_one_command_are_a_pair() -> None:
    (sides,) = sides_of(profile(made(), made("tensorflow")))
    assert sides.is_paired
    assert sides.forbidden == ()
    assert any(told.startswith("runtime_spec: ") for told in sides.told)


def test_of_two_folders_those_of_the_same_runtime_belong_together() -> None:
    a, b = profile(made(), made("tensorflow")), profile(made("tensorflow"), made("litert"))
    (sides,) = sides_of(a, b)
    assert (sides.a.row.runtime, sides.b.row.runtime, sides.is_paired) == ("tensorflow", "tensorflow", False)


def test_the_only_case_of_each_folder_belong_together_whatever_they_are() -> None:
    (sides,) = sides_of(profile(made()), profile(made("litert")))
    assert (sides.a.row.runtime, sides.b.row.runtime) == ("onnxruntime-cpu", "litert")


def paired(a: list[ProfiledCase], b: list[ProfiledCase]) -> list[tuple[str, str]]:
    return [(one.a.row.model, one.b.row.model) for one in sides_of(profile(*a), profile(*b))]


def test_of_two_folders_those_of_the_same_model_belong_together_in_whatever_order() -> None:
    small, big = made(model="small"), made(model="big")
    assert paired([small, big], [big, small]) == [("small", "small"), ("big", "big")]
    assert paired([small, big], [big, made("openvino")]) == [("big", "big")]


def test_another_file_of_the_same_bytes_is_the_same_model() -> None:
    a = [made(model="a/net", model_digest="1"), made(model="other", model_digest="2")]
    b = [made(model="x", model_digest="3"), made(model="b/net", model_digest="1")]
    assert paired(a, b) == [("a/net", "b/net"), ("other", "x")]


def test_two_files_of_the_same_bytes_are_not_both_compared_with_one() -> None:
    a = [made(model=name, model_digest="1") for name in ("one", "two")]
    assert paired(a, [made(model="one", model_digest="1"), made(model="x", model_digest="1")]) == [
        ("one", "one"),
        ("two", "x"),
    ]
    with pytest.raises(UsageError, match="no case of both"):
        paired(a, [made(model="x", model_digest="1"), made(model="y", model_digest="2")])


def test_other_models_belong_together_only_where_one_of_each_is_left() -> None:
    same, one, two, three = (made(model=name, model_digest=name) for name in ("same", "one", "two", "three"))
    assert paired([same, one], [two, same]) == [("same", "same"), ("one", "two")]
    assert paired([same, one], [two, three, same]) == [("same", "same")]
    with pytest.raises(UsageError, match="no case of both has the same runtime, batch, streams and model"):
        paired([one, two], [three, same])


def test_cases_of_as_many_streams_belong_together() -> None:
    a, b = [made(streams=1), made(streams=2)], [made(streams=2), made(streams=1)]
    assert [sides.forbidden for sides in sides_of(profile(*a), profile(*b))] == [(), ()]


def test_folders_with_nothing_in_common_are_refused() -> None:
    with pytest.raises(UsageError, match="no case of both has the same runtime, batch"):
        sides_of(profile(made(), made("tensorflow")), profile(made("litert"), made("iree")))


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("threads", {"threads": 1}),
        ("batch_size", {"batch_size": 8}),
        ("boundary", {"boundary": "device"}),
    ],
)
def test_other_terms_are_not_compared(field: str, row: dict[str, object]) -> None:
    (sides,) = sides_of(profile(made()), profile(made(**row)))
    assert any(why.startswith(f"{field}: ") for why in sides.forbidden)


def test_another_machine_is_not_compared_and_another_package_is_told() -> None:
    ours = profile(made())
    other = msgspec.structs.replace(MACHINE, cpu="Other CPU")
    of_other = msgspec.structs.replace(ours.environment, machine=other)
    newer = msgspec.structs.replace(ours.environment, packages={**ours.environment.packages, "onnx": "99"})
    (elsewhere,) = sides_of(ours, profile(made(), environment=of_other))
    (later,) = sides_of(ours, profile(made(), environment=newer))
    assert elsewhere.forbidden == ("cpu: Invented CPU against Other CPU",)
    assert later.forbidden == ()
    assert any(told.startswith("package onnx: ") for told in later.told)


def test_interleaved_cases_without_a_repetition_in_common_are_not_compared_and_with_one_they_are() -> None:
    late = case([kernel("conv", "Conv", (0,), [6 * MS] * 2)], [10 * MS] * 2, "tensorflow", repetitions=(7, 8))
    half = case([kernel("conv", "Conv", (0,), [6 * MS] * 2)], [10 * MS] * 2, "tensorflow", repetitions=(2, 3))
    (apart,), (common,) = sides_of(profile(made(), late)), sides_of(profile(made(), half))
    (two_runs,) = sides_of(profile(made()), profile(late))
    assert apart.forbidden == ("no repetition has both, so that there are no pairs",)
    assert (common.forbidden, two_runs.forbidden) == ((), ())


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"agreement": "vacuous", "agreement_reason": "y is constant"}, "vacuous: y is constant"),
        ({"agreement": "unchecked", "agreement_reason": ""}, "unchecked"),
        ({"status": "partial", "status_reason": "60 % elsewhere"}, "partial: 60 % elsewhere"),
    ],
)
def test_a_side_that_cannot_win_is_barred_and_one_that_can_is_not(row: dict[str, object], why: str) -> None:
    (sides,) = sides_of(profile(made()), profile(made(**row)))
    (both,) = sides_of(profile(made()), profile(made()))
    assert sides.barred == (f"B is not verified or not whole ({why})",)
    assert (sides.forbidden, both.barred) == ((), ())


def test_a_side_without_kernels_or_of_another_function_is_not_compared() -> None:
    bare = case([], [], "litert", reason="it tells none")
    wrong = made("tensorflow", agreement="disagrees")
    (sides,) = sides_of(profile(bare, wrong))
    assert sides.forbidden == (
        "A has no operator times: it tells none",
        "the outputs of B disagree: its time is that of another function",
    )
