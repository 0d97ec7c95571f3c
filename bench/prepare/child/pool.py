"""The inputs that a model is prepared with: made from the seed, or the user's own. Runs in the child."""

from __future__ import annotations

from collections.abc import Mapping

from bench.errors import UnsupportedError
from bench.prepare.child.reference import Array, shared_inputs
from bench.prepare.child.shapes import Range
from bench.prepare.inputs import load_pool, make_pool
from bench.records import Caution, PrepareSettings, Tensor

_FEW_ITEMS = 8  # contract: agreement is over at least so many distinct inputs


def pool_of(
    inputs: tuple[Tensor, ...], ranges: Mapping[str, Range], settings: PrepareSettings
) -> tuple[dict[str, Array], tuple[Caution, ...]]:
    """Name -> array [items, ...], and a doubt where there are few of them. Raises UnsupportedError for no inputs."""
    if not inputs:
        raise UnsupportedError(
            "the model has no inputs: it gives the same at every call, so there is nothing to compare"
        )
    if settings.load_inputs is None:
        return shared_inputs(inputs, make_pool(inputs, ranges, settings.seed, settings.pool_size)), ()
    pool = shared_inputs(inputs, load_pool(settings.load_inputs, inputs, ranges))
    items = len(next(iter(pool.values())))
    if items >= _FEW_ITEMS:
        return pool, ()
    return pool, (Caution(code="few inputs", text=f"{items} inputs were loaded; agreement needs {_FEW_ITEMS}"),)
