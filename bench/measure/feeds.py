"""A worker's feeds, made before anything is timed, and its outputs as rows an item. Runs in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.measure import plan
from bench.prepare.arrays import load_arrays
from bench.records import OpenRequest, Tensor

if TYPE_CHECKING:
    from bench.measure.streams import Callers

Feed = dict[str, Any]


def make_feeds(request: OpenRequest) -> list[Feed]:
    """Contiguous host arrays under the artifact's names, one feed a distinct batch of the pool."""
    pool = load_arrays(request.pool)
    items, batch = request.pool.items, request.settings.batch_size
    feeds = []
    for k in range(plan.batch_count(items, batch, is_batched(request.settings.inputs))):
        feed = {}
        for tensor in request.settings.inputs:
            array = pool[request.artifact.names.get(tensor.name, tensor.name)]
            chosen = array[plan.batch_indices(items, batch, k)] if tensor.batched else array[k % items]
            feed[tensor.name] = np.ascontiguousarray(chosen).reshape(chosen.shape)
        feeds.append(feed)
    return feeds


def gather_outputs(call: Any, feeds: Sequence[Feed], request: OpenRequest) -> dict[str, Any]:
    """Every feed once; the outputs under the model's names as whole passes over the pool, in the order of its items.

    ``n * items`` rows hold n passes: row ``p * items + i`` is item i as it came the p-th time.
    """
    names = [request.artifact.names.get(name, name) for name in request.settings.outputs]
    items = request.pool.items
    seen: dict[str, list[list[Any]]] = {name: [[] for _ in range(items)] for name in names}
    batched = is_batched(request.settings.inputs)
    for k, feed in enumerate(feeds):
        places = plan.batch_indices(items, request.settings.batch_size, k) if batched else [k]
        for name, output in zip(names, call(feed), strict=True):
            for item, row in zip(places, _rows(np.asarray(output), places, batched), strict=True):
                seen[name][item].append(np.array(row))
    return {name: _passes(rows) for name, rows in seen.items()}


def gather_at_once(
    callers: Callers, fetch: Callable[[Any], Sequence[Any]], feeds: Sequence[Feed], request: OpenRequest
) -> dict[str, Any]:
    """Every feed once by each caller while all the others call: the same passes, one caller's after another's.

    Each begins at a feed of its own, so that what one takes from another's buffer is another answer.
    """

    def answers(number: int, call: Callable[[Any], Any]) -> list[Any]:
        found: list[Any] = [None] * len(feeds)
        for i in range(len(feeds)):
            place = (number + i) % len(feeds)
            found[place] = [np.array(output) for output in fetch(call(feeds[place]))]
        return found

    by_caller = [iter(found) for found in callers.at_once(answers)]
    passes = [gather_outputs(lambda _, found=found: next(found), feeds, request) for found in by_caller]
    return {name: np.concatenate([one[name] for one in passes]) for name in passes[0]}


def is_batched(tensors: Sequence[Tensor]) -> bool:
    """Whether a call takes a batch of the pool's items, not one of them."""
    return any(tensor.batched for tensor in tensors)


def _rows(output: Any, places: list[int], batched: bool) -> Any:
    """One row an item; an output without the batch in front is given whole to each item, so that its shape shows."""
    if batched and output.ndim and output.shape[0] == len(places):
        return output
    return [output] * len(places)


def _passes(rows: list[list[Any]]) -> Any:
    n_passes = min(len(times) for times in rows)
    return np.stack([rows[item][p] for p in range(n_passes) for item in range(len(rows))])
