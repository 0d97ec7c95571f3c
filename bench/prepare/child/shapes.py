"""Inputs' shapes and ranges, from what the model says and what the user says. Pure; runs in the child."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bench.errors import UsageError
from bench.records import Tensor

Range = tuple[float, float]


def fix_shapes(tensors: Sequence[Tensor], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Tensor, ...]:
    """The same inputs with no axis free but the batch.

    ``shapes`` are whole shapes by input name, ``--input-shapes``. Raises UsageError where one is missing, does not
    fit, or is of an input that is not there.
    """
    names = [tensor.name for tensor in tensors]
    unknown = [name for name in shapes if name not in names]
    if unknown:
        raise UsageError(f"--input-shapes: no input {', '.join(unknown)}; the model has {', '.join(names)}")
    return tuple(_fix(tensor, shapes.get(tensor.name)) for tensor in tensors)


def check_names(flag: str, given: Iterable[str], known: Iterable[str], owner: str = "the model") -> None:
    """Raises UsageError where a flag names what its ``owner`` does not have; ``""`` is every one."""
    names = list(known)
    unknown = [name for name in given if name and name not in names]
    if unknown:
        raise UsageError(f"{flag}: no {', '.join(unknown)}; {owner} has {', '.join(names)}")


def _fix(tensor: Tensor, given: tuple[int, ...] | None) -> Tensor:
    inner = slice(1 if tensor.batched else 0, None)
    if given is None:
        if None in tensor.shape[inner]:
            raise UsageError(
                f"input {tensor.name!r} has the shape {_text(tensor.shape)}: give the free axes a size with "
                f"--input-shapes {tensor.name}:{_example(tensor)}"
            )
        return tensor
    fits = len(given) == len(tensor.shape) and all(
        axis in (None, size) for axis, size in zip(tensor.shape[inner], given[inner], strict=True)
    )
    if not fits:
        raise UsageError(
            f"--input-shapes {tensor.name}:{_text(given)}: the input has the shape {_text(tensor.shape)}, batch first"
        )
    batch = tensor.shape[:1] if tensor.batched else ()
    if batch and given[0] not in (1, batch[0]):
        raise UsageError(
            f"--input-shapes {tensor.name}:{_text(given)}: the first number is the batch, which comes from -b; "
            f"write {_text((1, *given[1:]))}"
        )
    return msgspec.structs.replace(tensor, shape=(*batch, *given[inner]))


def _example(tensor: Tensor) -> str:
    """A whole shape to type, N where a size is to be filled in."""
    inner = ["N" if axis is None else str(axis) for axis in tensor.shape[1 if tensor.batched else 0 :]]
    return "[" + ",".join(["1", *inner] if tensor.batched else inner) + "]"


def _text(shape: tuple[int | None, ...]) -> str:
    return "[" + ",".join("?" if axis is None else str(axis) for axis in shape) + "]"
