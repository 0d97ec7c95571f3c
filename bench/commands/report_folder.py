"""Where the report of a run goes: a folder that one run has for itself from its first moment."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bench.errors import UsageError
from bench.records import ModelSpec
from bench.report.journal import has_journal
from bench.report.not_reports import way_on

_NAMED = 3  # models in the name of a report's folder
_TRIES = 1000  # default names before giving up


@contextlib.contextmanager
def claimed_folder(
    out: Path | None, models: Sequence[ModelSpec | str], now: datetime, *, prefix: str = ""
) -> Iterator[Path]:
    """The report's folder, made at once and no other run's while the block lasts; gone again if nothing was saved.

    The default name is ``reports/``, ``prefix``, the time and the names of ``models``; one that is taken gets a number.
    ``out`` is refused with UsageError where something is already.
    The claim is a lock on the folder itself: the kernel frees it however the run ends, and it leaves no file behind.
    """
    made: list[Path] = []
    claim: int | None = None
    try:
        folder, claim = _claim_named(out, made) if out else _claim_default(models, now, prefix, made)
        yield folder
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # a report is in it, or another run's beside it
                path.rmdir()
        if claim is not None:
            os.close(claim)


def _claim_named(out: Path, made: list[Path]) -> tuple[Path, int]:
    try:
        claim = _claim(out, made)
    except OSError as error:
        raise UsageError(f"-o {out}: can't be made or written: {error.strerror}; name another folder") from error
    if claim is not None:
        return out, claim
    way_out = "name another folder"
    if has_journal(out):
        way_out += f", or go on with the interrupted run in it: {way_on(out)}"
    raise UsageError(f"-o {out}: something is there already; {way_out}")


def _claim_default(models: Sequence[ModelSpec | str], now: datetime, prefix: str, made: list[Path]) -> tuple[Path, int]:
    plain = Path("reports") / "-".join(filter(None, (f"{prefix}{now:%Y%m%dT%H%M%SZ}", _slug(models))))
    for number in range(1, _TRIES):
        folder = plain if number == 1 else plain.with_name(f"{plain.name}-{number}")
        try:
            claim = _claim(folder, made)
        except FileNotFoundError:  # another run removed the folder above
            continue
        except OSError as error:
            raise UsageError(f"making the report's folder {folder}: {error.strerror}; name another with -o") from error
        if claim is not None:
            return folder, claim
    raise UsageError(f"naming the report: {plain} and {_TRIES - 2} more are taken; name a folder with -o")


def _claim(folder: Path, made: list[Path]) -> int | None:
    """A lock on the folder, or None where it is another's; folders that had to be made are put first in ``made``.

    OSError where it can't be made, or nothing be written into it.
    """
    _make(folder, made)
    if folder.exists() and not folder.is_dir():
        return None
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _is_ours(folder, fd):
            with tempfile.TemporaryFile(dir=folder):  # it leaves nothing behind
                return fd
    except OSError:
        os.close(fd)
        raise
    os.close(fd)
    if folder in made:  # made by us, and taken by another run before we could lock it
        made.remove(folder)
    return None


def _make(folder: Path, made: list[Path]) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        try:
            path.mkdir()
        except FileExistsError:  # another run was quicker
            continue
        made.insert(0, path)


def _is_ours(folder: Path, fd: int) -> bool:
    """Whether the folder is locked for us, empty, and still the one of that name."""
    import fcntl  # Linux only, as is a run

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    try:
        return os.path.samestat(os.fstat(fd), folder.stat()) and not any(folder.iterdir())
    except FileNotFoundError:
        return False


def _slug(models: Sequence[ModelSpec | str]) -> str:
    said = [model if isinstance(model, str) else model.name for model in models]
    names = [re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "model" for name in said]
    names = list(dict.fromkeys(names))
    more = [f"and-{len(names) - _NAMED}-more"] if len(names) > _NAMED else []
    return "-".join([*names[:_NAMED], *more])
