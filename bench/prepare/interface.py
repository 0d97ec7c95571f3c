"""Whose is whose: tensors of a file that another exporter named, paired with the model's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from bench.records import Tensor

How = Literal["by name", "the only one", "by shape", "by position"]
ORDER: tuple[How, ...] = ("by name", "the only one", "by shape", "by position")  # from sure to a guess


def pair_tensors(
    theirs: Sequence[Tensor], ours: Sequence[Tensor], known: Mapping[str, str]
) -> tuple[dict[str, str], How] | None:
    """Name in the file -> name in the model, and how it was found; None where they can't be paired.

    ``known`` are other names that stand for the model's. Shapes pair where each fits exactly one; else the places do,
    if every tensor fits the one in its place: a guess, which the outputs' values then judge.
    """
    if len(theirs) != len(ours):
        return None
    named = {tensor.name: _spelt(tensor.name, ours, known) for tensor in theirs}
    found = [name for name in named.values() if name is not None]
    if len(set(found)) == len(ours):
        return {name: str(model) for name, model in named.items()}, "by name"
    in_place = {t.name: o.name for t, o in zip(theirs, ours, strict=True)}
    if len(ours) == 1:
        return in_place, "the only one"
    fitting = [[o.name for o in ours if _fits(t, o)] for t in theirs]
    if all(len(names) == 1 for names in fitting) and len({names[0] for names in fitting}) == len(ours):
        return {t.name: names[0] for t, names in zip(theirs, fitting, strict=True)}, "by shape"
    if all(_fits(t, o) for t, o in zip(theirs, ours, strict=True)):
        return in_place, "by position"
    return None


def less_sure(hows: Sequence[How]) -> How:
    """Of inputs and outputs the way that is less sure."""
    return max(hows, key=ORDER.index)


def _spelt(name: str, ours: Sequence[Tensor], known: Mapping[str, str]) -> str | None:
    """The model's name that a file's stands for: as it is, without TensorFlow's ``:0``, or as it is known."""
    names = {tensor.name for tensor in ours}
    for text in (name, name.removesuffix(":0")):
        for candidate in (text, known.get(text)):
            if candidate in names:
                return candidate
    return None


def _fits(theirs: Tensor, ours: Tensor) -> bool:
    """Whether type and shape allow the two to be one; a free axis fits any length."""
    if theirs.dtype != ours.dtype or len(theirs.shape) != len(ours.shape):
        return False
    return all(a is None or b is None or a == b for a, b in zip(theirs.shape, ours.shape, strict=True))
