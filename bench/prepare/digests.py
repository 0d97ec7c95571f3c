"""sha256 of files, of folders, and of the files that a model is made of besides the one that was named.

Standard library only: the parent uses it to look into the cache. Names within a digest are relative, so that a moved
model is the same model.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

UNSTABLE = ("fingerprint.pb",)  # TensorFlow writes a random number into it; no runtime reads it


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def artifact_digest(path: Path) -> str:
    """One digest of a model's file or folder.

    A folder counts with everything in it, and so does a file: whatever lies beside it in its folder of the cache
    (external data) belongs to it. A lone file's digest is its plain sha256.
    """
    files = artifact_files(path)
    if files == [path]:
        return file_digest(path)
    root = path if path.is_dir() else path.parent
    return listing_digest({str(file.relative_to(root)): file_digest(file) for file in files})


def artifact_files(path: Path) -> list[Path]:
    """The files that ``artifact_digest`` counts, in order."""
    root = path if path.is_dir() else path.parent
    return sorted(file for file in root.rglob("*") if file.is_file() and file.name not in UNSTABLE)


def path_digest(path: Path) -> str:
    """The sha256 of a file, or of names and contents of a folder: for what a user names, before it is copied."""
    if path.is_file():
        return file_digest(path)
    return listing_digest({str(file.relative_to(path)): file_digest(file) for file in artifact_files(path)})


def listing_digest(digests: Mapping[str, str]) -> str:
    """One digest of names and their digests, whatever their order."""
    return hashlib.sha256("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()).hexdigest()


def dependency_digests(files: Iterable[Path], base: Path) -> dict[str, str]:
    """What else a model was made of, named by the way from ``base``, the folder that the model was loaded from."""
    return {os.path.relpath(file.resolve(), base.resolve()): file_digest(file) for file in files}


def are_unchanged(dependencies: Mapping[str, str], base: Path) -> bool:
    """Whether the files that ``dependency_digests`` named are still what they were."""
    files = {name: base.resolve() / name for name in dependencies}
    return all(file.is_file() and file_digest(file) == dependencies[name] for name, file in files.items())
