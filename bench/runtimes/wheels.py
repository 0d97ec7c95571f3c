"""Which ``onnxruntime*`` distributions share this environment, and which files they fight over.

Two of them in one environment overwrite the same package folder and silently lose a provider; ``pip check``
stays clean.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from importlib.metadata import Distribution

from bench.records import Caution


def overlapping_wheels(distributions: Iterable[Distribution] | None = None) -> Caution | None:
    """A caution that names every ``onnxruntime*`` distribution that owns files of another one, or None."""
    found = _by_name(importlib.metadata.distributions() if distributions is None else distributions)
    files = {name: frozenset(str(path) for path in item.files or ()) for name, item in found.items()}
    rivals = [a for a in files if any(files[a] & files[b] for b in files if b != a)]
    if not rivals:
        return None
    shared = max(len(files[a] & files[b]) for a in rivals for b in rivals if a != b)
    names = ", ".join(f"{name} {found[name].version}" for name in sorted(rivals))
    text = f"{names} overwrite each other here ({shared} files): a provider may be missing; keep one an environment"
    return Caution(code="wheels overlap", text=text)


def _by_name(distributions: Iterable[Distribution]) -> dict[str, Distribution]:
    named = {(item.name or "").lower().replace("_", "-"): item for item in distributions}
    return {name: item for name, item in named.items() if name.startswith("onnxruntime")}
