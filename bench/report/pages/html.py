"""A page as one file of HTML that asks the network for nothing: records in, a document out. It knows no run.

What the file consists of stands beside: ``page.html`` (template), ``page.css``, ``page.js``. The template writes every
text through ``text.visible`` and escapes it; the policy in its head forbids every request, whatever a text says.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from itertools import chain
from typing import TYPE_CHECKING, Any

from bench.report import theme
from bench.report.pages.page import Cell, Page, Table
from bench.report.picture import legend_column, shown_spec
from bench.report.text import visible

if TYPE_CHECKING:
    from jinja2 import Template

_MANY_VALUES = 3000  # drawn as elements they'd make the page slow: more are painted
_FLAG = re.compile(r"(?<![^\s(])--?[A-Za-z][\w-]{0,30}(?![\w-])")  # of a command, short enough to stay on one line
_NUMBER = re.compile(r"[-+\u2212~<>≤≥]?\s?\d")
_UNKNOWN = {"", "-"}
_SIGNS = {"good": "✓", "bad": "✗", "doubt": "?"}
_SAID = {"good": "good", "bad": "bad", "doubt": "in doubt"}


def render_page(page: Page) -> str:
    """The whole document. Raises ValueError where two parts, two pictures or two tables have the same name."""
    _check_names(page)
    pictures = [picture for part in page.parts for picture in part.pictures]
    return _template().render(
        page=page,
        light=asdict(theme.LIGHT_SCHEME),
        dark=asdict(theme.DARK_SCHEME),
        schemes=_json(
            {"light": theme.LIGHT, "dark": theme.DARK, "legendMark": theme.LEGEND_MARK, "legendAxis": theme.LEGEND_AXIS}
        ),
        drawing=_drawing_script() if pictures else "",
        signs=_SIGNS,
        said=_SAID,
    )


def is_many(spec: Mapping[str, Any]) -> bool:
    """Whether a chart has so many values that it is painted (canvas) and not built of elements (SVG)."""
    return _count_values(spec) > _MANY_VALUES


def rank_column(cells: Sequence[Cell]) -> list[int | None]:
    """The place of each cell in ascending order, equal for equal keys; None for an unknown one.

    Numbers stand before texts; a text is compared without regard to its case.
    """
    keys = [_key(cell) for cell in cells]
    places = {key: place for place, key in enumerate(sorted({key for key in keys if key is not None}))}
    return [None if key is None else places[key] for key in keys]


def _key(cell: Cell) -> tuple[int, float, str] | None:
    if isinstance(cell.key, str) or cell.key is None:
        text = cell.text if cell.key is None else cell.key
        return None if text in _UNKNOWN else (1, 0.0, text.casefold())
    return None if math.isnan(cell.key) else (0, cell.key, "")


def _ranked(table: Table) -> list[list[tuple[Cell, int | None]]]:
    """Rows of cells, each with its place in its column; short rows are an error of whoever made them."""
    columns = [rank_column(column) for column in zip(*table.rows, strict=True)]
    ranks = zip(*columns, strict=True)
    return [list(zip(row, places, strict=True)) for row, places in zip(table.rows, ranks, strict=True)]


def _figures(rows: Sequence[Sequence[str]]) -> set[int]:
    """Columns of which each known text begins as a number does: they are set to the right."""
    columns = ([text for text in column if text not in _UNKNOWN] for column in zip(*rows, strict=True))
    return {place for place, texts in enumerate(columns) if texts and all(map(_NUMBER.match, texts))}


def _count_values(spec: Any) -> int:
    """Rows of data anywhere in a chart."""
    if isinstance(spec, Mapping):
        own = sum(len(rows) for rows in _data_of(spec))
        return own + sum(_count_values(item) for key, item in spec.items() if key not in {"data", "datasets"})
    return sum(map(_count_values, spec)) if isinstance(spec, list | tuple) else 0


def _data_of(spec: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    data = spec.get("data")
    values = data.get("values") if isinstance(data, Mapping) else None
    sets = spec.get("datasets")
    named = sets.values() if isinstance(sets, Mapping) else ()
    return (rows for rows in chain((values,), named) if isinstance(rows, list | tuple))


def _check_names(page: Page) -> None:
    kinds = {
        "parts": [part.name for part in page.parts],
        "pictures": [picture.name for part in page.parts for picture in part.pictures],
        "tables": [table.name for part in page.parts for table in part.tables],
    }
    for kind, names in kinds.items():
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"a page has two {kind} of one name: {', '.join(twice)}")


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bench.report.pages", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_spelled,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figures=_figures, is_many=is_many, json=_json, ranked=_ranked)
    environment.filters.update(legend_column=legend_column, prose=_prose, shown=shown_spec)
    environment.globals.update(style=_own_file("page.css"), script=_own_file("page.js"))
    return environment.get_template("page.html")


def _spelled(value: Any) -> Any:
    """Of every expression of the template: a text is shown on one line, hidden characters spelled out."""
    return visible(value) if type(value) is str else value  # markup of ours is a subclass, and stays as it is


def _prose(value: str) -> str:
    """A sentence in which no line ends behind the hyphens of a flag such as ``--quick``."""
    from markupsafe import Markup, escape

    return Markup(_FLAG.sub(r'<span class="flag">\g<0></span>', str(escape(visible(value)))))


def _json(value: Any) -> str:
    """Within a script element: no ``<`` can end it. A value that is no number is an error of whoever drew it."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _own_file(name: str) -> str:
    from markupsafe import Markup

    return Markup(resources.files("bench.report.pages").joinpath(name).read_text(encoding="utf-8"))


@cache
def _drawing_script() -> str:
    """Vega-Lite and what draws it, 0.9 MB, as ``window.vegaEmbed``; making it takes 2 s, once in a process."""
    import vl_convert
    from markupsafe import Markup

    text: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed")
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("the drawing script can't stand within a page: it contains the end of a script")
    return Markup(text)
