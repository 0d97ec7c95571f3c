"""What model and runtime specs share: labels, ``key=value`` lists, the canonical text. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench.errors import UsageError
from bench.records import ModelSpec, RuntimeSpec

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_QUOTED = re.compile(r'="([^"]*)"(?=[,#]|$)')
_COMMA = "\0"  # stands for a comma that divides nothing; no argument of a command can hold it
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

Spec = TypeVar("Spec", ModelSpec, RuntimeSpec)


def split_label(text: str) -> tuple[str, str | None]:
    """``"cpu#a"`` -> ``("cpu", "a")``."""
    body, hash_sign, label = text.rpartition("#")
    if not hash_sign:
        return text, None
    if not _LABEL.fullmatch(label):
        raise UsageError(f"{text!r}: a label is one word of letters, digits and . _ + - after a #")
    return body, label


def split_commas(text: str) -> list[str]:
    """Pieces of a comma list; a value in double quotes, ``key="a,b"``, is not divided and keeps its quotes."""
    kept = _QUOTED.sub(lambda match: match[0].replace(",", _COMMA), text)
    return [piece.replace(_COMMA, ",") for piece in kept.split(",")]


def parse_options(text: str, pairs: str) -> dict[str, str]:
    """``"a=1,b=2"`` -> a dict; ``text`` is the whole spec, for the message."""
    options: dict[str, str] = {}
    for pair in split_commas(pairs) if pairs else []:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if quoted := _QUOTED.fullmatch(equals + value):
            value = quoted[1]
        if not equals or not _KEY.fullmatch(key) or not value:
            raise UsageError(f"{text!r}: expected key=value, got {pair.strip()!r}")
        if key in options:
            raise UsageError(f"{text!r}: {key} is given twice")
        options[key] = value
    return options


def canonical_text(stem: str, options: Mapping[str, str], label: str | None) -> str:
    """The same text for the same meaning, whatever the order of keys; of a path only its last part."""
    pairs = ",".join(f"{key}={_shown(value)}" for key, value in sorted(options.items()))
    return stem + (f":{pairs}" if pairs else "") + (f"#{label}" if label else "")


def _shown(value: str) -> str:
    name = Path(value).name if "/" in value else value
    return f'"{name}"' if "," in name else name


def refuse_twice(what: str, specs: Sequence[Spec]) -> None:
    """Raises UsageError where two specs would share one name in a report."""
    seen: dict[str, Spec] = {}
    for spec in specs:
        if spec.display in seen:
            both = f"{seen[spec.display].text!r} and {spec.text!r}"
            way_out = f"tell them apart with a label: {spec.text.partition('#')[0]}#LABEL"
            raise UsageError(f"{what}s {both} would both be called {spec.display}; {way_out}")
        seen[spec.display] = spec
