"""Foreign text in a terminal and in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain_1.0 ünï ☃", "plain_1.0 ünï ☃"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x07\x00\x7f\x9b", "\\x07\\x00\\x7f\\x9b"),
        ("abc\u202egnp", "abc\\u202egnp"),  # direction marks can make a name look like another
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(raw: str, shown: str) -> None:
    assert text.visible(raw) == shown


@given(st.text())
def test_visible_text_is_one_printable_line(raw: str) -> None:
    shown = text.visible(raw)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("mobilenet_v1", "mobilenet_v1"),  # within a word it means nothing
        ("_x_ __init__", "\\_x\\_ \\_\\_init\\_\\_"),
        ("*b* [x](y) <i> ~~s~~", "\\*b\\* \\[x\\](y) \\<i\\> \\~\\~s\\~\\~"),
        ("back\\slash", "back\\\\slash"),
        ("&amp;", "&amp;amp;"),
        ("a\nb", "a\\\\nb"),
    ],
)
def test_markdown_shows_the_same_characters(raw: str, escaped: str) -> None:
    assert text.markdown(raw) == escaped


@given(st.text())
def test_a_name_never_ends_a_cell_of_a_table(raw: str) -> None:
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", text.markdown(raw))


@pytest.mark.parametrize(
    ("raw", "span"),
    [("bench run x", "`bench run x`"), ("a `b`", "`` a `b` ``"), ("``x", "``` ``x ```"), ("a\nb", "`a\\nb`")],
)
def test_code_is_fenced_by_more_backticks_than_it_has(raw: str, span: str) -> None:
    assert text.code(raw) == span
