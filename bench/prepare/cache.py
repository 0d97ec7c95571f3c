"""What prepare made, kept by content: one folder an entry, named by its key, renamed into place when it is whole.

Knows nothing of models: an entry is a folder with an answer in it. Runs in the parent, reads files, starts nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.errors import BenchError
from bench.places import cache_folder, size_below, usable_cache
from bench.prepare.digests import artifact_digest
from bench.prepare.messages import ANSWER_FILE, ChildAnswer
from bench.records import Artifact, Prepared, Record

_UNFINISHED = ".unfinished-"
_ABANDONED_S = 24 * 3600  # an unfinished folder of this age has no owner any more


class CacheEntry(Record, frozen=True):
    """One prepared model in the cache."""

    key: str
    model: str  # as it was called when it was made
    path: str
    size_bytes: int
    age_s: float  # since it was made


def lookup(key: str) -> ChildAnswer | None:
    """The answer that was kept under ``key``, its paths absolute; None where there is none or it can't be read."""
    folder = _entries_folder() / key
    try:
        answer = msgspec.json.decode((folder / ANSWER_FILE).read_bytes(), type=ChildAnswer)
    except (OSError, msgspec.DecodeError):
        return None
    return with_paths(answer, folder) if answer.prepared or answer.variant else None


def is_whole(artifact: Artifact) -> bool:
    """Whether an artifact is what was written. Reads every byte."""
    return Path(artifact.path).exists() and artifact_digest(Path(artifact.path)) == artifact.digest


def damage(prepared: Prepared) -> str | None:
    """Which file of an entry is not what was written, or None. Reads every byte."""
    for kind, artifact in (*prepared.artifacts.items(), *prepared.rejected.items()):
        if not is_whole(artifact):
            return kind
    from bench.prepare.arrays import load_arrays  # numpy: not needed to list or clear

    for name, file in (("inputs", prepared.pool), ("truth", prepared.truth_file)):
        try:
            load_arrays(file)
        except BenchError:
            return name
    return None


@contextmanager
def unfinished_folder() -> Iterator[Path]:
    """A new folder beside the entries, deleted at the end unless it was kept. UsageError where none can be made."""
    root = _entries_folder()
    with usable_cache():
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_kept(key: str) -> bool:
    """Whether anything is in place under ``key``, readable or not."""
    with usable_cache():
        return (_entries_folder() / key).exists()


def keep(folder: Path, key: str, *, replacing: bool) -> Path:
    """The entry's folder in place under ``key``.

    One that was known to be bad gives way when ``replacing``; one that somebody else made meanwhile is taken instead
    of ours, since it may be in use.
    """
    place = _entries_folder() / key
    with usable_cache():
        if replacing and place.exists():
            discarded = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=place.parent))
            os.replace(place, discarded)
            shutil.rmtree(discarded, ignore_errors=True)
        folder.chmod(0o755)
        try:
            os.rename(folder, place)
        except OSError:
            if not place.exists():
                raise
    return place


def with_paths(answer: ChildAnswer, folder: Path) -> ChildAnswer:
    """The same answer with the paths of its files made absolute."""
    replace = msgspec.structs.replace
    if variant := answer.variant:
        artifact = replace(variant.artifact, path=str(folder / variant.artifact.path))
        return replace(answer, variant=replace(variant, artifact=artifact))
    prepared = answer.prepared
    if prepared is None:
        return answer
    found = replace(
        prepared,
        artifacts={kind: replace(a, path=str(folder / a.path)) for kind, a in prepared.artifacts.items()},
        rejected={kind: replace(a, path=str(folder / a.path)) for kind, a in prepared.rejected.items()},
        pool=replace(prepared.pool, path=str(folder / prepared.pool.path)),
        truth_file=replace(prepared.truth_file, path=str(folder / prepared.truth_file.path)),
    )
    return replace(answer, prepared=found)


def entries() -> list[CacheEntry]:
    """Everything that is kept, newest first."""
    with usable_cache():
        found = [_describe(folder) for folder in _folders()]
    return sorted((entry for entry in found if entry), key=lambda entry: entry.age_s)


def clear() -> int:
    """The bytes that were freed: every entry is gone, half-made ones included."""
    root = _entries_folder()
    with usable_cache():
        freed = sum(size_below(folder) for folder in root.iterdir()) if root.is_dir() else 0
        if root.exists():
            shutil.rmtree(root)
    return freed


def _entries_folder() -> Path:
    return cache_folder() / "models"


def _folders() -> list[Path]:
    root = _entries_folder()
    if not root.is_dir():
        return []
    return [folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith(_UNFINISHED)]


def _describe(folder: Path) -> CacheEntry | None:
    try:
        answer = msgspec.json.decode((folder / ANSWER_FILE).read_bytes(), type=ChildAnswer)
        age_s = max(0.0, time.time() - (folder / ANSWER_FILE).stat().st_mtime)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        return CacheEntry(
            key=folder.name, model="(damaged)", path=str(folder), size_bytes=size_below(folder), age_s=0.0
        )
    made = answer.prepared or answer.variant
    model = made.model if made else "(damaged)"
    return CacheEntry(key=folder.name, model=model, path=str(folder), size_bytes=size_below(folder), age_s=age_s)


def _sweep(root: Path) -> None:
    """Folders that a killed process left behind; a young one may be somebody's at work."""
    for folder in root.glob(f"{_UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)
