"""The contract suite's table, from made-up reports."""

from __future__ import annotations

from dataclasses import dataclass

from contract_table import ContractTable


@dataclass
class Report:
    nodeid: str
    outcome: str
    when: str = "call"
    longrepr: object = None

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def skipped(self) -> bool:
        return self.outcome == "skipped"


def lines_of(*reports: Report) -> list[str]:
    table = ContractTable()
    for report in reports:
        table.add(report)
    return list(table.lines())


def report(test: str, bed: str, outcome: str, **more: object) -> Report:
    return Report(f"tests/runtimes/test_contract.py::test_{test}[{bed}]", outcome, **more)  # type: ignore[arg-type]


def test_every_test_of_every_runtime_is_passed_failed_or_skipped_with_its_reason() -> None:
    lines = lines_of(
        report("outputs_are_right", "a", "passed", when="setup"),
        report("outputs_are_right", "a", "passed"),
        report("outputs_are_right", "b", "failed"),
        report("closing", "a", "passed"),
        report("closing", "b", "skipped", when="setup", longrepr=("file", 1, "Skipped: b: no\n device")),
        report(
            "what_cannot_be_here_is_not_called_usable", "c", "skipped", longrepr=("", 1, "Skipped: c: not on Linux")
        ),
    )
    assert lines[0].split() == ["A", "a", "2", "passed"]
    assert lines[1].split() == ["B", "b", "1", "skipped,", "1", "failed"]
    assert lines[3].split() == ["outputs", "are", "right", ".", "F"]
    assert lines[4].split() == ["closing", ".", "1"]
    assert lines[5:] == [" 1  b: no device", "not run: c: not on Linux"]


def test_other_tests_are_not_in_it() -> None:
    assert lines_of(Report("tests/test_units.py::test_a[b]", "passed")) == []
