"""The search names the step where values first leave their budget, in any graph, within its number of runs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.bisection import (
    Answer,
    Chain,
    Link,
    Search,
    can_be_judged,
    hidden_before,
    make_chain,
    most_runs,
    search,
)


def line(n: int) -> list[Link]:
    return [Link(tensor=f"t{i}", before=(i - 1,) if i else (), is_output=i == n - 1) for i in range(n)]


class FakeRuntime:
    """Says which prefixes are bad, by the tensors that a fault makes wrong."""

    def __init__(self, chain: Chain, wrong: set[str], *, refused: frozenset[int] = frozenset()) -> None:
        self.chain, self.wrong, self.refused = chain, wrong, refused
        self.asked: list[int] = []

    def __call__(self, length: int) -> Answer:
        assert length not in self.asked, "a prefix was run twice"
        self.asked.append(length)
        if length in self.refused:
            return Answer(bad=False, reason="no kernel for this")
        bad = any(self.chain.tensors[place] in self.wrong for place in self.chain.frontier(length))
        return Answer(bad=bad, worst=5.0 if bad else 0.01)


def find(links: list[Link], wrong: set[str], **how: frozenset[int]) -> tuple[Search, FakeRuntime]:
    chain = make_chain(links)
    runtime = FakeRuntime(chain, wrong, **how)
    n = len(chain.steps)
    return search(n, runtime, most=most_runs(n) - 1, spent=1), runtime


def spoiled(links: list[Link], faulty: int) -> set[str]:
    """Tensors that a fault in one step makes wrong."""
    dirty = {faulty}
    for place, one in enumerate(links):
        if dirty & set(one.before):
            dirty.add(place)
    return {str(links[place].tensor) for place in dirty}


@pytest.mark.parametrize(("n", "runs"), [(1, 2), (2, 3), (3, 4), (5, 5), (16, 6), (50, 8), (150, 10)])
def test_a_chain_takes_the_whole_its_end_and_a_halving(n: int, runs: int) -> None:
    most = 0
    for faulty in range(n):
        found, _ = find(line(n), spoiled(line(n), faulty))
        assert (found.verdict, found.good, found.bad) == ("found", faulty, faulty + 1)
        most = max(most, found.runs)
    assert most == runs
    assert most + (n > 1) <= most_runs(n) <= 2 * math.log2(n) + 2  # the part alone is run once more, but for one step


def residual() -> list[Link]:
    return [
        Link(tensor="stem"),
        Link(tensor="conv1", before=(0,)),
        Link(tensor="conv2", before=(1,)),
        Link(tensor="add", before=(0, 2)),
        Link(tensor="head", before=(3,), is_output=True),
    ]


def test_a_frontier_has_all_that_later_steps_read_and_no_more() -> None:
    chain = make_chain(residual())
    names = [[chain.tensors[place] for place in chain.frontier(length)] for length in range(6)]
    assert names == [[], ["stem"], ["stem", "conv1"], ["stem", "conv2"], ["add"], ["head"]]


def test_an_early_output_stays_in_every_frontier_after_it() -> None:
    last = Link(tensor="c", before=(1,), is_output=True)
    chain = make_chain([Link(tensor="a", is_output=True), Link(tensor="b", before=(0,)), last])
    assert [chain.frontier(length) for length in (1, 2, 3)] == [(0,), (0, 1), (0, 2)]


@pytest.mark.parametrize("faulty", range(5))
def test_a_fault_on_either_way_of_a_branch_is_found(faulty: int) -> None:
    found, _ = find(residual(), spoiled(residual(), faulty))
    assert found.bad == faulty + 1


def test_a_step_without_a_tensor_is_part_of_the_next_that_has_one() -> None:
    links = [
        Link(tensor="a"),
        Link(tensor=None, before=(0,)),
        Link(tensor="c", before=(1,)),
        Link(tensor=None, before=(2,)),
        Link(tensor=None, before=(3,), is_output=True),
    ]
    chain = make_chain(links)
    assert (chain.steps, chain.within, chain.last_read) == ((0, 2), ((), (1,)), (1, 2))
    assert hidden_before(links, {4}) == (3, 4)
    assert hidden_before(residual(), {4}) == ()


def test_a_step_that_hands_its_input_on_is_no_step_of_its_own() -> None:
    links = [Link(tensor="a"), Link(tensor="a", before=(0,)), Link(tensor="b", before=(1,), is_output=True)]
    chain = make_chain(links)
    assert (chain.steps, chain.frontier(1)) == ((0, 2), (0,))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Link], int]:
    n = draw(st.integers(1, 40))
    links = []
    for i in range(n):
        before = tuple(sorted(draw(st.sets(st.integers(0, i - 1), max_size=3)))) if i else ()
        has_tensor = draw(st.integers(0, 4)) > 0
        is_output = i == n - 1 or draw(st.integers(0, 9)) == 0
        links.append(Link(tensor=f"t{i}" if has_tensor else None, before=before, is_output=is_output))
    return links, draw(st.integers(0, n - 1))


@given(graphs())
def test_the_first_wrong_tensor_that_matters_is_found_in_any_graph(drawn: tuple[list[Link], int]) -> None:
    links, faulty = drawn
    chain, wrong = make_chain(links), spoiled(links, faulty)
    n = len(chain.steps)
    seen = [place for place in chain.frontier(n) if chain.tensors[place] in wrong]
    if not seen:
        return
    found, runtime = find(links, wrong)
    assert found.verdict == "found"
    assert found.runs == 1 + len(runtime.asked) <= most_runs(n) - (n > 1)
    assert found.bad == found.good + 1
    assert found.bad - 1 == min(place for place, tensor in enumerate(chain.tensors) if tensor in wrong)


def test_a_branch_that_no_output_needs_is_left_out() -> None:
    links = [Link(tensor="a"), Link(tensor="b", before=(0,)), Link(tensor="c", before=(0,), is_output=True)]
    chain = make_chain(links)
    assert (chain.tensors, chain.frontier(1)) == (("a", "c"), (0,))


@given(st.integers(1, 60), st.data())
def test_a_prefix_that_can_not_be_run_is_stepped_over(n: int, data: st.DataObject) -> None:
    faulty = data.draw(st.integers(0, n - 1))
    refused = frozenset(data.draw(st.sets(st.integers(1, max(1, n - 1)), max_size=3))) - {n}
    found, runtime = find(line(n), spoiled(line(n), faulty), refused=refused)
    assert found.runs <= max(most_runs(n) - 1, 2)
    assert found.good <= faulty < found.bad
    assert found.failed == dict.fromkeys(sorted(refused & set(runtime.asked)), "no kernel for this")
    if not found.failed:
        assert found.bad == found.good + 1


def test_a_whole_that_is_wrong_where_no_prefix_is_says_so() -> None:
    found, runtime = find(line(16), set())
    assert (found.verdict, found.runs, runtime.asked) == ("only as a whole", 2, [16])


def scripted(worst: dict[int, float], known: frozenset[int] = frozenset()) -> Callable[[int], Answer]:
    return lambda k: Answer(bad=worst[k] > 1, worst=worst[k], runs=0 if k in known else 1)


def test_an_error_that_was_near_its_budget_before_is_looked_for_further_up() -> None:
    """Out of budget at 3, within it from 5 to 12, out again: the fault is in step 3."""
    worst = {k: 0.01 if k < 3 else 2.0 if k < 5 else 0.9 if k < 13 else 3.0 for k in range(1, 17)}
    found = search(16, scripted(worst), most=most_runs(16), spent=1)
    assert (found.good, found.bad, found.creeping) == (2, 3, True)
    assert found.runs <= most_runs(16)
    clean = {k: 0.01 if k < 13 else 3.0 for k in range(1, 17)}
    assert not search(16, scripted(clean), most=most_runs(16), spent=1).creeping


def test_what_is_known_already_costs_no_run() -> None:
    worst = {k: 0.0 if k < 3 else 2.0 for k in range(1, 5)}
    assert search(4, scripted(worst, frozenset([4])), most=6, spent=1).runs == 3


@pytest.mark.parametrize("length", range(1, 8))
def test_runs_are_bounded_whatever_is_answered(length: int) -> None:
    def answer(k: int) -> Answer:
        return Answer(bad=k == length, worst=0.9, reason="refused" if k % 3 == 0 else "")

    n = 200
    assert search(n, answer, most=most_runs(n), spent=1).runs <= most_runs(n)


def test_a_tensor_whose_check_could_not_fail_is_not_judged() -> None:
    assert can_be_judged(1.0, 1e-6)
    assert can_be_judged(1.0, None)
    assert not can_be_judged(0.0, 1e-6)
    assert not can_be_judged(None, 1e-6)
    assert not can_be_judged(1.0, 0.02)
    assert not can_be_judged(1.0, math.nan)
