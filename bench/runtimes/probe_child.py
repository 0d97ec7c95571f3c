"""The probing child: imports runtimes, so it is only ever started (``python -m bench.runtimes.probe_child NAME...``).

Writes one JSON line a runtime to its first standard output as soon as it knows. Whatever a runtime prints goes to
standard error, and a crash loses one answer, not those before it.
"""

from __future__ import annotations

import os
import sys

import msgspec

from bench.runtimes.loading import module_of


def main(names: list[str]) -> None:
    """Probe each of ``names``, keys of the table, in this process."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)
        for name in names:
            answers.write(msgspec.json.encode(module_of(name).probe(name)) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
