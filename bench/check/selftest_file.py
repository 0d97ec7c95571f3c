"""The file of trials: one JSON line each, appended as they end, so that a self-test goes on after a stop."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from bench.check.selftest import Identity, Line, Plant, Trial
from bench.errors import UsageError, first_line

_decoder = msgspec.json.Decoder(Line)


class Trials:
    """What is in the file; what is added is in it when ``add`` returns."""

    def __init__(self, path: Path, identity: Identity, plants: list[Plant], trials: list[Trial]) -> None:
        self._path = path
        self.identity = identity
        self.plants = plants
        self.trials = trials

    @property
    def name(self) -> str:
        """Of the file, for a person."""
        return str(self._path)

    def add(self, line: Plant | Trial) -> None:
        """Append one line; UsageError where it can't be written."""
        _append(self._path, line)
        if isinstance(line, Plant):
            self.plants.append(line)
        else:
            self.trials.append(line)


def open_trials(path: Path, identity: Identity) -> Trials:
    """The trials of a file, begun where there is none.

    A line that was cut short counts as not there. UsageError for a file that is no such file, or of another identity:
    its first field that differs is named.
    """
    try:
        lines = _read(path)
    except FileNotFoundError:
        lines = []
    except (OSError, ValueError) as error:
        raise UsageError(f"reading trials {path}: {first_line(error)}; give another --file") from error
    if not lines:
        _append(path, identity)
    elif not isinstance(lines[0], Identity):
        raise UsageError(f"reading trials {path}: its first line is no identity; give another --file")
    else:
        _refuse_other(path, lines[0], identity)
    return Trials(
        path,
        identity,
        [line for line in lines if isinstance(line, Plant)],
        [line for line in lines if isinstance(line, Trial)],
    )


def _read(path: Path) -> list[Line]:
    """Every whole line. Nothing is mended here: somebody may be writing the rest of the last one right now."""
    content = path.read_bytes()
    lines: list[Line] = []
    for line in content.splitlines():
        try:
            lines.append(_decoder.decode(line))
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:  # cut short
            continue
    if content.strip() and not lines:
        raise ValueError("no line of it is of a self-test")
    return lines


def _refuse_other(path: Path, found: Identity, wanted: Identity) -> None:
    for name in Identity.__struct_fields__:
        was, now = getattr(found, name), getattr(wanted, name)
        if was != now:
            raise UsageError(
                f"reading trials {path}: they are of another self-test, {name.replace('_', ' ')} "
                f"{str(was)[:40]} there, {str(now)[:40]} here; give another --file"
            )


def _append(path: Path, line: Line) -> None:
    """One more line, on a line of its own even where the one before was cut short."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            start = b""
            if file.tell():
                file.seek(-1, os.SEEK_END)
                start = b"" if file.read(1) == b"\n" else b"\n"
            file.write(start + msgspec.json.encode(line) + b"\n")
    except OSError as error:
        raise UsageError(f"writing trials {path}: {error.strerror or error}; give another --file") from error
