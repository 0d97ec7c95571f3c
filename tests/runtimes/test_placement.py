from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from bench.errors import UnavailableError
from bench.runtimes.placement import CPU, Placed, assigned_nodes, executed_kernels, judge, placement

CUDA = "CUDAExecutionProvider"


class FakeSession:
    """A session that lists ``providers`` and, where ``placed`` is given, accounts for its nodes."""

    def __init__(self, providers: list[str], placed: list[tuple[str, str]] | None = None) -> None:
        self.providers = providers
        if placed is not None:
            self.get_provider_graph_assignment_info = lambda: [_part(where, operator) for where, operator in placed]

    def get_providers(self) -> list[str]:
        return self.providers


def _part(provider: str, operator: str) -> Any:
    return SimpleNamespace(ep_name=provider, get_nodes=lambda: [SimpleNamespace(op_type=operator)])


def _never() -> Placed:
    raise AssertionError("no profile was needed")


def test_every_node_on_the_provider_is_ok() -> None:
    session = FakeSession([CUDA, CPU], [(CUDA, "Conv"), (CUDA, "Relu")])
    assert placement(session, CUDA, _never) == (1.0, "ok", ())


def test_some_nodes_elsewhere_is_partial_and_names_them() -> None:
    session = FakeSession([CUDA, CPU], [(CUDA, "Conv"), (CPU, "Unique"), (CPU, "Unique"), (CPU, "Sign")])
    share, status, [caution] = placement(session, CUDA, _never)
    assert (share, status) == (0.25, "partial")
    assert caution.text == "1 of 4 nodes on CUDAExecutionProvider; elsewhere: Unique x2, Sign"


def test_a_listed_provider_without_any_node_is_not_available() -> None:
    session = FakeSession([CUDA, CPU], [(CPU, "Conv"), (CPU, "Relu")])
    with pytest.raises(UnavailableError, match="took none of the graph's 2 nodes"):
        placement(session, CUDA, _never)


def test_a_graph_without_nodes_proves_nothing_for_an_accelerator() -> None:
    share, status, [caution] = placement(FakeSession([CUDA, CPU], []), CUDA, _never)
    assert (share, status, caution.code) == (None, "ok", "placement unknown")


def test_a_graph_without_nodes_is_fine_on_the_cpu() -> None:
    assert placement(FakeSession([CPU], []), CPU, _never) == (1.0, "ok", ())


def test_a_version_without_an_account_takes_the_share_from_a_profile_and_says_so() -> None:
    session = FakeSession([CUDA, CPU])
    assert assigned_nodes(session) is None
    share, status, cautions = placement(session, CUDA, lambda: Counter({(CUDA, "Conv"): 3, (CPU, "Sign"): 1}))
    assert (share, status) == (0.75, "partial")
    assert [caution.code for caution in cautions] == ["partial", "placement from profile"]


def test_a_version_without_an_account_needs_no_profile_for_the_cpu_alone() -> None:
    assert placement(FakeSession([CPU]), CPU, _never) == (1.0, "ok", ())


def test_a_profile_counts_kernels_not_other_events() -> None:
    events: list[dict[str, Any]] = [
        {"cat": "Session", "name": "model_run", "args": {}},
        {"cat": "Node", "name": "a_fence_before", "args": {"op_name": "Conv"}},
        {"cat": "Node", "name": "a_kernel_time", "args": {"op_name": "Conv", "provider": CPU}},
        {"cat": "Node", "name": "b_kernel_time", "args": {"op_name": "Conv", "provider": CPU}},
    ]
    assert executed_kernels(events) == Counter({(CPU, "Conv"): 2})


def test_the_share_is_of_nodes_not_of_operators() -> None:
    share, _, _ = judge(Counter({(CUDA, "Conv"): 9, (CPU, "Sign"): 1}), CUDA)
    assert share == 0.9
