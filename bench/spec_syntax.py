"""What model and runtime specs share: labels, ``key=value`` lists, the canonical text. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench.errors import UsageError
from bench.records import ModelSpec, RuntimeSpec
from bench.spec_braces import check_braces, expand, split_commas

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_QUOTED = re.compile(r'="([^"]*)"(?=[,#]|$)')
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


def split_runtimes(text: str) -> list[str]:
    """One text a runtime, braces expanded; what is wrong with them is told of the whole text."""
    check_braces("runtime", text)
    return [one for item in _items(text) for one in expand("runtime", item)]


def _items(text: str) -> list[str]:
    """One text a runtime: after a comma, ``key=value`` continues the runtime before it."""
    items: list[str] = []
    for piece in (part.strip() for part in split_commas(text)):
        before, equals, _ = piece.partition("=")
        if not equals or ":" in before:
            items.append(piece)
        elif items:
            items[-1] = _continue(items[-1], piece)
        else:
            raise UsageError(f"runtime {text!r}: {piece!r} has no runtime before it; expected NAME:key=value")
    if "" in items:
        raise UsageError(f"runtime {text!r}: an empty name; expected NAME[@VERSION][:key=value,...][#LABEL]")
    return items


def _continue(item: str, pair: str) -> str:
    """``cpu#a`` and ``arena=off`` -> ``cpu:arena=off#a``: a label may stand before or after the options."""
    body, hash_sign, label = item.partition("#")
    pair, more_hash, more_label = pair.partition("#")
    return f"{body}{',' if ':' in body else ':'}{pair}{hash_sign}{label}{more_hash}{more_label}"


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
    return f'"{name}"' if set(",{}") & set(name) else name


def refuse_twice(what: str, specs: Sequence[Spec]) -> None:
    """Raises UsageError where two specs would share one name in a report."""
    seen: dict[str, Spec] = {}
    for spec in specs:
        if spec.display in seen:
            both = f"{seen[spec.display].text!r} and {spec.text!r}"
            way_out = f"tell them apart with a label: {spec.text.partition('#')[0]}#LABEL"
            raise UsageError(f"{what}s {both} would both be called {spec.display}; {way_out}")
        seen[spec.display] = spec
