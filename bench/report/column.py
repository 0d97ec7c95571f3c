"""What a column of a report's tables is. Imports nothing of ours."""

from __future__ import annotations

from typing import Literal, NamedTuple

Dtype = Literal["string", "Int64", "Float64", "boolean"]
Direction = Literal["lower", "higher", "none"]


class Column(NamedTuple):
    """One column. A file older than ``since`` lacks it and is read with nulls there."""

    name: str
    dtype: Dtype  # of pandas, each with a null of its own
    unit: str  # "" where there is none
    direction: Direction  # which way is better
    meaning: str
    free_text: bool = False  # sentences and commands: home paths, user and host names are taken out before writing
    since: int = 1


def text(name: str, meaning: str, *, free: bool = False, since: int = 1) -> Column:
    """A column of words; ``free`` where people's sentences, paths and names may be in it."""
    return Column(name, "string", "", "none", meaning, free_text=free, since=since)


def whole(name: str, unit: str, direction: Direction, meaning: str, *, since: int = 1) -> Column:
    """A column of whole numbers."""
    return Column(name, "Int64", unit, direction, meaning, since=since)


def real(name: str, unit: str, direction: Direction, meaning: str, *, since: int = 1) -> Column:
    """A column of real numbers."""
    return Column(name, "Float64", unit, direction, meaning, since=since)
