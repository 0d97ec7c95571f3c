"""How a group is measured, as pure functions: batches of the pool, warm-up rule, rounds, orders, groups.

Numbers and their reasons are those of the project's measurements (docs/measuring.md).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from bench.records import Artifact, Case, MeasureSettings, RoundPlan, Tensor

WARMUP_MIN_CALLS = 5
WARMUP_MAX_CALLS = 50
WARMUP_MAX_NS = 10_000_000_000
WARMUP_GAIN = 0.02  # a new minimum counts when it is lower by more than this
TURN_CALLS = 3
TURN_MIN_NS = 1_000_000  # short calls: as many per turn as make a millisecond
STREAM_CALLS = 10  # of each of several callers: what is not whole at the end of a turn is then a small part of it
STREAM_TURN_MIN_NS = 10_000_000  # callers begin up to 0.1 ms apart
TURN_MAX_NS = 2_000_000_000  # a call longer than this is alone in its turn
MAX_TURN_CALLS = 200
MAX_ROUNDS = 20_000
MANY_ROUNDS = 100  # beyond this many, -r and -t lengthen the turns first, up to 0.1 s: a switch costs time too
LONG_TURN_NS = 100_000_000
EXTRA_ROUNDS = 20  # up to here rounds are added while they cost less than starting the workers did
MEMORY_SHARE = 0.6  # of the available memory that a group may be estimated to take

_MIB = 2**20
_RUNTIME_BYTES = {
    "tensorflow": 700 * _MIB,
    "openvino": 120 * _MIB,
    "litert": 60 * _MIB,
    "iree": 250 * _MIB,  # 50 itself, the rest is its compiler's, in a process beside it while it opens
}
_OTHER_RUNTIME_BYTES = 150 * _MIB
_ACTIVATION_FACTOR = 40  # bytes of activations alive per byte of input: MobileNet needs about 10


def batch_count(items: int, batch_size: int, batched: bool = True) -> int:
    """Distinct feeds made from a pool: enough to show every item, and at least two where the pool allows it."""
    if not batched:
        return items
    if batch_size < items:
        return math.ceil(items / batch_size)
    return min(2, items)


def batch_indices(items: int, batch_size: int, k: int) -> list[int]:
    """Pool items of feed ``k``, wrapping around; feeds of a batch at least as large as the pool differ by rotation."""
    start = k * batch_size if batch_size < items else k * max(1, items // 2)
    return [(start + j) % items for j in range(batch_size)]


def is_steady(latencies_ns: Sequence[int]) -> bool:
    """Warm-up is over: at least 5 calls, and the last 5 brought no minimum lower by more than 2 %."""
    if len(latencies_ns) < WARMUP_MIN_CALLS + 1:
        return False
    before = min(latencies_ns[:-WARMUP_MIN_CALLS])
    return min(latencies_ns[-WARMUP_MIN_CALLS:]) >= before * (1 - WARMUP_GAIN)


def plan_rounds(
    settings: MeasureSettings, fastest_ns: int, slowest_ns: int, startup_ns: int, streams: int = 1
) -> RoundPlan:
    """Rounds and timed calls per turn from the group's warm calls (its fastest and slowest case) and start-up time.

    ``-r`` and ``-t`` add rounds, and where those become many also calls per turn, until every case has its calls or its
    seconds. Fresh processes are the dear part: rounds are added, up to 20, while they cost less than starting did.
    With several ``streams`` a turn has so many calls for each of them.
    """
    calls = _turn_calls(fastest_ns, slowest_ns, streams)
    rounds = settings.min_rounds
    while rounds < EXTRA_ROUNDS and (rounds + 1) * (1 + calls) * (fastest_ns + slowest_ns) < startup_ns:
        rounds += 1
    asked = math.ceil(_asked_calls(settings, fastest_ns, streams) / settings.repetitions)
    while asked > MANY_ROUNDS * calls and 2 * calls <= MAX_TURN_CALLS and 2 * calls * slowest_ns <= LONG_TURN_NS:
        calls *= 2
    wanted = max(rounds, math.ceil(asked / calls))
    return RoundPlan(rounds=min(wanted, MAX_ROUNDS), calls=calls, bounded=wanted > MAX_ROUNDS)


def _turn_calls(fastest_ns: int, slowest_ns: int, streams: int) -> int:
    """Timed calls of each caller in one turn, before ``-r`` and ``-t``."""
    if slowest_ns > TURN_MAX_NS:
        return 1
    least, shortest = (STREAM_CALLS, STREAM_TURN_MIN_NS) if streams > 1 else (TURN_CALLS, TURN_MIN_NS)
    wanted = min(MAX_TURN_CALLS, max(least, shortest // max(1, fastest_ns)))
    return max(TURN_CALLS, min(wanted, TURN_MAX_NS // max(1, slowest_ns)))


def _asked_calls(settings: MeasureSettings, fastest_ns: int, streams: int) -> float:
    """Timed calls of each caller that ``-r`` and ``-t`` ask for over all repetitions."""
    by_seconds = (settings.min_seconds or 0.0) * 1e9 / max(1, fastest_ns)
    return max((settings.min_calls or 0) / streams, by_seconds)


def shuffled(case_ids: Sequence[str], *seed: int) -> list[str]:
    """A fair order that depends on ``seed`` alone."""
    order = list(case_ids)
    random.Random(repr(seed)).shuffle(order)
    return order


def fixed_inputs(
    tensors: Sequence[Tensor], batch_size: int, pool_shapes: Mapping[str, tuple[int, ...]]
) -> tuple[Tensor, ...]:
    """The tensors with every dimension fixed: the batch to ``batch_size``, the others to those of the pool's items.

    ``pool_shapes`` has a leading axis of items; its keys are the tensors' names.
    """
    fixed = []
    for tensor in tensors:
        item = pool_shapes[tensor.name][1:]
        shape = (batch_size, *item) if tensor.batched else item
        fixed.append(Tensor(name=tensor.name, shape=shape, dtype=tensor.dtype, batched=tensor.batched))
    return tuple(fixed)


def fixed_batch(artifact: Artifact) -> int | None:
    """The only batch size that the artifact takes, or None where the batch is free."""
    sizes = {t.shape[0] for t in artifact.inputs if t.batched and t.shape}
    numbers = [size for size in sizes if size is not None]
    return numbers[0] if numbers else None


def estimate_bytes(runtime: str, artifact: Artifact, pool_item_bytes: int, batch_size: int) -> int:
    """A generous guess of what one worker will hold."""
    base = _RUNTIME_BYTES.get(runtime, _OTHER_RUNTIME_BYTES)
    return base + 4 * artifact.size_bytes + batch_size * pool_item_bytes * _ACTIVATION_FACTOR


def split_by_memory(cases: Sequence[Case], needs: Mapping[str, int], available: int) -> list[list[Case]]:
    """Groups whose estimated memory stays below 60 % of what is available; a case too large goes alone."""
    groups: list[list[Case]] = []
    room = 0.0
    for case in cases:
        need = needs.get(case.case_id, 0)
        if not groups or need > room:
            groups.append([])
            room = available * MEMORY_SHARE
        groups[-1].append(case)
        room -= need
    return groups
