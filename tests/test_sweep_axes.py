"""Words of a sweep: which are the model's arguments, which a slip, and which models they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.sweep_axes import grid_models, parse_axes, split_swept

FLAGS = {"--runtime": True, "-e": True, "--quick": False, "--batch": True, "-b": True, "--rtol": True, "--out": True}


def test_both_forms_of_a_swept_argument_are_taken_out_wherever_they_stand() -> None:
    rest, swept = split_swept(
        ["--alpha", "0.25,0.5", "mobilenet_v1", "-e", "tf,cpu", "--resolution=128,160", "--quick"], FLAGS
    )
    assert rest == ["mobilenet_v1", "-e", "tf,cpu", "--quick"]
    assert swept == [("--alpha", "0.25,0.5"), ("--resolution", "128,160")]


def test_what_follows_a_flag_of_ours_is_its_value() -> None:
    assert split_swept(["-e", "--odd", "--out=--x", "--", "--alpha"], FLAGS) == (
        ["-e", "--odd", "--out=--x", "--", "--alpha"],
        [],
    )


def test_a_negative_value_is_a_value_and_a_flag_is_none() -> None:
    assert split_swept(["--shift", "-1,2"], FLAGS)[1] == [("--shift", "-1,2")]
    assert split_swept(["--alpha", "-e", "cpu"], FLAGS) == (["-e", "cpu"], [("--alpha", "")])
    assert split_swept(["--alpha", "--beta", "1"], FLAGS)[1] == [("--alpha", ""), ("--beta", "1")]


@pytest.mark.parametrize(("typed", "meant"), [("--runtme", "--runtime"), ("--bacth", "--batch"), ("--quik", "--quick")])
def test_a_slip_of_our_own_flag_is_told(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"^{typed}: no such flag; did you mean {meant}\?.*--axis {typed[2:]}=1,2"):
        split_swept([typed, "1,2"], FLAGS)


@pytest.mark.parametrize("typed", ["--alpha", "--rate", "--resolution", "--units", "--width", "--depth", "--filters"])
def test_arguments_of_models_are_no_slips(typed: str) -> None:
    assert split_swept([typed, "1,2"], FLAGS)[1] == [(typed, "1,2")]


def test_axes_keep_their_order_and_values_as_typed() -> None:
    axes = parse_axes([("--alpha", "0.25, 0.50"), ("--kernel-size", "3,5")], ["seed=1,2"])
    assert [(axis.name, axis.values) for axis in axes] == [
        ("alpha", ("0.25", "0.50")),
        ("kernel_size", ("3", "5")),
        ("seed", ("1", "2")),
    ]


@pytest.mark.parametrize(
    ("swept", "explicit", "told"),
    [
        ([("--alpha", "")], [], "--alpha: expected values with commas between"),
        ([("--alpha", "1,,2")], [], "--alpha 1,,2: expected values with commas between"),
        ([("--alpha", "0.5,0.50")], [], "0.5 and 0.50 are the same value"),
        ([("--alpha", "1,{2}")], [], "{ } can't be part of a value"),
        ([("--alpha", "1,2"), ("--alpha", "3")], [], "--alpha: given twice"),
        ([("--alpha", "0.5")], [], "--alpha has one value: nothing to sweep"),
        ([], [], "nothing to sweep; name an argument"),
        ([], ["alpha"], "--axis alpha: expected values"),
        ([], ["=1,2"], "expected the name of an argument"),
        ([("--1a", "1,2")], [], "expected the name of an argument"),
    ],
)
def test_what_is_no_axis_is_told(swept: list[tuple[str, str]], explicit: list[str], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_axes(swept, explicit)
    assert told in str(caught.value)


def test_an_axis_of_one_value_fixes_it_beside_another() -> None:
    assert len(grid_models("mobilenet_v1", parse_axes([("--alpha", "0.5"), ("--resolution", "128,160")]))) == 2


def test_the_grid_is_the_product_the_last_axis_fastest() -> None:
    made = grid_models("mobilenet_v1:classes=10#mine", parse_axes([("--alpha", "0.5,1"), ("--resolution", "128,160")]))
    assert [spec.display for spec, _ in made] == [
        f"mobilenet_v1:alpha={alpha},classes=10,resolution={side}#mine" for alpha in ("0.5", "1") for side in (128, 160)
    ]
    assert made[1][1] == {"alpha": "0.5", "resolution": "160"}


@pytest.mark.parametrize("base", ["net.py", "net.py:build", "net.py:build:depth=2", "keras:MobileNetV2"])
def test_every_model_that_takes_arguments_can_be_swept(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").touch()
    made = grid_models(base, parse_axes([("--units", "8,16")]))
    assert [spec.options["units"] for spec, _ in made] == ["8", "16"]
    assert all(spec.function in (None, "build") for spec, _ in made)
    assert all(("depth" in spec.options) is ("depth" in base) for spec, _ in made)


def test_a_file_has_no_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.keras").write_bytes(b"")
    with pytest.raises(UsageError):
        grid_models("net.keras", parse_axes([("--units", "8,16")]))


def test_a_value_that_the_model_has_already_is_given_twice() -> None:
    with pytest.raises(UsageError, match="alpha is given twice"):
        grid_models("mobilenet_v1:alpha=1", parse_axes([("--alpha", "0.5,1")]))
