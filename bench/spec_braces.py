"""Braces in specs: ``cpu@{1.20.1,1.32.0}`` is two of them, several braces are their product. Pure.

A value in double quotes is left as it is: ``load_config="a{1,2}.json"`` has no braces that mean anything.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import NoReturn

from bench.errors import UsageError

MOST = 64  # specs of one text: a slip of the keyboard should not start a week's work
_TOKEN = re.compile(r'(?<=[={,])"[^"]*"(?=[,#}]|$)|[{},]|[^{},"]+|"')
_FORM = "expected alternatives such as {on,off}; a value that has braces of its own stands in double quotes"


def expand(what: str, text: str) -> list[str]:
    """Every spec that ``text`` stands for, at least itself; ``what`` names its kind in the UsageError."""
    alternatives = _alternatives(what, text)
    number = math.prod(map(len, alternatives))
    if number > MOST:
        raise UsageError(f"{what} {text!r}: its braces make {number} of it; ask for at most {MOST} at a time")
    return ["".join(chosen) for chosen in itertools.product(*alternatives)]


def split_commas(text: str) -> list[str]:
    """The pieces of a comma list; a value in double quotes, ``key="a,b"``, and matching braces are not divided."""
    pieces, depth = [""], 0
    matching = _is_matching(text)
    for token in _TOKEN.findall(text):
        depth += (token == "{") - (token == "}")
        if token == "," and (depth == 0 or not matching):
            pieces.append("")
        else:
            pieces[-1] += token
    return pieces


def check_braces(what: str, text: str) -> None:
    """UsageError where braces of ``text`` do not match, are nested or empty, or nothing."""
    _alternatives(what, text)


def _alternatives(what: str, text: str) -> list[list[str]]:
    """What stands at each place of the text: one word outside of braces, several inside."""
    found: list[list[str]] = [[""]]
    is_inside = False
    for token in _TOKEN.findall(text):
        if token == ("{" if is_inside else "}"):
            _refuse(what, text, "braces within braces" if is_inside else "a } without its {")
        if token in "{}":
            _refuse_empty(what, text, found[-1] if is_inside else ["-"])
            is_inside = token == "{"
            found.append([""])
        elif token == "," and is_inside:
            found[-1].append("")
        else:
            found[-1][-1] += token
    if is_inside:
        _refuse(what, text, "a { without its }")
    return found


def _refuse_empty(what: str, text: str, words: list[str]) -> None:
    if not all(word.strip() for word in words):
        _refuse(what, text, "braces with nothing between two commas" if len(words) > 1 else "empty braces")


def _refuse(what: str, text: str, seen: str) -> NoReturn:
    raise UsageError(f"{what} {text!r}: {seen}; {_FORM}")


def _is_matching(text: str) -> bool:
    braces = "".join(token for token in _TOKEN.findall(text) if token in "{}")
    return not braces.replace("{}", "")
