from __future__ import annotations

import numpy as np
import pytest

from bench.errors import UnsupportedError
from bench.runtimes.contract import Array, Feed
from bench.runtimes.litert_compiled import OperatorEvent
from bench.runtimes.litert_file import FileOperator
from bench.runtimes.litert_operators import matched, names_of, profiled_operators

FILE = [
    FileOperator("PAD", ("pad",)),
    FileOperator("CONV_2D", ("net/relu/Relu;net/conv/convolution;1",)),
    FileOperator("SHAPE", ("shape",)),
    FileOperator("FULLY_CONNECTED", ("dense",)),
    FileOperator("SOFTMAX", ("out",)),
]


def _own(kind: str, place: int, time_us: int = 1, subgraph: int = 0) -> OperatorEvent:
    return OperatorEvent(kind, place, is_delegated=False, subgraph=subgraph, time_us=time_us)


def _delegated(kind: str, place: int = 0, time_us: int = 1) -> OperatorEvent:
    return OperatorEvent(kind, place, is_delegated=True, subgraph=0, time_us=time_us)


EVENTS = [
    _delegated("Convolution (NHWC, F32) IGEMM", 0, 7),
    _own("SHAPE", 2, 2),
    _delegated("Static Reshape (NC)", 0),
    _delegated("Fully Connected (NC, F32) GEMM", 1, 3),
    _delegated("Softmax (NC, F32)", 2),
]


def test_kernels_of_a_delegate_follow_the_file_and_what_it_put_in_is_of_no_operator() -> None:
    assert matched(EVENTS, FILE) == [1, 2, None, 3, 4]


def test_kinds_that_do_not_follow_the_file_are_not_guessed() -> None:
    assert matched([_delegated("Sigmoid (NC)"), *EVENTS[1:]], FILE) == [None, 2, None, None, None]
    assert matched(EVENTS[:-1], FILE) == [None, 2, None, None]  # nothing did the softmax


def test_a_fused_operator_has_the_names_of_its_parts() -> None:
    assert names_of(FILE[1]) == ("net/relu/Relu", "net/conv/convolution")


class Scripted:
    """A model that gives one number and these events."""

    def __init__(self, events: list[OperatorEvent], gives: float = 1.0) -> None:
        self.events, self.gives = events, gives

    def call(self, feed: Feed) -> dict[str, Array]:
        return {"out": np.array([self.gives, 2.0])}

    def start(self) -> None:
        pass

    def stop(self) -> list[OperatorEvent]:
        return self.events


EXPECTED: dict[str, Array] = {"out": np.array([1.0, 2.0])}


def test_every_operator_has_its_time_in_every_call_and_who_ran_it() -> None:
    profiled = profiled_operators(Scripted(EVENTS), [{}], 2, FILE, EXPECTED)
    told = {one.name: (one.provider, one.time_ns, one.origins[:1]) for one in profiled.operators}
    assert told["net/relu/Relu"] == ("XNNPACK", (7000, 7000), ("net/relu/Relu",))
    assert told["shape"] == ("LiteRT kernels", (2000, 2000), ("shape",))
    assert told["Static Reshape (NC)"] == ("XNNPACK", (1000, 1000), ())
    assert len(profiled.calls_ns) == 2
    assert profiled.rounding_ns == 1000 * len(EVENTS)


def test_a_model_that_gives_other_numbers_than_the_timed_one_is_not_profiled() -> None:
    with pytest.raises(UnsupportedError, match="gives another 'out' than its interpreter"):
        profiled_operators(Scripted(EVENTS, gives=1.1), [{}], 1, FILE, EXPECTED)


def test_operators_that_run_others_are_not_told_apart() -> None:
    with pytest.raises(UnsupportedError, match="a loop or branch"):
        profiled_operators(Scripted([_own("ADD", 0, subgraph=1)]), [{}], 1, FILE, EXPECTED)
