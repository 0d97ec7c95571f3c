"""Colours are chosen by computing how far apart people see them: contrast of WCAG, colour vision after Machado 2009."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bench.report import theme

# Machado, Oliveira and Fernandes 2009, severity 1; of linear RGB.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
SCHEMES = {"light": theme.LIGHT_SCHEME, "dark": theme.DARK_SCHEME}
TEXTS = ("text", "muted", "accent", "good", "bad", "doubt")
APART, FIRST_APART, ANY_APART = 0.10, 0.12, 0.04  # in Oklab: 0.02 is about the least that an eye tells apart


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Of WCAG: 1 to 21."""
    bright, dark = sorted((float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def distance(one: str, other: str, vision: str) -> float:
    """In Oklab, between colours as someone of that vision sees them."""
    seen = [_oklab(np.clip(np.array(VISIONS[vision]) @ linear(each), 0, 1)) for each in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def _oklab(rgb: np.ndarray) -> np.ndarray:
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponents = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    lab: np.ndarray = opponents @ np.cbrt(cones @ rgb)
    return lab


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_colour_of_a_series_stands_out_from_the_background(scheme: str) -> None:
    weak = {colour: contrast(colour, SCHEMES[scheme].background) for colour in theme.COLOURS}
    assert {colour: round(found, 2) for colour, found in weak.items() if found < 3} == {}


@pytest.mark.parametrize("vision", VISIONS)
def test_neighbours_the_first_four_and_any_two_colours_are_apart_for_every_vision(vision: str) -> None:
    neighbours = [distance(*pair, vision) for pair in zip(theme.COLOURS, theme.COLOURS[1:], strict=False)]
    first = [distance(*pair, vision) for pair in combinations(theme.COLOURS[:4], 2)]
    others = [distance(*pair, vision) for pair in combinations(theme.COLOURS, 2)]
    assert min(neighbours) >= APART
    assert min(first) >= FIRST_APART
    assert min(others) >= ANY_APART


def test_red_and_green_of_one_brightness_would_not_pass_for_apart() -> None:
    assert distance("#B03A48", "#4D7F17", "usual") > APART
    assert distance("#8A6D00", "#4D7F17", "deuteranopia") < APART


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", TEXTS)
def test_texts_have_the_contrast_that_small_letters_need(scheme: str, name: str) -> None:
    colours = SCHEMES[scheme]
    for behind in (colours.background, colours.surface):
        assert contrast(getattr(colours, name), behind) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_edges_of_controls_and_axes_are_seen_and_grids_are_fainter(scheme: str) -> None:
    colours = SCHEMES[scheme]
    assert contrast(colours.edge, colours.background) >= 3 > contrast(colours.line, colours.background)


def test_a_name_keeps_its_colour_shape_and_dash_and_no_two_of_the_first_eight_share_one() -> None:
    names = [f"runtime {place}" for place in range(8)]
    scales = theme.series(names)
    assert all(scale["domain"] == names for scale in scales.values())
    assert all(len({str(each) for each in scale["range"]}) == 8 for scale in scales.values())


def test_more_names_than_colours_have_them_again_with_another_shape_and_dash() -> None:
    scales = theme.series([str(place) for place in range(64)])
    colours = scales["color"]["range"]
    assert colours[8] == colours[0]
    for channel in ("shape", "strokeDash"):
        looks = [(colour, str(look)) for colour, look in zip(colours, scales[channel]["range"], strict=True)]
        assert len(set(looks)) == 64


@pytest.mark.parametrize(("width", "column", "columns"), [(240, 220, 1), (388, 220, 1), (720, 220, 3), (720, 100, 6)])
def test_a_legend_has_as_many_columns_as_have_room(width: int, column: int, columns: int) -> None:
    legend = theme.legend(width, column)
    assert legend["columns"] == columns
    assert (legend["labelLimit"] + theme.LEGEND_MARK) * columns + theme.LEGEND_AXIS <= width
