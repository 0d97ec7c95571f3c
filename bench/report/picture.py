"""A chart that every reader can have: drawn, told in words, and as the table of its numbers; as PNG and SVG too.

A chart is a Vega-Lite specification without colours of text or background: a page puts those of its own scheme.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.report import atomic, theme
from bench.report.text import visible

PictureFormat = Literal["png", "svg"]
_PNG_SCALE = 2.0  # pixels for one of the chart's: sharp on today's screens
_PALETTE = 256  # colours that a PNG's palette has room for
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"  # the first comes with the engine, the next are as wide
_LETTER = 8.0  # pixels of a letter, rather too many
_CAPITAL = 3.5  # and as much more of a great one


@dataclass(frozen=True)
class Picture:
    """One chart. Texts are plain text: names of models and files are escaped by whoever shows them."""

    name: str  # unique on its page, letters and underscores: file name and anchor
    title: str  # what it shows, a few words
    told: str  # what is to be seen in it, one or two sentences: for one who can't see it, and beneath it for all
    spec: Mapping[str, Any]  # Vega-Lite, its data inline; its width is "container" where a page may choose it
    header: tuple[str, ...]  # of the table of what was drawn (of samples: of their summary)
    cells: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return visible(f"<Picture {self.name}: {self.title}>")

    def _repr_html_(self) -> str:
        """For notebooks."""
        from bench.report.notebook import picture_html

        return picture_html(self)


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

    spec = shown_spec(picture)
    if spec.get("width") == "container":
        spec["width"] = width
    room = spec["width"] if isinstance(spec.get("width"), int | float) else width
    spec["title"] = _lines(picture.title, room)
    legend = {**theme.LIGHT["legend"], **theme.legend(room, legend_column(spec))}
    config = {**theme.LIGHT, "background": "white", "font": _FONT, "padding": 12, "legend": legend}
    if kind == "svg":
        text: str = vl_convert.vegalite_to_svg(spec, config=config, allowed_base_urls=[])
        return text.encode("utf-8")
    data: bytes = vl_convert.vegalite_to_png(spec, config=config, scale=_PNG_SCALE, allowed_base_urls=[])
    return _packed(data)


def _packed(png: bytes) -> bytes:
    """The same pixels in an eighth to a third of the bytes: with a palette where the colours are few enough for one."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")  # the background is white: nothing shines through
    if image.getcolors(_PALETTE) is not None:
        image = image.quantize(_PALETTE, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def shown_spec(picture: Picture) -> dict[str, Any]:
    """A copy of the chart in which hidden characters of names are spelled out, in data, domains and fields alike.

    Names belong in data, never in an expression of Vega: there a spelled one is another name.
    """
    spec: dict[str, Any] = _shown(picture.spec)
    return spec


def legend_column(spec: Mapping[str, Any]) -> int:
    """Pixels that a column of the chart's legend needs for the longest name of its scales."""
    longest = max(map(_width, _domain_names(spec)), default=20 * _LETTER)
    return int(longest) + theme.LEGEND_MARK


def _width(name: str) -> float:
    return len(name) * _LETTER + sum(map(str.isupper, name)) * _CAPITAL


def _lines(title: str, width: float) -> list[str]:
    """A title's lines, each with its own direction: the engine sets one from right to left over another otherwise."""
    lines = textwrap.wrap(visible(title), max(20, int(width / _LETTER)))
    return [line if line.isascii() else f"\u2068{line}\u2069" for line in lines]


def _domain_names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        domain = value.get("domain")
        yield from (name for name in domain if isinstance(name, str)) if isinstance(domain, list | tuple) else ()
        for key, item in value.items():
            yield from () if key in {"data", "datasets"} else _domain_names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _domain_names(item)


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else visible(value)
    if isinstance(value, Mapping):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
