from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.errors import UnavailableError
from bench.records import ProviderPart
from bench.runtimes.placement import CPU, Parts, PlacedNode, assigned_nodes, parts_of, placement

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
    return SimpleNamespace(ep_name=provider, get_nodes=lambda: [SimpleNamespace(op_type=operator, name="")])


def _never() -> Parts:
    raise AssertionError("no profile was needed")


def test_every_node_on_the_provider_is_a_share_of_one() -> None:
    session = FakeSession([CUDA, CPU], [(CUDA, "Conv"), (CUDA, "Relu")])
    share, [part], cautions = placement(session, CUDA, _never)
    assert (share, part.provider, part.nodes, cautions) == (1.0, CUDA, 2, ())


def test_nodes_elsewhere_are_a_part_of_their_own_with_their_operators() -> None:
    session = FakeSession([CUDA, CPU], [(CUDA, "Conv"), (CPU, "Unique"), (CPU, "Unique"), (CPU, "Sign")])
    share, (here, elsewhere), _ = placement(session, CUDA, _never)
    assert (share, here.operators) == (0.25, {"Conv": 1})
    assert (elsewhere.provider, elsewhere.nodes, elsewhere.operators) == (CPU, 3, {"Unique": 2, "Sign": 1})


def test_a_part_names_its_first_nodes_those_without_a_name_by_their_operator() -> None:
    placed = [PlacedNode(CPU, "Sign", "head"), PlacedNode(CPU, "Unique")] + [PlacedNode(CPU, "Add", "x")] * 9
    [part] = parts_of(placed)
    assert part.names == ("head", "Unique", "x", "x", "x")


def test_a_listed_provider_without_any_node_is_not_available() -> None:
    session = FakeSession([CUDA, CPU], [(CPU, "Conv"), (CPU, "Relu")])
    with pytest.raises(UnavailableError, match="took none of the graph's 2 nodes"):
        placement(session, CUDA, _never)


def test_a_graph_without_nodes_proves_nothing_for_an_accelerator() -> None:
    share, parts, [caution] = placement(FakeSession([CUDA, CPU], []), CUDA, _never)
    assert (share, parts, caution.code) == (None, (), "placement unknown")


def test_a_graph_without_nodes_is_fine_on_the_cpu() -> None:
    assert placement(FakeSession([CPU], []), CPU, _never) == (1.0, (), ())


def test_a_version_without_an_account_takes_the_share_from_a_profile_and_says_so() -> None:
    session = FakeSession([CUDA, CPU])
    assert assigned_nodes(session) is None
    ran = (ProviderPart(provider=CUDA, kernels=3, time_ns=9), ProviderPart(provider=CPU, kernels=1, time_ns=1))
    share, parts, [caution] = placement(session, CUDA, lambda: ran)
    assert (share, parts, caution.code) == (0.75, ran, "placement from profile")


def test_a_version_without_an_account_of_which_a_profile_shows_the_cpu_alone_is_not_available() -> None:
    with pytest.raises(UnavailableError, match="took none of the graph's 4 nodes"):
        placement(FakeSession([CUDA, CPU]), CUDA, lambda: (ProviderPart(provider=CPU, kernels=4, time_ns=9),))


def test_a_version_without_an_account_says_nothing_where_a_profile_follows() -> None:
    assert placement(FakeSession([CUDA, CPU]), CUDA, None) == (None, (), ())


def test_a_version_without_an_account_needs_no_profile_for_the_cpu_alone() -> None:
    assert placement(FakeSession([CPU]), CPU, _never) == (1.0, (), ())
