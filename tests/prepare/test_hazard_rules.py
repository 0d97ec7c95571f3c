"""What was counted -> cautions: every rule speaks above its threshold and is silent below it."""

from __future__ import annotations

import pytest

from bench.prepare import hazard_rules as rules
from bench.prepare.hazard_rules import Passes, Seen


def seen(place: str = "layer a (Dense)", values: int = 1000, **counts: float | bool) -> Seen:
    return Seen(place=place, values=values, **counts)  # type: ignore[arg-type]


def test_denormal_weights_and_activations_are_one_caution_that_names_the_first_of_each() -> None:
    weights = [seen(), seen("layer b (Dense)", denormal=250), seen("layer c (Dense)", denormal=900)]
    (caution,) = rules.denormal_cautions(weights, [seen("node m (Mul)", denormal=1000)])
    assert caution.code == rules.DENORMAL
    assert caution.text.startswith("25% of the weights of layer b (Dense) and of 1 more are denormal (below 1.2e-38), ")
    assert "100% of what node m (Mul) computes is denormal" in caution.text


@pytest.mark.parametrize(("values", "denormal"), [(1000, 9), (20, 10), (1000, 0)])
def test_few_denormal_numbers_are_not_told(values: int, denormal: int) -> None:
    assert rules.denormal_cautions([seen(values=values, denormal=denormal)], ()) == ()


def test_products_that_underflow_are_told_from_a_hundredth_on() -> None:
    (caution,) = rules.denormal_cautions((), [seen(underflowing=0.02)])
    assert caution.text.startswith("2% of the products within layer a (Dense) fall below 1.2e-38")
    assert rules.denormal_cautions((), [seen(underflowing=0.005)]) == ()


def test_only_what_makes_nan_itself_is_named() -> None:
    passing, making = seen("node p (Add)", nan=5), seen("node q (Log)", nan=5, makes=True)
    (caution,) = rules.nonfinite_cautions((), (), [passing, making])
    assert caution.text.startswith("node q (Log) is the first to make NaN (0.5% of values): ")
    assert rules.nonfinite_cautions((), (), [passing]) == ()


def test_nan_of_inputs_and_weights_are_told_together() -> None:
    (caution,) = rules.nonfinite_cautions([seen("input x", infinite=1000)], [seen(nan=1, infinite=1)], [seen()])
    assert "infinity (100% of values) in input x, NaN and infinity (0.2% of values) in the weights of" in caution.text


def test_inputs_do_not_mend_weights() -> None:
    (caution,) = rules.nonfinite_cautions((), [seen(nan=1)], ())
    assert caution.text.endswith("mend the weights")
    assert "--input-range" not in caution.text
    (caution,) = rules.nonfinite_cautions([seen("input x", nan=1)], (), ())
    assert caution.text.endswith("see --input-range and --load-inputs")


def test_flat_images_are_told_where_they_are_most() -> None:
    assert rules.input_cautions((), {"x": 4}, 8) == ()
    assert len(rules.input_cautions((), {"x": 5}, 8)) == 1


def test_an_input_that_is_constant_and_flat_is_told_once() -> None:
    assert len(rules.input_cautions(["x"], {"x": 8}, 8)) == 1


@pytest.mark.parametrize(("share", "told"), [(0.5, 0), (0.51, 1)])
def test_saturation_is_told_where_most_entries_are_at_the_bound(share: float, told: int) -> None:
    assert len(rules.saturation_cautions({"y": ("Sigmoid", share)})) == told


@pytest.mark.parametrize("rule", [rules.transpose_cautions, rules.batch_norm_cautions])
def test_passes_are_told_from_a_tenth_of_the_time_on(rule: object) -> None:
    assert callable(rule)
    assert rule(Passes(places=("layer a (Conv2D)",), written_bytes=2**20, share=0.09)) == ()
    assert rule(Passes(places=(), written_bytes=0, share=0.0)) == ()
    (caution,) = rule(Passes(places=("layer a (Conv2D)",) * 2, written_bytes=2**20, share=0.25))
    assert "25% of ONNX Runtime's time for one item, writing 1 MiB: at layer a (Conv2D)" in caution.text


def test_of_many_places_three_are_named() -> None:
    places = tuple(f"layer {letter} (Conv2D)" for letter in "abcde")
    (caution,) = rules.transpose_cautions(Passes(places=places, written_bytes=1, share=0.5))
    assert caution.text.startswith("5 transposes are of the conversion")
    assert "layer c (Conv2D) and 2 more; " in caution.text


def test_operators_that_only_onnx_runtime_has_are_told_so() -> None:
    (ours,) = rules.operator_cautions(["com.microsoft.FusedConv"])
    (theirs,) = rules.operator_cautions(["com.example.Fft"])
    assert "ONNX Runtime alone has them" in ours.text
    assert "needs a library" in theirs.text


def test_nothing_found_is_nothing_said() -> None:
    assert rules.random_cautions(()) == rules.training_cautions(()) == rules.operator_cautions(()) == ()
    assert rules.denormal_cautions([seen()], [seen()]) == rules.nonfinite_cautions([seen()], [seen()], [seen()]) == ()
