"""The YAML that our own action and workflows are written in, read strictly: anything else is an error.

Mappings and lists by indentation, plain and quoted scalars, ``|`` and ``>-`` blocks, comments. Scalars stay text.
"""

from __future__ import annotations

import re
from typing import Any

_KEY = re.compile(r"([A-Za-z][\w-]*):(?: +(.*))?$")
_COMMENT = re.compile(r"(^|\s)#.*$")

Line = tuple[int, str]  # indentation, text


def read_yaml(text: str) -> Any:
    """Dictionaries, lists and text. ValueError for what is not in the subset."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    value, rest = _value(lines, 0)
    if any(not _is_blank(line) for line in rest):
        raise ValueError(f"not understood: {rest[0][1]}")
    return value


def _is_blank(line: Line) -> bool:
    return not line[1] or line[1].startswith("#")


def _value(lines: list[Line], least: int) -> tuple[Any, list[Line]]:
    """What begins at the first line that says something, and the lines after it; None where that is indented less."""
    while lines and _is_blank(lines[0]):
        lines = lines[1:]
    if not lines or lines[0][0] < least:
        return None, lines
    indent, text = lines[0]
    if text.startswith("- "):
        return _list(lines, indent)
    return _mapping(lines, indent)


def _list(lines: list[Line], indent: int) -> tuple[list[Any], list[Line]]:
    items: list[Any] = []
    while lines and (_is_blank(lines[0]) or (lines[0][0] == indent and lines[0][1].startswith("- "))):
        if _is_blank(lines[0]):
            lines = lines[1:]
            continue
        first = lines[0][1][2:]
        if _KEY.match(first):
            mapping, lines = _mapping([(indent + 2, first), *lines[1:]], indent + 2)
            items.append(mapping)
        else:
            items.append(_scalar(first))
            lines = lines[1:]
    return items, lines


def _mapping(lines: list[Line], indent: int) -> tuple[dict[str, Any], list[Line]]:
    found: dict[str, Any] = {}
    while lines and (_is_blank(lines[0]) or lines[0][0] == indent):
        if _is_blank(lines[0]):
            lines = lines[1:]
            continue
        matched = _KEY.match(lines[0][1])
        if not matched or matched[1] in found:
            raise ValueError(f"no key or one that is there twice: {lines[0][1]}")
        key, rest = matched[1], matched[2] or ""
        lines = lines[1:]
        if rest in ("|", ">-"):
            found[key], lines = _block(lines, indent, folded=rest == ">-")
        elif _COMMENT.sub("", rest).strip():
            found[key] = _scalar(rest)
        else:
            found[key], lines = _value(lines, indent + 1)
    return found, lines


def _block(lines: list[Line], indent: int, *, folded: bool) -> tuple[str, list[Line]]:
    own = []
    while lines and (not lines[0][1] or lines[0][0] > indent):
        own.append(lines[0])
        lines = lines[1:]
    base = min(depth for depth, text in own if text)
    text = [" " * (depth - base) + text if text else "" for depth, text in own]
    return (" ".join(text).strip() if folded else "\n".join(text).rstrip("\n") + "\n"), lines


def _scalar(text: str) -> str | list[str]:
    if text[0] in "\"'":
        matched = re.fullmatch(r"""(?:"([^"\\]*)"|'([^']*)')\s*(?:#.*)?""", text)
        if not matched:
            raise ValueError(f"quotes not understood: {text}")
        return matched[1] if matched[1] is not None else matched[2]
    plain = _COMMENT.sub("", text).strip()
    if plain.startswith("[") and plain.endswith("]"):
        return [part.strip().strip('"') for part in plain[1:-1].split(",")]
    if plain[0] in "{}&*!|>%@`[" or ": " in plain or plain.endswith(":"):
        raise ValueError(f"must be quoted: {plain}")
    return plain
