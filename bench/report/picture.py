"""A chart that every reader can have: drawn, told in words, and as the table of its numbers; as PNG and SVG too.

A chart is a Vega-Lite specification without colours of text or background: a page puts those of its own scheme.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.report import atomic, theme

PictureFormat = Literal["png", "svg"]
_PNG_SCALE = 2.0  # pixels for one of the chart's: sharp on today's screens


@dataclass(frozen=True)
class Picture:
    """One chart. Texts are plain text: names of models and files are escaped by whoever shows them."""

    name: str  # unique on its page, letters and underscores: file name and anchor
    title: str  # what it shows, a few words
    told: str  # what is to be seen in it, one or two sentences: for one who can't see it, and beneath it for all
    spec: Mapping[str, Any]  # Vega-Lite, its data inline; its width is "container" where a page may choose it
    header: tuple[str, ...]  # of the table of what was drawn (of samples: of their summary)
    cells: tuple[tuple[str, ...], ...]


def write_pictures(pictures: Sequence[Picture], folder: Path, kind: PictureFormat) -> list[Path]:
    """A file for each, ``folder/NAME.png``, in the light scheme; the folder is made. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for picture in pictures:
        path = folder / f"{picture.name}.{kind}"
        atomic.write_bytes(path, draw(picture, kind))
        paths.append(path)
    return paths


def draw(picture: Picture, kind: PictureFormat, *, width: int = theme.WIDTH) -> bytes:
    """The picture by itself, its title above it, ``width`` wide where the chart leaves that open."""
    import vl_convert  # starts an engine: 2 s at the first picture

    spec = json.loads(json.dumps(picture.spec))
    if spec.get("width") == "container":
        spec["width"] = width
    spec["title"] = picture.title
    config = {**theme.LIGHT, "background": "white"}
    if kind == "svg":
        text: str = vl_convert.vegalite_to_svg(spec, config=config)
        return text.encode("utf-8")
    data: bytes = vl_convert.vegalite_to_png(spec, config=config, scale=_PNG_SCALE)
    return data
