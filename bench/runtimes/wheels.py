"""Which ``onnxruntime*`` distributions share this environment, and which files they fight over.

Two of them in one environment overwrite the same package folder and silently lose a provider; ``pip check`` stays
clean. Runs while a session is opened and timed, so it looks at folder names first and reads file lists only of rivals.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import Distribution
from pathlib import Path

from bench.records import Caution


def overlapping_wheels(search_path: Sequence[str] | None = None) -> Caution | None:
    """A caution that names every ``onnxruntime*`` distribution that owns files of another one, or None."""
    infos = _infos(search_path)
    if len(infos) < 2:
        return None
    found = {f"{item.name} {item.version}": _files(item) for item in map(Distribution.at, infos)}
    rivals = sorted(a for a in found if any(found[a] & found[b] for b in found if b != a))
    if not rivals:
        return None
    shared = max(len(found[a] & found[b]) for a in rivals for b in rivals if a != b)
    text = (
        f"{', '.join(rivals)} overwrite each other here ({shared} files): a provider may be missing; "
        "keep one in each environment"
    )
    return Caution(code="wheels overlap", text=text)


def onnxruntime_distributions(search_path: Sequence[str] | None = None) -> list[str]:
    """Name and version of every ``onnxruntime*`` distribution of this interpreter."""
    return [f"{item.name} {item.version}" for item in map(Distribution.at, _infos(search_path))]


def _infos(search_path: Sequence[str] | None) -> list[Path]:
    folders = dict.fromkeys(sys.path if search_path is None else search_path)
    return [info for folder in folders if folder for info in sorted(Path(folder).glob("onnxruntime*-info"))]


def _files(distribution: Distribution) -> frozenset[str]:
    return frozenset(str(path) for path in distribution.files or ())
