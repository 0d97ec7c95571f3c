"""A record in a JSON file with a schema version: read, or refused with the file's name and how to go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.errors import UsageError, first_line
from bench.records import Record

R = TypeVar("R", bound=Record)


def read_versioned(path: Path, kind: type[R], newest: int, *, doing: str, restore: str) -> R:
    """The record in ``path``, its ``schema_version`` at most ``newest``.

    UsageError where it can't be read, is damaged or is newer. ``doing`` begins the message, ``restore`` ends it.
    """
    try:
        content = path.read_bytes()
        version = json.loads(content)["schema_version"]
        if isinstance(version, int) and version > newest:
            raise UsageError(
                f"{doing}: it has schema version {version}, this bench reads up to {newest}. "
                "Install a newer onnx-crossbench"
            )
        return msgspec.json.decode(content, type=kind)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = first_line(error)
        raise UsageError(f"{doing}: {path.name} is damaged ({reason}). {restore}") from error
