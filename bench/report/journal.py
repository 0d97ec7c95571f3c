"""``journal/``: the whole repetitions of an unfinished run, one file each, so that a killed run can be resumed.

Unlike the report beside it, it holds records as they are, paths included: it is for this machine and goes away when the
run is finished.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bench.errors import UsageError
from bench.records import GroupRepetition, Record
from bench.report import atomic

R = TypeVar("R", bound=Record)

_FOLDER = "journal"
_PLAN = "plan.msgpack"


def append_repetition(folder: Path, repetition: GroupRepetition) -> None:
    """Keep one whole repetition of a group; one that was kept before under the same numbers is replaced."""
    name = f"group-{repetition.group:04d}-repetition-{repetition.repetition:04d}.msgpack"
    atomic.write_bytes(folder / _FOLDER / name, _encode(repetition))


def read_journal(folder: Path) -> list[GroupRepetition]:
    """What was kept, by group and repetition; empty where nothing was.

    A truncated or garbled file counts as not there: its repetition is measured again. Raises UsageError where the
    journal is another version's.
    """
    paths = sorted((folder / _FOLDER).glob("group-*.msgpack"))
    found = [_decode(path, GroupRepetition) for path in paths]
    return sorted((one for one in found if one is not None), key=lambda one: (one.group, one.repetition))


def save_plan(folder: Path, plan: Record) -> None:
    """Keep what a resumed run has to know, whatever the record: a report has no paths to go on with."""
    atomic.write_bytes(folder / _FOLDER / _PLAN, _encode(plan))


def read_plan(folder: Path, kind: type[R]) -> R | None:
    """What ``save_plan`` kept, or None."""
    path = folder / _FOLDER / _PLAN
    return _decode(path, kind) if path.is_file() else None


def finish(folder: Path) -> None:
    """Remove the journal: the run is whole."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)
    atomic.remove_unfinished(folder)


def has_journal(folder: Path) -> bool:
    """Whether a run in ``folder`` was begun and not finished."""
    return (folder / _FOLDER).is_dir()


def _decode(path: Path, kind: type[R]) -> R | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"resuming from {path}: not a record of this version of bench ({error}). "
            "Resume with the version that began the run, or start a new one"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _encode(record: Record) -> bytes:
    try:
        return msgspec.msgpack.encode(record)
    except UnicodeEncodeError:  # a lone surrogate, from a file name that is not UTF-8
        return msgspec.msgpack.encode(_spell_surrogates(msgspec.to_builtins(record)))


def _spell_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_spell_surrogates(key): _spell_surrogates(item) for key, item in value.items()}
    return [_spell_surrogates(item) for item in value] if isinstance(value, (list, tuple)) else value
