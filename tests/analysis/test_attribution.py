"""Errors are planted into one link of the chain, and each has to be told as that link's."""

from __future__ import annotations

import numpy as np
import pytest

from bench.analysis import attribution
from bench.analysis.agreement import check_outputs
from bench.analysis.attribution import Attribution, Point, apart, attribute, explain_blame, explain_source
from bench.analysis.distance import Array, spread

YARDSTICK = 1e-4
TRUTH = np.random.default_rng(0).normal(size=(8, 12))
SPREAD = spread(TRUTH)
LINKS = ("export", "optimiser basic", "optimiser extended", "optimiser all", "runtime")


def point(link: str, output: Array, since: int | None) -> Point:
    checks = check_outputs({"y": TRUTH}, {"y": output}, {"y": YARDSTICK})
    return Point(link, {"y": output}, {check.output: check for check in checks}, since)


def noise(seed: int, size: float) -> Array:
    """Differences of which the largest is ``size`` of the spread."""
    drawn = np.random.default_rng(seed).uniform(-1, 1, TRUTH.shape)
    scaled: Array = drawn / np.abs(drawn).max() * size * SPREAD
    return scaled


def chain(**planted: float) -> Attribution:
    """A chain in which each link adds the rounding of float32, and those ``planted`` (spaces as _) more."""
    points: list[Point] = []
    output = TRUTH
    for number, link in enumerate(LINKS):
        output = output + noise(number, planted.get(link.replace(" ", "_"), 1e-7))
        points.append(point(link, output.astype(np.float32), None if number == 0 else 3 if number == 4 else 0))
    (found,) = attribute({"y": TRUTH}, {"y": YARDSTICK}, points)
    return found


@pytest.mark.parametrize("link", LINKS)
def test_the_link_that_an_error_was_planted_in_is_to_blame_and_no_other(link: str) -> None:
    found = chain(**{link.replace(" ", "_"): 0.02})
    assert found.blame == link
    assert found.source == link
    verdicts = [one.verdict for one in found.links]
    place = LINKS.index(link)
    assert verdicts == ["agrees"] * place + ["disagrees"] * (5 - place)


@pytest.mark.parametrize("link", LINKS)
def test_an_error_within_the_tolerance_has_a_source_and_nobody_to_blame(link: str) -> None:
    found = chain(**{link.replace(" ", "_"): 5e-4})
    assert (found.blame, found.source) == (None, link)
    errors = {one.link: one.error for one in found.links}
    assert errors[link] == pytest.approx(5e-4, rel=0.01)
    assert next(one.yardsticks for one in found.links if one.link == link) == pytest.approx(5, rel=0.01)


def test_what_the_optimiser_did_is_measured_against_the_file_unoptimised_at_every_level() -> None:
    errors = [one.error for one in chain(optimiser_basic=4e-4).links]
    assert errors[1:4] == pytest.approx([4e-4] * 3, rel=0.02)
    assert errors[4] == pytest.approx(1e-7, rel=0.5)


def test_within_two_yardsticks_of_the_truth_it_is_the_rounding_of_float32() -> None:
    assert chain(export=1.5 * YARDSTICK).source == "rounding"
    assert chain(export=3 * YARDSTICK).source == "export"
    assert chain(runtime=1.5 * YARDSTICK).source == "runtime"  # it is not measured from the truth


def test_no_difference_has_no_source() -> None:
    exact = TRUTH.astype(np.float32).astype(np.float64)
    (found,) = attribute({"y": exact}, {"y": None}, [Point("export", {"y": exact}, {})])
    assert (found.source, found.blame, found.links[0].error) == (None, None, 0.0)
    assert found.links[0].yardsticks is None
    assert explain_source(found) == "there is no error at all"


def test_a_link_that_mends_what_an_earlier_one_broke_leaves_nobody_to_blame() -> None:
    wrong, right = TRUTH + noise(1, 0.5), TRUTH.astype(np.float32)
    points = [point("export", wrong.astype(np.float32), None), point("optimiser all", right, 0)]
    (found,) = attribute({"y": TRUTH}, {"y": YARDSTICK}, points)
    assert found.blame is None
    (again,) = attribute(
        {"y": TRUTH}, {"y": YARDSTICK}, [*points, point("runtime", (TRUTH + noise(2, 0.5)).astype(np.float32), 1)]
    )
    assert again.blame == "runtime"


@pytest.mark.parametrize("broken", [np.full(TRUTH.shape, np.nan), TRUTH[:, :5]])
def test_an_output_that_has_no_distance_is_blamed_by_its_verdict(broken: Array) -> None:
    points = [point("export", TRUTH.astype(np.float32), None), point("runtime", broken.astype(np.float32), 0)]
    (found,) = attribute({"y": TRUTH}, {"y": YARDSTICK}, points)
    assert (found.blame, found.links[1].error) == ("runtime", None)
    assert "of another shape or not finite" in explain_blame(found, "net")


def test_a_converted_file_is_told_from_the_export_and_from_the_runtime() -> None:
    converted = TRUTH + noise(3, 0.9)
    checks = {"y": point("conversion", converted.astype(np.float32), 0).checks["y"]}
    points = [
        point("export", TRUTH.astype(np.float32), None),
        Point("conversion", {"y": converted}, checks, 0, given={"y": 0.5}),
    ]
    (found,) = attribute({"y": TRUTH}, {"y": YARDSTICK}, points, rms=True)
    assert (found.blame, found.source, found.links[1].error) == ("conversion", "conversion", 0.5)
    assert "the converted file" in explain_blame(found, "net")


def test_each_output_has_a_chain_of_its_own() -> None:
    truth = {"a": TRUTH, "b": TRUTH * 3}
    outputs = {"a": TRUTH.astype(np.float32), "b": (TRUTH * 3 + noise(4, 0.3)).astype(np.float32)}
    checks = {check.output: check for check in check_outputs(truth, outputs, {"a": YARDSTICK, "b": YARDSTICK})}
    a, b = attribute(truth, {"a": YARDSTICK, "b": YARDSTICK}, [Point("export", outputs, checks)])
    assert (a.output, a.blame) == ("a", None)
    assert (b.output, b.blame) == ("b", "export")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("export", "the export is wrong: unoptimised on the CPU its 'y' is off by 0.02 of the spread already"),
        ("optimiser_basic", "the optimiser's level basic is to blame: what it does to the file is off by 0.02"),
        ("optimiser_all", "the optimiser's level all is to blame"),
        ("runtime", "the runtime is to blame: openvino is off by 0.02 of the spread from onnxruntime-cpu on the same"),
    ],
)
def test_blame_is_one_plain_half_sentence(link: str, words: str) -> None:
    assert explain_blame(chain(**{link: 0.02}), "openvino").startswith(words)
    assert explain_blame(chain(), "openvino") == ""


def test_a_case_without_a_file_blames_the_runtime_itself() -> None:
    (found,) = attribute({"y": TRUTH}, {"y": YARDSTICK}, [point("runtime", (TRUTH * 1.1).astype(np.float32), None)])
    assert (
        explain_blame(found, "litert") == "no ONNX file is part of it: litert's own conversion or kernels are to blame"
    )


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ({"optimiser_extended": 5e-4}, "most of it comes from the optimiser's level extended"),
        ({"runtime": 5e-4}, "most of it comes from the runtime"),
        ({"export": 5e-4}, "most of it comes from the export"),
        ({"export": 1e-4}, "most of it is the rounding of float32"),
    ],
)
def test_a_source_is_one_plain_half_sentence(planted: dict[str, float], words: str) -> None:
    assert explain_source(chain(**planted)) == words


def test_outputs_without_distances_are_apart_by_the_share_that_differs() -> None:
    one, other = np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])
    assert apart(one, one, other) == 0.25
    assert apart(one, one, None) is None
    assert apart(TRUTH, TRUTH, TRUTH + SPREAD / 2) == pytest.approx(0.5)
    assert apart(TRUTH, TRUTH, TRUTH + noise(0, 1.0), rms=True) == pytest.approx(0.57, abs=0.1)
    assert apart(np.zeros((8, 2)), np.zeros((8, 2)), np.ones((8, 2))) is None


def test_the_levels_are_those_of_onnx_runtime_in_order() -> None:
    assert attribution.LEVELS == ("off", "basic", "extended", "all")


def test_nobody_is_to_blame_for_nan_of_the_truth_or_for_another_name() -> None:
    nan, wrong = TRUTH.copy(), (TRUTH + 9 * SPREAD).astype(np.float32)
    nan[0, 0] = np.nan
    checks = {check.output: check for check in check_outputs({"y": nan}, {"y": wrong}, {"y": YARDSTICK})}
    (found,) = attribute({"y": nan}, {"y": None}, [Point("runtime", {"y": wrong}, checks)])
    assert (checks["y"].verdict, found.blame) == ("disagrees", None)
    checks = {check.output: check for check in check_outputs({"y": TRUTH}, {"z": wrong}, {"y": YARDSTICK})}
    (found,) = attribute({"y": TRUTH}, {"y": None}, [Point("runtime", {"z": wrong}, checks)])
    assert (checks["y"].verdict, found.blame) == ("disagrees", None)
    (found,) = attribute({"y": TRUTH}, {"y": None}, [point("runtime", wrong, None)])
    assert found.blame == "runtime"
