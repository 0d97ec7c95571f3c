"""Words of ``bench sweep`` that are none of its flags -> axes -> the models of the grid. Pure but for ``specs.py``.

``--alpha 0.25,0.5`` and ``--alpha=0.25,0.5`` are the model's argument ``alpha`` at two values. Every mistake is a
UsageError; a key that the model does not take is told by whoever builds it.
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from bench.errors import UsageError
from bench.records import ModelSpec, SweepAxis
from bench.spec_syntax import split_label
from bench.specs import parse_model

MOST_CASES = 200  # more are asked about
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALIKE = 0.8  # of difflib's ratio: --runtme is --runtime, --rate is not --rtol
_SPECIAL = set('{}#"=:')  # means something in a model's spec

Typed = tuple[str, str]  # the axis's flag as typed, its values as typed


def split_swept(words: Sequence[str], flags: Mapping[str, bool]) -> tuple[list[str], list[Typed]]:
    """The words without the swept arguments, and those; ``flags`` says of each of ours whether a value follows it."""
    rest: list[str] = []
    swept: list[Typed] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *left], swept
        if not word.startswith("--") or name in flags:
            rest.append(word)
            if flags.get(word) and left:
                rest.append(left.pop(0))
            continue
        if not equals:
            follows = bool(left) and not left[0].startswith("--") and left[0] not in flags
            value = left.pop(0) if follows else ""
        _refuse_slip(name, value, flags)
        swept.append((name, value))
    return rest, swept


def _refuse_slip(name: str, value: str, flags: Mapping[str, bool]) -> None:
    """UsageError where ``name`` is nearly one of our own flags."""
    ours = [flag for flag in flags if flag.startswith("--")]
    near = difflib.get_close_matches(name, ours, n=1, cutoff=_ALIKE)
    if near:
        argument = name.removeprefix("--").replace("-", "_")
        raise UsageError(
            f"{name}: no such flag; did you mean {near[0]}? An argument of the model that is called so is swept with "
            f"--axis {argument}={value or 'V1,V2'}"
        )


def parse_axes(swept: Sequence[Typed], explicit: Sequence[str] = ()) -> tuple[SweepAxis, ...]:
    """The axes of ``--NAME V1,V2`` and of ``--axis NAME=V1,V2``, in this order; at least one with two values."""
    typed = [(flag, flag.removeprefix("--").replace("-", "_"), values) for flag, values in swept]
    for text in explicit:
        name, equals, values = text.partition("=")
        typed.append((f"--axis {name}", name.strip(), values if equals else ""))
    axes = tuple(_axis(*one) for one in typed)
    names = [axis.name for axis in axes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"--{twice[0]}: given twice; list all its values after one, such as --{twice[0]} V1,V2")
    if not any(len(axis.values) > 1 for axis in axes):
        one = f"--{names[0]} has one value: " if axes else ""
        raise UsageError(
            f"{one}nothing to sweep; name an argument of the model with its values, such as --alpha 0.25,0.5,1.0"
        )
    return axes


def _axis(flag: str, name: str, text: str) -> SweepAxis:
    values = tuple(value.strip() for value in text.split(","))
    if not _NAME.fullmatch(name):
        raise UsageError(f"{flag} {text}".strip() + ": expected the name of an argument of the model, such as alpha")
    if "" in values:
        raise UsageError(f"{flag} {text}".strip() + f": expected values with commas between, such as {flag} 0.25,0.5")
    if odd := sorted(_SPECIAL & set(text)):
        raise UsageError(f"{flag} {text}: {' '.join(odd)} can't be part of a value; expected values such as 0.25,0.5")
    seen: dict[str | float, str] = {}
    for value in values:
        key = same_value(value)
        if key in seen:
            raise UsageError(f"{flag} {text}: {seen[key]} and {value} are the same value")
        seen[key] = value
    return SweepAxis(name=name, values=values)


def same_value(text: str) -> float | str:
    """What two texts share that mean the same value: the number, or the text itself."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def grid_of(axes: Sequence[SweepAxis]) -> Iterator[dict[str, str]]:
    """The values of each point, the last axis varying fastest."""
    for values in itertools.product(*(axis.values for axis in axes)):
        yield {axis.name: value for axis, value in zip(axes, values, strict=True)}


def grid_models(text: str, axes: Sequence[SweepAxis]) -> list[tuple[ModelSpec, dict[str, str]]]:
    """The model of each point, with its values."""
    base = parse_model(text)
    body, label = (text, None) if base.label is None else split_label(text)
    joint = "," if base.options else ":"
    end = f"#{label}" if label else ""
    return [
        (parse_model(f"{body}{joint}{','.join(f'{name}={value}' for name, value in values.items())}{end}"), values)
        for values in grid_of(axes)
    ]
