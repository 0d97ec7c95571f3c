"""The probing child: imports runtimes, so it is only ever started by path, with a private folder and names.

Writes one JSON line a runtime to its first standard output as soon as it knows. Whatever a runtime prints goes to
standard error, and a crash loses one answer, not those before it. The interpreter may be another environment's.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])  # the private folder: bench and nothing else of the parent's

import os
import time

import msgspec

from bench.records import Probe
from bench.runtimes.evidence import evidence_of, with_devices
from bench.runtimes.loading import module_of


def main(names: list[str]) -> None:
    """Probe each of ``names``, keys of the table, in this process."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as answers:
        os.dup2(2, 1)
        for name in names:
            answers.write(msgspec.json.encode(probe(name)) + b"\n")


def probe(name: str) -> Probe:
    """The runtime's own answer, with what it is read from."""
    start = time.perf_counter()
    found = with_devices(module_of(name).probe(name))
    took = time.perf_counter() - start
    return msgspec.structs.replace(found, evidence=found.evidence | evidence_of(name) | {"took": f"{took:.1f} s"})


if __name__ == "__main__":
    main(sys.argv[2:])
