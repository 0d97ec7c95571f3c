"""The table of a run of the contract suite: runtime by test, passed or skipped with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TEST = re.compile(r"test_contract\.py::test_(?P<test>\w+)\[(?P<bed>.+)\]$")
_ABSENT = "what_cannot_be_here_is_not_called_usable"
_MARKS = {"passed": ".", "failed": "F"}


class ContractTable:
    """Outcomes of the suite's tests as pytest reports them."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], tuple[str, str]] = {}  # (test, runtime) -> outcome, reason

    def add(self, report: Any) -> None:
        """One report of pytest's: of a test's call, or of a setup that kept it from being called."""
        found = _TEST.search(report.nodeid)
        if found is None or (report.when == "teardown" or (report.when == "setup" and report.passed)):
            return
        self.outcomes[found["test"], found["bed"]] = (report.outcome, _reason(report) if report.skipped else "")

    def lines(self) -> Iterator[str]:
        """The table; nothing where the suite did not run."""
        ran = [key for key in self.outcomes if key[0] != _ABSENT]
        beds, tests = list(dict.fromkeys(bed for _, bed in ran)), list(dict.fromkeys(test for test, _ in ran))
        letters = {bed: chr(ord("A") + i) for i, bed in enumerate(beds)}
        yield from (f"{letters[bed]}  {bed:32} {self._counts(bed)}" for bed in beds)
        reasons: dict[str, int] = {}
        if beds:
            yield f"\n{'test':72} {' '.join(f'{letter:>2}' for letter in letters.values())}"
        for test in tests:
            marks = (self._mark(test, bed, reasons) for bed in beds)
            yield f"{test.replace('_', ' '):72} {' '.join(f'{mark:>2}' for mark in marks)}"
        yield from (f"{number:2}  {reason}" for reason, number in reasons.items())
        absent = [bed for test, bed in self.outcomes if test == _ABSENT]
        yield from (f"not run: {self.outcomes[_ABSENT, bed][1]}" for bed in absent)

    def _counts(self, bed: str) -> str:
        outcomes = [outcome for (_, other), (outcome, _) in self.outcomes.items() if other == bed]
        return ", ".join(
            f"{outcomes.count(word)} {word}" for word in ("passed", "skipped", "failed") if word in outcomes
        )

    def _mark(self, test: str, bed: str, reasons: dict[str, int]) -> str:
        outcome, reason = self.outcomes.get((test, bed), ("", ""))
        if outcome == "skipped":
            return str(reasons.setdefault(reason, len(reasons) + 1))
        return _MARKS.get(outcome, " ")


def _reason(report: Any) -> str:
    """What pytest was told, in one line."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return " ".join(text.removeprefix("Skipped: ").split())
