"""What msgspec says of a value in a suite file, in words that a person meant. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bench.suite import REPETITIONS

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a date",
    "date": "a date",
    "time": "a time",
}


def every_error(value: Any, kind: Any, where: str, first: str) -> list[str]:
    """Of a list of models the error of each; of anything else the first."""
    if not (where.endswith(": models") and isinstance(value, list) and value):
        return [_located(first, where)]
    errors = []
    for index, entry in enumerate(value):
        try:
            msgspec.convert([entry], kind)
        except msgspec.ValidationError as error:
            errors.append(_located(str(error).replace("`$[0]", "`$"), f"{where}[{index}]"))
    return errors


def _located(message: str, where: str) -> str:
    """Msgspec's ``"Expected `int` - at `$.batch[0]`"`` -> ``"where.batch[0]: expected a whole number"``."""
    text, _, place = message.partition(" - at `$")
    if value := re.fullmatch("Invalid enum value (.*)", text):  # only effort has one
        text = f"expected one of {', '.join(REPETITIONS)}, got {value[1]}"
    plain = re.sub("`([a-z]+(?: \\| [a-z]+)*)`", _in_words, text.replace("Object missing required field", "it lacks"))
    plain = plain.replace("Object contains unknown field", "no such key:")
    return f"{where}{place.rstrip('`')}: {plain[:1].lower()}{plain[1:]}"


def _in_words(types: re.Match[str]) -> str:
    """Msgspec's `` `int | null` `` -> ``a whole number``; names of keys stay as they are."""
    names = [name for name in types[1].split(" | ") if name != "null"]
    return " or ".join(_WORDS[name] for name in names) if all(name in _WORDS for name in names) else types[0]
