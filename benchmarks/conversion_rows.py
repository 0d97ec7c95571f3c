"""What became of each model -> a row with a word and a reason, and the table. Pure: runs nothing, reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from bench.records import Failure, Record
from bench.units import error as in_short

Word = Literal["agrees", "exported, disagrees", "wrong, refused", "cannot be exported", "no model", "cannot tell"]
WORDS: tuple[tuple[Word, str], ...] = (
    ("agrees", "exported, and the outputs agree with the model's"),
    ("cannot tell", "exported; the outputs vary too little, or hold nothing to compare"),
    ("exported, disagrees", "exported, and the outputs differ: ONNX Runtime's optimiser or the float32 truth"),
    ("wrong, refused", "tf2onnx's file loads and computes something else: it is not handed out"),
    ("cannot be exported", "no file that loads"),
    ("no model", "Keras or TensorFlow itself has no answer for it"),
)


class Converted(Record, frozen=True):
    """What became of one model: ``failed`` where there is no file, else a verdict."""

    group: str
    name: str
    failed: Failure | None = None
    error: str = ""  # kind of the child's error, where the model could not even be prepared
    truth: str = ""
    verdict: str = ""
    reason: str = ""
    relative_error: float | None = None


class TableRow(Record, frozen=True):
    """One line of the table."""

    group: str
    name: str
    word: Word
    why: str
    explained: bool


def row_of(one: Converted) -> TableRow:
    """The model's line; unexplained without a reason, by a bug of ours, or wrong without the layer."""
    if one.failed is None:
        return _of_file(one)
    why = " ".join(one.failed.reason.split())
    if one.error:
        return TableRow(group=one.group, name=one.name, word="no model", why=why, explained=one.error != "bug")
    if one.failed.verdict == "disagrees":
        named = "the first that differs is" in why
        return TableRow(group=one.group, name=one.name, word="wrong, refused", why=why, explained=named)
    return TableRow(group=one.group, name=one.name, word="cannot be exported", why=why, explained=bool(why))


def _of_file(one: Converted) -> TableRow:
    if one.verdict == "agrees":
        why = f"error {in_short(one.relative_error)}, truth {one.truth}"
        return TableRow(group=one.group, name=one.name, word="agrees", why=why, explained=True)
    word: Word = "exported, disagrees" if one.verdict == "disagrees" else "cannot tell"
    return TableRow(group=one.group, name=one.name, word=word, why=one.reason, explained=bool(one.reason))


def table_text(converted: Sequence[Converted], versions: Mapping[str, str], seconds: float) -> str:
    """Markdown: totals, versions, then a table a group."""
    rows = [row_of(one) for one in converted]
    counts = Counter(row.word for row in rows)
    unexplained = [row.name for row in rows if not row.explained]
    lines = ["# What converts to ONNX", ""]
    lines += [
        f"{len(rows)} models, {seconds:.0f} s. " + ", ".join(f"{n} {v}" for n, v in sorted(versions.items())) + "."
    ]
    lines += ["", "| | models | |", "|---|---|---|"]
    lines += [f"| {word} | {counts[word]} | {what} |" for word, what in WORDS]
    lines += [f"| not explained | {len(unexplained)} | {', '.join(unexplained) or 'none'} |"]
    for group in dict.fromkeys(row.group for row in rows):
        lines += ["", f"## {group}", "", "| model | | why |", "|---|---|---|"]
        lines += [f"| {row.name} | {row.word} | {_cell(row.why)} |" for row in rows if row.group == group]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
