import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: it must not hide an installed bench

from benchmarks import peers_table as table
from benchmarks.peer_rules import RULES
from benchmarks.peer_trials import Count
from benchmarks.trace_file import FOLDER, PairTrace, Solo, Trace, load_trace

FACTS = {"model": "net", "runtime": "fake", "runtime_version": "1.2", "threads": 1}
COUNT = re.compile(r"^(\d+)/(\d+) = ")


def solos(series: str, values: tuple[float, ...], at_s: float, stretch: int, load: str = "quiet") -> list[Solo]:
    return [Solo(series, load, stretch, at_s + i, 0.5, 1.0, np.full(60, v * 1e5)) for i, v in enumerate(values)]


def pairs(series: str, change: float, count: int) -> list[PairTrace]:
    base = np.full((10, 4), 10_000_000)
    return [
        PairTrace(series, "quiet", 0, 2.0 * i, 2.0, base, base * (1 + change), np.zeros(10, bool)) for i in range(count)
    ]


def tiny() -> Trace:
    """Two quiet stretches: the second's base is 7 % slower though nothing differs."""
    first = [*solos("base", (100, 100), 0, 0), *solos("+5 %", (106, 104), 2, 0)]
    second = [*solos("base", (107, 107), 100, 1), *solos("+5 %", (113, 111), 102, 1)]
    both = [*pairs("base", 0.0, 5), *pairs("+5 %", 0.06, 8)]
    return Trace(FACTS, (*first, *second), tuple(both))


def cells(trace: Trace, rule: str, design: str) -> dict[str, str]:
    row = next(row for row in table.table(trace) if row[:2] == [rule, design])
    return dict(zip(table.HEADER, row, strict=True))


def test_the_table_counts_alarms_of_each_rule_in_each_design() -> None:
    stored = cells(tiny(), "pytest-benchmark mean:5%", "stored")
    assert stored["A/A quiet"] == "2/2 = 100.0 [15.8, 100.0]"
    assert stored["A/A burst"] == "-"
    assert stored["+5 % quiet"] == "2/2 = 100.0 [15.8, 100.0]"
    same_job = cells(tiny(), "pytest-benchmark mean:5%", "same job")
    assert same_job["A/A quiet"] == "0/2 = 0.0 [0.0, 84.2]"
    assert same_job["+5 % quiet"] == "2/4 = 50.0 [6.8, 93.2]"


def test_the_gate_has_its_row_with_the_time_of_its_pairs() -> None:
    gate = cells(tiny(), "**bench gate**, delta 5 %", "interleaved pairs")
    assert gate["A/A quiet"] == "0/1 = 0.0 [0.0, 97.5]"
    assert gate["+5 % quiet"] == "1/1 = 100.0 [2.5, 100.0]"
    assert gate["seconds"] == "10.0"
    note = table.notes(tiny())[-1]
    assert "A/A quiet 0 / 1 / 0, 5.0 pairs" in note
    assert "+5 % quiet 1 / 0 / 0, 8.0 pairs" in note


def test_rules_over_single_pairs_have_rows_too() -> None:
    one = cells(tiny(), "mean:5%", "interleaved, one pair")
    assert (one["A/A quiet"], one["+5 % quiet"], one["seconds"]) == (
        "0/5 = 0.0 [0.0, 52.2]",
        "8/8 = 100.0 [63.1, 100.0]",
        "2.0",
    )


def test_seconds_are_starts_and_what_the_tool_times_by_default() -> None:
    by_name = {rule.name: table.rule_seconds(rule, tiny()) for rule in RULES}
    assert by_name["pytest-benchmark min:5%"] == pytest.approx(2 * (0.5 + 1.0))
    assert by_name["Criterion, p < 0.05 and above 1 %"] == pytest.approx(2 * (0.5 + 8.0))
    assert by_name["asv 1.1, p < 0.002"] == pytest.approx(4 * (0.5 + 0.1 + 5 * 0.01035))
    assert by_name["Bencher t_test 0.99, 20 runs"] == pytest.approx(0.5 + 1.0)
    assert table.rule_seconds(RULES[0], Trace(FACTS)) is None


def test_the_second_table_has_shares_without_intervals() -> None:
    rows = table.combinations_table(tiny())
    row = next(row for row in rows if row[:2] == ["pytest-benchmark mean:5%", "stored"])
    assert row[2] == "100.0 % of 4"
    gate = dict(zip(table.HEADER, rows[-1], strict=True))
    assert (gate["A/A quiet"], gate["+5 % quiet"]) == ("0.0 % of 4000", "100.0 % of 4000")


def test_the_report_has_title_tables_and_notes_and_is_the_same_every_time() -> None:
    text = table.report(tiny())
    assert text.startswith("## net on fake 1.2, 1 thread (unknown CPU, ? CPUs)\n")
    assert "by the medians of the quiet processes +5 % is +4.8 %, +5 % nodes is not recorded" in text
    assert "- pytest-benchmark mean:5%; pytest-benchmark median:5%; pytest-benchmark min:5%: sees" in text
    assert text == table.report(tiny())
    assert text.count("| rule | design |") == 2
    assert table.report(tiny(), combinations=False).count("| rule | design |") == 1


def test_a_trace_with_nothing_in_it_has_dashes_and_no_error() -> None:
    assert {cell for row in table.table(Trace(FACTS)) for cell in row[2:]} == {"-"}
    assert table.notes(Trace(FACTS))[-1].endswith("too few pairs.")


def test_a_cell_is_the_count_its_share_and_the_exact_interval() -> None:
    assert table.with_interval(Count(3, 32)) == "3/32 = 9.4 [2.0, 25.0]"
    assert table.with_interval(Count(0, 0)) == "-"
    assert table.as_share(Count(1, 3)) == "33.3 % of 3"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.npz")), ids=lambda path: path.stem)
def test_the_committed_traces_give_a_table_whose_counts_lie_within_their_trials(path: Path) -> None:
    rows = table.table(load_trace(path))
    found = [COUNT.match(cell) for row in rows for cell in row[2:-1] if cell != "-"]
    assert len(found) > len(rows)
    for match in found:
        assert match is not None
        assert 0 <= int(match[1]) <= int(match[2])
