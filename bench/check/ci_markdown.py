"""Gates -> Markdown for a job's summary and for a pull request's comment: the verdict first, details folded. Pure.

Tables are GitHub's. A comment starts with a hidden line, by which a bot finds the one that it wrote before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bench import units
from bench.check import render_gate
from bench.check.ci_gates import (
    STRONGEST_FIRST,
    FoundGate,
    faults,
    judged_of,
    tally,
    verdict_of,
)
from bench.check.ci_wording import budget, changed, detectable, value
from bench.check.records import GateResult, Judged
from bench.report.exchange_summary import SUMMARY_LIMIT
from bench.report.text import markdown, visible

COMMENT_LIMIT = 65_536  # bytes; GitHub counts characters, of which there are no more
_LONGEST_CELL = 300  # characters, so that no name makes a table unreadable
_HEADER = ("case", "metric", "verdict", "change", "budget", "baseline", "head", "pairs", "detectable")
_NUMBERS = 6  # columns from the fourth on stand to the right

Told = tuple[FoundGate, Judged]


def marker(title: str) -> str:
    """The hidden first line of a comment; comments of other titles have another."""
    return f"<!-- onnx-crossbench gate {re.sub('[^A-Za-z0-9._-]', '-', title)} -->"


def comment_markdown(gates: Sequence[FoundGate], title: str = "gate", limit: int = COMMENT_LIMIT) -> str:
    """At most ``limit`` bytes of UTF-8; the strongest verdicts are those that stay."""
    first = f"{marker(title)}\n"
    return first + summary_markdown(gates, title, limit - len(first))


def summary_markdown(gates: Sequence[FoundGate], title: str = "gate", limit: int = SUMMARY_LIMIT) -> str:
    """The same without the hidden line."""
    told = _strongest_first(gates)
    most = len(told)
    text = _written(gates, title, told, most, folded=True)
    if len(text.encode()) <= limit:
        return text
    low = 0  # the most verdicts that fit, by bisection: a text of fewer is never longer
    while low < most:
        middle = (low + most + 1) // 2
        fits = len(_written(gates, title, told, middle, folded=False).encode()) <= limit
        low, most = (middle, most) if fits else (low, middle - 1)
    text = _written(gates, title, told, low, folded=False)
    return text if len(text.encode()) <= limit else _head(gates, title) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """A table of GitHub's Markdown; cells are plain text and escaped here; the last ``numbers`` stand to the right."""
    rule = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    lines = [list(header), rule, *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _written(gates: Sequence[FoundGate], title: str, told: Sequence[Told], shown: int, *, folded: bool) -> str:
    kept = told[:shown]
    parts = [_head(gates, title)]
    if kept:
        parts.append(table(_HEADER, [_row(judged) for _gate, judged in kept], _NUMBERS))
    if len(told) > shown:
        parts.append(f"{len(told) - shown} more verdicts, none of them stronger, are in the gate's own files.")
    parts += _said("Why", [_why(judged) for _gate, judged in kept if judged.answer != "PASS"])
    parts += _said("About the baseline", [markdown(_cut(note)) for note in _notes(gates)][: max(shown, 5)])
    if folded:
        parts += [_details(gate.folder, gate.result) for gate in gates if gate.result]
    return "\n\n".join(parts) + "\n"


def _head(gates: Sequence[FoundGate], title: str) -> str:
    lines = [f"## {markdown(_cut(title))}: {verdict_of(gates)}", tally(gates) + "."]
    broken = [f"- **{word}** {markdown(_cut(f'{gate.folder}: {why}'))}" for gate in gates for word, why in faults(gate)]
    if not gates:
        broken = ["- **NOT MEASURED** no gate was given"]
    more = [f"- and {len(broken) - 20} more like these"] if len(broken) > 20 else []
    return "\n\n".join([*lines, *(["\n".join([*broken[:20], *more])] if broken else [])])


def _row(judged: Judged) -> list[str]:
    sides = (judged.baseline_value, judged.head_value)
    return [
        judged.case,
        judged.metric,
        judged.answer,
        changed(judged) or units.UNKNOWN,
        budget(judged),
        *(value(judged, side) for side in sides),
        str(judged.pairs),
        detectable(judged),
    ]


def _why(judged: Judged) -> str:
    notes = "".join(f"\n  - {markdown(_cut(note))}" for note in judged.notes)
    return f"**{judged.answer}** {markdown(_cut(judged.case))}, {judged.metric}: {markdown(_cut(judged.reason))}{notes}"


def _details(folder: str, result: GateResult) -> str:
    """Everything that the gate itself prints."""
    body = render_gate.text(result).rstrip()
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    title = f"{_cut(visible(folder))}: evidence, noise and the rule"
    return f"<details><summary>{_html(title)}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>"


def _notes(gates: Sequence[FoundGate]) -> Iterator[str]:
    for gate in gates:
        if gate.result:
            yield from gate.result.notes
            for name in gate.result.new_cases:
                yield f"{name} is in head alone: it is gated once the baseline has it"


def _strongest_first(gates: Sequence[FoundGate]) -> list[Told]:
    told = [(gate, judged) for gate in gates for judged in judged_of(gate)]
    return sorted(told, key=lambda one: STRONGEST_FIRST.index(one[1].answer))


def _said(title: str, lines: Sequence[str]) -> list[str]:
    return [f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines)] if lines else []


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 3] + "..."


def _cell(text: str) -> str:
    return markdown(_cut(text)).strip() or " "


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
