"""Every caution says what to do about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import bench
from bench.records import Verdict
from bench.report.advice import ADVICE, advice_for

PACKAGE = Path(bench.__file__).parent
WRITTEN_AS_TEXT = {"split", "bounded"}  # in standing.py, as "code: text"


def codes() -> set[str]:
    """What the sources give ``Caution(code=...)``: constants, names of constants, the branches of a choice."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Caution":
                for word in node.keywords:
                    if word.arg == "code":
                        found |= set(_said(word.value, constants))
    return found


def _said(node: ast.expr, constants: Mapping[str, object]) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _said(node.body, constants)
        yield from _said(node.orelse, constants)
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.Name):
        yield str(constants.get(node.id, node.id))
    else:
        yield ast.unparse(node)


def test_every_code_of_the_sources_has_advice_and_no_other() -> None:
    known = {"UNKNOWN": "placement unknown", "worst.verdict": "disagrees"}
    written = {known.get(code, code) for code in codes()} | WRITTEN_AS_TEXT
    written |= set(get_args(Verdict)) - {"agrees", "unchecked"}  # of worst.verdict
    assert len(written) > 40
    assert written - set(ADVICE) == set()
    assert set(ADVICE) - written == set()


def test_advice_is_a_sentence() -> None:
    assert all((text[0].isupper() or text.startswith("bench ")) and text.endswith(".") for text in ADVICE.values())


def test_a_code_of_a_newer_version_has_none() -> None:
    assert advice_for("not invented yet") == ""
