"""A CSV file of published accuracy -> the numbers of each point, or why it has none. Nothing is guessed.

Columns whose name begins with ``published_`` are accuracy, ``source`` says where a row is from, every other one is an
argument of the model. Lines that begin with ``#`` say what the file is.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.errors import UsageError
from bench.prepare.zoo import models_folder
from bench.records import ModelSpec, SweepPlan
from bench.specs import OUR_KEYS
from bench.sweep_axes import same_value

_ACCURACY = "published_"
_SOURCE = "source"
Key = tuple[float | str, ...]


@dataclass(frozen=True)
class Published:
    """A file of published accuracy."""

    name: str  # of the file
    arguments: tuple[str, ...]  # columns that are the model's
    rows: Mapping[Key, Mapping[str, float]]  # by their values, in the order of ``arguments``
    sources: tuple[str, ...]


def shipped_accuracy(spec: ModelSpec) -> Path | None:
    """The file that comes with a model of the zoo, if one does."""
    path = models_folder() / f"{spec.name}_published.csv"
    return path if spec.kind == "zoo" and path.is_file() else None


def read_accuracy(path: Path) -> Published:
    """The file's rows; UsageError with the line where it can't be meant."""
    doing = f"reading published accuracy {path}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{doing}: {getattr(error, 'strerror', None) or 'not UTF-8'}; give a CSV file") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    table = [(number, [cell.strip() for cell in next(csv.reader([line]))]) for number, line in lines]
    if not table:
        raise UsageError(f"{doing}: it is empty; expected a header such as alpha,published_top1,source")
    header = table[0][1]
    accuracy = [name for name in header if name.startswith(_ACCURACY)]
    arguments = tuple(name for name in header if name not in (*accuracy, _SOURCE))
    if not accuracy or not arguments or len(set(header)) < len(header):
        raise UsageError(
            f"{doing}: columns {', '.join(header)}; expected arguments of the model, each once, and accuracy whose "
            "name begins with published_, such as alpha,published_top1,source"
        )
    rows: dict[Key, dict[str, float]] = {}
    for number, cells in table[1:]:
        where = f"{doing}, line {number}"
        if len(cells) != len(header):
            raise UsageError(f"{where}: {len(cells)} cells, the header has {len(header)}")
        row = dict(zip(header, cells, strict=True))
        key = tuple(same_value(row[name]) for name in arguments)
        if key in rows:
            raise UsageError(f"{where}: {_named(arguments, row)} comes twice; leave one")
        rows[key] = {name: _number(row[name], f"{where}, {name}") for name in accuracy if row[name]}
    sources = dict.fromkeys(dict(zip(header, cells, strict=True)).get(_SOURCE, "") for _, cells in table[1:])
    return Published(path.name, arguments, rows, tuple(source for source in sources if source))


def with_accuracy(plan: SweepPlan, specs: Mapping[str, ModelSpec], published: Published) -> SweepPlan:
    """The plan with the accuracy of each point that the file has; ``specs`` by display. A note says what is missing.

    UsageError where no point can have one.
    """
    wrong = _unjoinable(plan, next(iter(specs.values())), published)
    if wrong:
        raise UsageError(f"published accuracy {published.name}: {wrong}")
    points, missing = [], []
    for point in plan.points:
        options = specs[point.model].options
        found = published.rows.get(tuple(same_value(options[name]) for name in published.arguments))
        points.append(msgspec.structs.replace(point, published=dict(found or {})))
        if not found:
            missing.append(_named(published.arguments, options))
    if len(missing) == len(points):
        raise UsageError(f"published accuracy {published.name}: it has no row for any point, such as {missing[0]}")
    notes = (f"{published.name} has no accuracy for {'; '.join(missing)}",) if missing else ()
    return msgspec.structs.replace(
        plan,
        points=tuple(points),
        accuracy_file=published.name,
        accuracy_sources=published.sources,
        notes=(*plan.notes, *notes),
    )


def _unjoinable(plan: SweepPlan, spec: ModelSpec, published: Published) -> str:
    """Why the file is of other models than the grid's, or ""."""
    unknown = [name for name in published.arguments if name not in spec.options]
    if unknown:
        name = unknown[0]
        return f"it is by {name}, which is not said of the model; write {name}=VALUE after {plan.base}, or sweep it"
    other = [name for name in spec.options if name not in (*published.arguments, *OUR_KEYS)]
    if other:
        return f"it has no column {', '.join(other)}, so it is not known to be of these models"
    return ""


def _named(names: Sequence[str], values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={values[name]}" for name in names)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{where}: expected a number, got {text!r}")
    return value
