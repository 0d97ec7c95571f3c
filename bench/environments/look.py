"""What an environment holds, told by its own interpreter: started by path with ``-I``, never imported.

Needs nothing but Python itself. Its arguments are modules that must be importable. Prints one JSON object.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from importlib import metadata
from pathlib import Path


def main(modules: list[str]) -> None:
    """Import ``modules``, then tell versions and files that are not as their wheels brought them."""
    for module in modules:
        importlib.import_module(module)
    found = list(metadata.distributions())
    answer = {
        "versions": {one.metadata["Name"]: one.version for one in found},
        "damaged": _damaged(found),
        "base": sys.base_prefix,
    }
    sys.stdout.write(json.dumps(answer))


def _damaged(found: list[metadata.Distribution]) -> list[str]:
    """Files that are missing or of another size; of two owners of a file one is overwritten, which is no damage."""
    files = [file for one in found for file in one.files or () if file.size is not None and file.suffix != ".pyc"]
    owners = Counter(str(file) for file in files)
    return [str(file) for file in files if owners[str(file)] == 1 and _size(Path(str(file.locate()))) != file.size]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
