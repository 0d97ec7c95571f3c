"""LiteRT's profile told operator by operator: of a compiled model, seen to give what the timed interpreter gives.

The profile numbers the operators that LiteRT runs itself as the file does. XNNPACK's kernels have a kind and a place in
their part of the graph; they run in the order of the file, so the kinds tell which operator each one is.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Protocol

import numpy as np

from bench.errors import UnsupportedError
from bench.records import Profiled
from bench.runtimes.contract import Array, Feed
from bench.runtimes.litert_compiled import OperatorEvent
from bench.runtimes.litert_file import FileOperator
from bench.runtimes.operators import Ran, added_up, cut_off, timed_calls, warm_up

_US = 1000
_SAME = 1e-3  # of the largest number of an output
_XNNPACK, _OWN = "XNNPACK", "LiteRT kernels"
_KINDS = {  # XNNPACK's word -> the file's, where they differ in more than case and spaces
    "convolution": "CONV_2D DEPTHWISE_CONV_2D",
    "fullyconnected": "FULLY_CONNECTED CONV_2D",
    "deconvolution": "TRANSPOSE_CONV",
    "batchmatrixmultiply": "BATCH_MATMUL",
    "averagepooling": "AVERAGE_POOL_2D",
    "globalaveragepooling": "MEAN AVERAGE_POOL_2D",
    "maxpooling": "MAX_POOL_2D",
    "constantpad": "PAD PADV2",
    "staticreshape": "RESHAPE SQUEEZE EXPAND_DIMS",
    "copy": "CONCATENATION RESHAPE SPLIT SQUEEZE EXPAND_DIMS",
    "slice": "SLICE STRIDED_SLICE SPLIT",
    "convert": "QUANTIZE DEQUANTIZE CAST",
    "multiply": "MUL",
    "subtract": "SUB",
    "divide": "DIV",
    "sigmoid": "LOGISTIC",
    "clamp": "RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1",
    "negate": "NEG",
    "reciprocalsquareroot": "RSQRT",
    "squareroot": "SQRT",
    "exp": "EXP",
}
_PUT_IN = {"staticreshape", "copy", "transpose", "convert"}  # that XNNPACK has beyond the file's operators
_FUSED = {"PAD", "PADV2", "RELU", "RELU6", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "DEQUANTIZE", "QUANTIZE", "TRANSPOSE"}


class Profiler(Protocol):
    """The part of ``CompiledModel`` that is needed here."""

    def call(self, feed: Feed) -> dict[str, Array]:
        """One call; outputs by name."""
        ...

    def start(self) -> None:
        """Forget what was counted, and count."""
        ...

    def stop(self) -> list[OperatorEvent]:
        """The operators since the start, in the order in which they ran."""
        ...


def profiled_operators(
    model: Profiler, feeds: Sequence[Feed], calls: int, operators: Sequence[FileOperator], expected: dict[str, Array]
) -> Profiled:
    """Operators and wall times of ``calls`` calls, after some to warm up; ``expected``: outputs of the first feed.

    LiteRT runs one operator after another, so the operators of a call add up to less than the call. Times are whole
    microseconds, cut off. Raises UnsupportedError where the model gives other numbers, and where operators run others.
    """
    _require_same(model.call(feeds[0]), expected)
    warm_up(model.call, feeds)
    walls: list[int] = []
    ran: list[Ran] = []
    origins: dict[Hashable, tuple[str, ...]] = {}
    for call in range(calls):
        model.start()
        walls += timed_calls(model.call, feeds[call % len(feeds) :], 1)
        events = model.stop()
        if any(event.subgraph for event in events):
            raise UnsupportedError(
                "profiling LiteRT: a loop or branch runs operators whose times it does not keep apart"
            )
        for place, (event, operator) in enumerate(zip(events, matched(events, operators), strict=True)):
            names = names_of(operators[operator]) if operator is not None else ()
            origins[place] = names
            provider = _XNNPACK if event.is_delegated else _OWN
            ran.append(Ran(call, place, names[0] if names else event.kind, event.kind, provider, event.time_us * _US))
    return Profiled(
        parts=(),
        calls=calls,
        operators=added_up(ran, calls, origins),
        calls_ns=tuple(walls),
        rounding_ns=cut_off(ran),
    )


def matched(events: Sequence[OperatorEvent], operators: Sequence[FileOperator]) -> list[int | None]:
    """For each event the place of its operator in the file; None for what the runtime put in.

    None for all of the delegate's where their kinds do not follow those of the file: nothing is guessed.
    """
    own = {event.place for event in events if not event.is_delegated}
    left = [place for place in range(len(operators)) if place not in own]
    places: list[int | None] = []
    for event in events:
        if not event.is_delegated:
            places.append(event.place if event.place < len(operators) else None)
            continue
        ahead = next((i for i, place in enumerate(left) if operators[place].kind not in _FUSED), len(left))
        fits = [i for i, place in enumerate(left[: ahead + 1]) if _is_kind(event.kind, operators[place].kind)]
        if fits:
            places.append(left[fits[0]])
            left = left[fits[0] + 1 :]
        elif _word(event.kind) in _PUT_IN:
            places.append(None)
        else:
            return _own_places(events)
    return places if all(operators[place].kind in _FUSED for place in left) else _own_places(events)


def names_of(operator: FileOperator) -> tuple[str, ...]:
    """Of the tensors that it gives: of a fused one of all its parts, ``relu;add;convolution``, the last first.

    The converter may put a number to the whole, which makes it unique: it is a part of digits alone.
    """
    parts = [part for name in operator.outputs for part in name.split(";")]
    return tuple(dict.fromkeys(part for part in parts if part and not part.isdigit()))


def _own_places(events: Sequence[OperatorEvent]) -> list[int | None]:
    return [None if event.is_delegated else event.place for event in events]


def _is_kind(told: str, kind: str) -> bool:
    word = _word(told)
    return kind in _KINDS[word].split() if word in _KINDS else word == kind.replace("_", "").lower()


def _word(told: str) -> str:
    """``fullyconnected`` of ``Fully Connected (NC, F32) GEMM``."""
    return re.sub(r"[^a-z]", "", told.partition("(")[0].lower())


def _require_same(outputs: dict[str, Array], expected: dict[str, Array]) -> None:
    for name, array in expected.items():
        scale = np.max(np.abs(array), initial=0)
        if not np.allclose(outputs[name], array, rtol=0, atol=_SAME * scale, equal_nan=True):
            raise UnsupportedError(f"profiling LiteRT: its compiled model gives another {name!r} than its interpreter")
