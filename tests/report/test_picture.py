"""Pictures as files: their letters are there whatever fonts a machine has, and names in them stay text."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bench.report import picture as pictures
from bench.report.picture import Picture, draw, legend_column, shown_spec, write_pictures
from bench.report.text import visible
from report.pages.made_page import HOSTILE, RUNTIMES, map_of, points

SVG = "{http://www.w3.org/2000/svg}"
RED, WHITE = 0, 255


def texts(picture: Picture) -> list[str]:
    root = ElementTree.fromstring(draw(picture, "svg"))
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def image(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(draw(picture, "png"))).convert("L")


def test_each_picture_is_a_file_of_its_name(tmp_path: Path) -> None:
    paths = write_pictures([points(RUNTIMES, 8), map_of(RUNTIMES)], tmp_path / "new", "svg")
    assert paths == [tmp_path / "new" / "calls.svg", tmp_path / "new" / "map.svg"]
    assert all(path.read_bytes().startswith(b"<svg") for path in paths)


@pytest.mark.parametrize("is_colourful", [False, True])
def test_a_png_is_packed_and_has_the_pixels_that_were_drawn(
    is_colourful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec: dict[str, object] = {
        "data": {"values": [{"x": n, "c": n if is_colourful else n % 2} for n in range(400)]},
        "mark": {"type": "tick", "thickness": 4},
        "encoding": {
            "x": {"field": "x", "type": "quantitative"},
            "color": {"field": "c", "type": "quantitative", "legend": None},
        },
        "width": 1600,
    }
    made = Picture("a", "A title", "", spec, (), ())
    packed = draw(made, "png")
    monkeypatch.setattr(pictures, "_packed", lambda png: png)
    drawn = draw(made, "png")
    shown, wanted = (Image.open(io.BytesIO(png)) for png in (packed, drawn))
    assert wanted.getchannel("A").getextrema() == (255, 255)
    assert shown.convert("RGB").tobytes() == wanted.convert("RGB").tobytes()
    assert shown.mode == ("RGB" if is_colourful else "P")
    assert len(packed) < len(drawn) / 2


def test_a_png_is_white_at_its_edges_so_nothing_is_cut() -> None:
    for picture in (points(RUNTIMES, 40), map_of(RUNTIMES), replace(points(RUNTIMES, 4), title="A long title " * 30)):
        drawn = image(picture)
        width, height = drawn.size
        edges = [(0, 0, width, 4), (0, height - 4, width, height), (0, 0, 4, height), (width - 4, 0, width, height)]
        assert all(drawn.crop(edge).getextrema() == (WHITE, WHITE) for edge in edges)
        assert drawn.getextrema()[0] == pytest.approx(RED, abs=100)


def test_a_long_title_is_wrapped_to_the_width_of_its_chart() -> None:
    plain, titled = image(points(RUNTIMES, 4)), image(replace(points(RUNTIMES, 4), title="A long title " * 30))
    assert titled.width == plain.width
    assert titled.height > plain.height


def test_a_line_of_a_title_from_right_to_left_does_not_lie_on_another() -> None:
    title = "word " * 18 + "עברית & more"  # two lines of a chart this wide
    lines = image(replace(points(RUNTIMES, 4), title=title))
    left = image(replace(points(RUNTIMES, 4), title=title.replace("עברית", "Hebrew")))
    first_line = (0, 0, lines.width, 52)
    assert lines.crop(first_line).tobytes() == left.crop(first_line).tobytes()


def test_letters_are_drawn_where_a_machine_has_no_fonts(tmp_path: Path) -> None:
    (tmp_path / "none.conf").write_text("<fontconfig></fontconfig>", encoding="utf-8")
    code = (
        "import sys, vl_convert; from bench.report import picture; from bench.report.picture import Picture\n"
        "spec = {'data': {'values': [{}]}, 'mark': 'point', 'width': 100, 'height': 20}\n"
        "drawn = [len(picture.draw(Picture('a', title, '', spec, (), ()), 'png')) for title in ('i', 'Many letters')]\n"
        "print(drawn[1] - drawn[0])"
    )
    settings = {"FONTCONFIG_FILE": str(tmp_path / "none.conf"), "HOME": str(tmp_path), "PATH": ""}
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, text=True, capture_output=True, timeout=60, env=settings
    )
    assert int(found.stdout) > 300  # bytes of letters


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_of_a_picture(name: str) -> None:
    found = texts(replace(points((name, "b"), 8), title=f"Title {name}"))
    assert visible(name) in found
    assert any(f"Title {visible(name)}"[:20] in text for text in found)
    drawn = draw(points((name, "b"), 8), "svg").decode("utf-8")
    assert not re.search("<script|<img|<foreignObject", drawn)


def test_a_picture_asks_the_network_for_nothing() -> None:
    away = replace(points(RUNTIMES, 4), spec={"data": {"url": "http://localhost:1/x.csv"}, "mark": "point"})
    with pytest.raises(ValueError, match="not allowed"):
        draw(away, "svg")


def test_hidden_characters_are_spelled_in_values_domains_and_fields_and_numbers_stay() -> None:
    spec = {"data": {"values": [{"a\u200b": 1.5, "b": None}]}, "encoding": {"x": {"field": "a\u200b", "bin": True}}}
    shown = shown_spec(replace(points(RUNTIMES, 1), spec=spec))
    assert shown["data"]["values"] == [{"a\\u200b": 1.5, "b": None}]
    assert shown["encoding"]["x"] == {"field": "a\\u200b", "bin": True}
    assert spec["data"]["values"] == [{"a\u200b": 1.5, "b": None}]  # type: ignore[index]


def test_a_column_of_a_legend_has_room_for_the_longest_name_of_the_scales_and_not_of_the_data() -> None:
    short, long = points(("a", "b"), 8), points(("a" * 40, "b"), 8)
    assert legend_column(short.spec) < legend_column(long.spec)
    assert legend_column({"data": {"values": [{"domain": ["x" * 400]}]}}) == legend_column({})
    assert legend_column(points(("WWWWWWWW", "b"), 8).spec) > legend_column(points(("aaaaaaaa", "b"), 8).spec)
    assert ("a" * 40) in texts(long)
