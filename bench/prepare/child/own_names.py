"""What the names in a user's own file mean: checked, and where they are not the model's, told from the values.

Inputs of other names can't be fed, so nothing of such a file can be judged. The one line that mends it is found by
running the file: each way to feed it that shapes and types allow, each output paired with the nearest of the model.
Runs in the child.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bench.analysis.naming import Pair, flag_line, pair_by_value
from bench.prepare.child.reference import Arrays, Run, run_pool
from bench.prepare.child.shapes import check_names
from bench.records import Failure, Record, Tensor

_MOST_WAYS = 24  # to feed a file: all orders of four inputs of one shape


class OwnFile(Record, frozen=True):
    """A file of the user's, as far as names go."""

    file: str  # base name
    flag: str  # that gives names: "--onnx-names"
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    names: dict[str, str]  # what the user said: name in the file -> name in the model


def check_said(own: OwnFile, model_names: Iterable[str]) -> None:
    """UsageError for a name in the flag that the file does not have, or the model."""
    check_names(own.flag, own.names, [tensor.name for tensor in (*own.inputs, *own.outputs)], f"the file {own.file}")
    check_names(own.flag, own.names.values(), model_names)


def unfed(own: OwnFile, run: Run, inputs: Sequence[Tensor], pool: Arrays, truth: Arrays) -> Failure | None:
    """Why the file can't be fed, with the line to type where running it tells; None where its inputs are the model's.

    ``inputs`` and ``pool`` are the model's, ``truth`` its outputs over the pool.
    """
    named = [own.names.get(tensor.name, tensor.name) for tensor in own.inputs]
    if set(named) <= set(pool):
        return None
    has, wanted = ", ".join(sorted(named)), ", ".join(sorted(pool))
    return Failure(
        status="failed",
        reason=f"the inputs of {own.file} are {has}, the model's are {wanted}; nothing was compared; "
        + _way_on(own, run, inputs, pool, truth),
    )


def _way_on(own: OwnFile, run: Run, inputs: Sequence[Tensor], pool: Arrays, truth: Arrays) -> str:
    ways = [(pairs, fed) for fed in _ways(own, inputs) if (pairs := _pairs(own, run, fed, pool, truth))]
    if not ways:
        return f"map them with {own.flag} FILE_NAME=MODEL_NAME"
    pairs, fed = min(ways, key=lambda way: sum(pair.error or 0.0 for pair in way[0]))
    called = {pair.theirs: pair.ours for pair in pairs}
    said = {**own.names, **fed, **{tensor.name: called[tensor.name] for tensor in own.outputs if tensor.name in called}}
    line = flag_line(own.flag, ((theirs, ours) for theirs, ours in said.items() if theirs != ours))
    worst = max(pair.error or 0.0 for pair in pairs)
    return f"by shapes and values ({worst:.1e} off) these are the names, to be added: {line}"


def _ways(own: OwnFile, inputs: Sequence[Tensor]) -> Iterator[dict[str, str]]:
    """Name in the file -> name in the model: each way that shapes and types allow, as many as are worth a run."""
    open_ = [tensor for tensor in own.inputs if own.names.get(tensor.name, tensor.name) not in {t.name for t in inputs}]
    used = {own.names.get(tensor.name, tensor.name) for tensor in own.inputs}
    free = [tensor for tensor in inputs if tensor.name not in used]
    fitting = (
        {theirs.name: ours.name for theirs, ours in zip(open_, order, strict=True)}
        for order in itertools.permutations(free, len(open_))
        if all(_fits(theirs, ours) for theirs, ours in zip(open_, order, strict=True))
    )
    return itertools.islice(fitting, _MOST_WAYS)


def _fits(theirs: Tensor, ours: Tensor) -> bool:
    if theirs.dtype != ours.dtype or len(theirs.shape) != len(ours.shape):
        return False
    return all(a is None or b is None or a == b for a, b in zip(theirs.shape[1:], ours.shape[1:], strict=True))


def _pairs(own: OwnFile, run: Run, fed: Mapping[str, str], pool: Arrays, truth: Arrays) -> list[Pair]:
    """The file's outputs by what they are, fed so; none where it does not run, or an output is near to nothing."""
    names = {**own.names, **fed}
    feed = {tensor.name: pool[names.get(tensor.name, tensor.name)] for tensor in own.inputs}
    try:
        outputs = run_pool(run, own.inputs, feed)
    except Exception:  # fed wrongly, it may raise what it likes
        return []
    pairs = pair_by_value(truth, outputs)
    return pairs if len(pairs) == len(truth) and all(pair.is_near for pair in pairs) else []
