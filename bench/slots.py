"""Where the files of a pair's workers lie: two slots with paths of one length; a coin alone tells whose is whose.

Files are copied, not linked: how far away, on which disk and in how long a folder a bundle lies is then nothing that a
worker could meet. A slot keeps one copy of each content, so that two sides of equal content exchange theirs with the
coin, and what a copy has by chance (its pages in memory, say) goes with the slot and not with the side.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.errors import BenchError
from bench.prepare.digests import artifact_files
from bench.records import ArrayFile, Artifact

_replace = msgspec.structs.replace
_KEY = 16  # characters of a digest that name its copy


class Slots:
    """The two slots of a gate below one folder, which is the caller's to remove."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._placed: dict[tuple[int, str], str] = {}

    def place_artifact(self, slot: int, artifact: Artifact) -> Artifact:
        """The artifact in a slot; its file is called alike on both sides. BenchError where it can't be copied."""
        if (slot, artifact.digest) not in self._placed:
            self._placed[slot, artifact.digest] = self._place(slot, artifact)
        return _replace(artifact, path=self._placed[slot, artifact.digest])

    def place_arrays(self, slot: int, arrays: ArrayFile) -> ArrayFile:
        """The arrays in a slot. BenchError where they can't be copied."""
        folder = self._copy(slot, arrays.digest, {"arrays.npz": Path(arrays.path)})
        return _replace(arrays, path=str(folder / "arrays.npz"))

    def place_environment(self, slot: int, prefix: Path) -> Path:
        """A virtual environment by its path in a slot; any other as it is: it has no path of its own to choose."""
        if not (prefix / "pyvenv.cfg").is_file():
            return prefix
        link = self._slot(slot) / "env"
        new = link.with_name(".env")
        new.unlink(missing_ok=True)
        new.symlink_to(prefix, target_is_directory=True)
        os.replace(new, link)
        return link

    def _place(self, slot: int, artifact: Artifact) -> str:
        """The path of the copy."""
        source = Path(artifact.path)
        files = {str(file.relative_to(_root(source))): file for file in artifact_files(source)}
        if source.is_dir():
            return str(self._copy(slot, artifact.digest, files))
        name = f"model{source.suffix}"
        name = source.name if name in files else name
        files[name] = files.pop(source.name, source)
        return str(self._copy(slot, artifact.digest, files) / name)

    def _slot(self, slot: int) -> Path:
        folder = self._folder / "slot" / str(slot)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _copy(self, slot: int, digest: str, files: Mapping[str, Path]) -> Path:
        """A folder of copies, made where there is none yet."""
        place = self._slot(slot) / digest[:_KEY]
        if place.exists():
            return place
        unfinished = place.with_name(f".{place.name}")
        try:
            unfinished.mkdir()
            for name, file in files.items():
                (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, unfinished / name)
            os.replace(unfinished, place)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise BenchError(
                f"copying a bundle's files to {self._folder}: {error.strerror or error}; TMPDIR says where they go"
            ) from error
        return place


def _root(source: Path) -> Path:
    return source if source.is_dir() else source.parent
