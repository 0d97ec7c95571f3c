"""How fast this machine can be at most: a matrix product and a copy. Runs in a worker of its own."""

from __future__ import annotations

from bench.records import Roofs, RoofsRequest


def measure_roofs(request: RoofsRequest) -> Roofs:
    """Several trials of each, with the threads asked for."""
    raise NotImplementedError(request)
