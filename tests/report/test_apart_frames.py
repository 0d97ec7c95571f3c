from __future__ import annotations

import pandas as pd

from analysis_fakes import measured, opened, together
from bench.records import Placement, ProviderPart, SoakSample
from bench.report.apart_frames import operators_text, placement_frame, soak_frame

CPU, WEBGPU = "CPUExecutionProvider", "WebGpuExecutionProvider"
ROUNDS = [[10]]
GRAPH = (
    ProviderPart(provider=WEBGPU, nodes=3, operators={"Relu": 1, "Conv": 2}, names=("a", "b", "c")),
    ProviderPart(provider=CPU, nodes=1, operators={"Unique": 1}, names=("head",)),
)
KERNELS = Placement(
    parts=(
        ProviderPart(provider=WEBGPU, kernels=2, time_ns=90, operators={"Conv": 2}, names=("a", "b")),
        ProviderPart(provider=CPU, kernels=1, time_ns=10, operators={"Unique": 1}, reason="no kernel for Unique"),
    ),
    calls=3,
)


def _plain(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    return [[None if value is pd.NA else value for value in row] for row in frame[list(columns)].to_numpy().tolist()]


def test_both_accounts_of_a_case_are_rows_with_their_own_denominators() -> None:
    info = opened(provider=WEBGPU, node_share=0.75, placement=GRAPH)
    first = together(0, measured("c", 0, ROUNDS, opened=info, placement=KERNELS))
    frame = placement_frame([first, together(1, measured("c", 1, ROUNDS, opened=info))])
    assert _plain(frame, "account", "provider", "nodes", "share", "time_ns", "calls") == [
        ["graph", WEBGPU, 3, 0.75, None, None],
        ["graph", CPU, 1, 0.25, None, None],
        ["kernels", WEBGPU, 2, 0.9, 90, 3],
        ["kernels", CPU, 1, 0.1, 10, 3],
    ]
    assert frame["operators"].tolist() == ["Conv x2, Relu x1", "Unique x1", "Conv x2", "Unique x1"]
    assert frame["names"].tolist() == ["a, b, c", "head", "a, b", ""]
    assert _plain(frame, "reason") == [[None], ["no kernel for Unique"], [None], ["no kernel for Unique"]]


def test_a_case_that_tells_nothing_has_no_row() -> None:
    failed = measured("c", 0, ROUNDS, placement=Placement(reason="it died"))
    assert len(placement_frame([together(0, failed)])) == 0
    assert len(soak_frame([together(0, failed)])) == 0


def test_a_soak_is_one_row_a_look() -> None:
    looks = [SoakSample(elapsed_ns=n, calls=n, rss_bytes=9, private_bytes=None) for n in (0, 5)]
    frame = soak_frame([together(4, measured("c", 4, ROUNDS, soak=looks))])
    assert _plain(frame, "case_id", "elapsed_ns", "calls", "rss_bytes", "private_bytes") == [
        ["c", 0, 0, 9, None],
        ["c", 5, 5, 9, None],
    ]


def test_operators_are_told_the_most_frequent_first() -> None:
    assert operators_text({"Relu": 1, "Conv": 27}) == "Conv x27, Relu x1"
    assert operators_text({}) == ""
