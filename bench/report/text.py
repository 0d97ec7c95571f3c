"""Foreign text made safe to show: control characters visible, Markdown's own characters escaped. Pure."""

from __future__ import annotations

import re
import textwrap
import unicodedata

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction marks, surrogates, unassigned, separators
_MARKDOWN = re.compile(r"[\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_])")


def visible(text: str) -> str:
    """``text`` on one line, with every character that a terminal would obey or hide spelled out."""
    return "".join(_spelled(character) for character in text)


def wrap(line: str, width: int, indent: str = "") -> str:
    """``line`` made visible, on lines of at most ``width``; longer words stay whole."""
    return textwrap.fill(visible(line), width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def markdown(text: str) -> str:
    """``text`` as the same characters in Markdown, also within a table's cell."""
    return _MARKDOWN.sub(lambda found: "\\" + found.group(), visible(text)).replace("&", "&amp;")


def code(text: str) -> str:
    """``text`` as a Markdown code span, whatever backticks are in it. Not for a cell, where ``|`` would end it."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _spelled(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN:
        return character
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
