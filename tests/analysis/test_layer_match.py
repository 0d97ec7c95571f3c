from __future__ import annotations

import msgspec
import pytest

from bench.analysis.layer_match import Same, match_layers
from bench.records import LayerCost


def conv(name: str, into: int = 8, out: int = 8, window: str = "3x3", kind: str = "Conv2D") -> LayerCost:
    """A convolution of so many channels."""
    return LayerCost(
        name=name,
        kind=kind,
        window=window,
        multiply_adds=into * out * 100,
        input_bytes=into * 40,
        output_bytes=out * 40,
        weight_bytes=into * out,
    )


def numbered(*channels: tuple[int, int], window: str = "3x3") -> list[LayerCost]:
    """Layers that were named by Keras: conv2d, conv2d_1, ..."""
    return [conv(f"conv2d_{n}".removesuffix("_0"), *both, window) for n, both in enumerate(channels)]


def found(a: list[LayerCost], b: list[LayerCost]) -> list[tuple[str | None, str | None, bool]]:
    pairs = [(one.a, one.b, one.is_alike) for one in match_layers(a, b)]
    return sorted(pairs, key=lambda one: (one[1] or "", one[0] or ""))


def test_layers_of_one_name_and_work_are_the_same() -> None:
    layers = numbered((3, 8), (8, 8), (8, 16))
    assert found(layers, layers) == [(one.name, one.name, True) for one in layers]


def test_a_layer_at_the_start_that_moves_every_number_is_the_only_new_one() -> None:
    a, b = numbered((3, 8), (8, 64)), numbered((3, 3), (3, 8), (8, 64))
    assert found(a, b) == [(None, "conv2d", True), ("conv2d", "conv2d_1", True), ("conv2d_1", "conv2d_2", True)]
    assert found(b, a) == [("conv2d", None, True), ("conv2d_1", "conv2d", True), ("conv2d_2", "conv2d_1", True)]


def test_a_layer_that_went_from_a_stack_of_equal_ones_leaves_the_others_to_one_another() -> None:
    a, b = numbered((3, 8), (8, 8), (8, 8), (8, 8), (8, 2)), numbered((3, 8), (8, 8), (8, 8), (8, 2))
    pairs = found(a, b)
    assert ("conv2d_4", "conv2d_3", True) in pairs
    assert [one for one in pairs if one[1] is None] == [("conv2d_3", None, True)]


def test_a_layer_of_other_width_is_the_same_by_its_name_and_said_to_do_other_work() -> None:
    a = [conv("first", 3, 8), conv("second", 8, 8), conv("last", 8, 2)]
    b = [conv("first", 3, 16), conv("second", 16, 8), conv("last", 8, 2)]
    assert found(a, b) == [("first", "first", False), ("last", "last", True), ("second", "second", False)]


def test_a_model_of_other_width_is_matched_by_names_though_some_layers_do_as_much_work_as_others() -> None:
    def net(width: int) -> list[LayerCost]:
        """Convolutions, each with an activation; as in MobileNet channels double where the picture is halved."""
        layers, into, side = [], 3, 64
        for n, out in enumerate((width, 2 * width, 4 * width, 4 * width, 8 * width, 8 * width)):
            side = side // 2 if out != into else side
            area = side * side
            made = msgspec.structs.replace(conv(f"conv_{n}", into, out), output_bytes=out * area)
            layers += [made, LayerCost(name=f"relu_{n}", kind="ReLU", input_bytes=out * area, output_bytes=out * area)]
            into = out
        return layers

    a, b = net(8), net(16)
    assert {one.name for one in a if any(one == msgspec.structs.replace(other, name=one.name) for other in b)}
    assert found(a, b) == sorted(((one.name, one.name, False) for one in a), key=lambda one: one[1])


def test_a_new_layer_that_feeds_another_width_into_the_next_is_new_and_the_next_one_changed() -> None:
    a, b = numbered((3, 32), (32, 8)), [conv("conv2d", 3, 16, "1x1"), *numbered((0, 0), (16, 32), (32, 8))[1:]]
    assert found(a, b) == [(None, "conv2d", True), ("conv2d", "conv2d_1", False), ("conv2d_1", "conv2d_2", True)]


@pytest.mark.parametrize(("kind", "is_same"), [("Conv2D", True), ("Dense", False)])
def test_one_name_is_one_layer_only_where_its_kind_is_one(kind: str, is_same: bool) -> None:
    pairs = found([conv("x", 3, 8)], [conv("x", 3, 9, "5x5", kind)])
    assert pairs == ([("x", "x", False)] if is_same else [("x", None, True), (None, "x", True)])


def test_branches_in_another_order_stay_what_they_are() -> None:
    left, right = conv("left", 3, 8), conv("right", 3, 16)
    assert sorted(found([left, right], [right, left])) == [("left", "left", True), ("right", "right", True)]


def test_calls_of_a_shared_layer_are_one() -> None:
    shared, last = conv("shared"), conv("last", 8, 2)
    assert found([shared, shared, last], [shared, last]) == [("last", "last", True), ("shared", "shared", False)]


def test_a_layer_without_a_twin_is_on_one_side() -> None:
    assert match_layers([], [conv("x")]) == [Same(a=None, b="x")]
    assert match_layers([], []) == []
