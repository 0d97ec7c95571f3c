"""What a report says of machine and run."""

from __future__ import annotations

from bench.records.asked import Suite
from bench.records.base import Record
from bench.records.prepared import Prepared


class Machine(Record, frozen=True):
    """What the numbers depend on. No host name, user or home path."""

    cpu: str
    isa: tuple[str, ...]  # the instruction sets that change results or speed
    logical_cpus: int
    effective_cpus: int  # least of affinity and cgroup quota
    memory_bytes: int
    system: str
    python: str


class EnvironmentFacts(Record, frozen=True):
    """A virtual environment that was made for a runtime."""

    key: str  # hash of its resolved, hashed requirements and of the interpreter
    requirements: tuple[str, ...]  # as asked for
    packages: int
    size_bytes: int
    build_s: float | None = None  # None where it was made before this was recorded


class Environment(Record, frozen=True):
    """``environment.json``: machine, versions, the suite as asked for, and how it went."""

    schema_version: int
    bench_version: str
    command: str
    started: str
    machine: Machine
    packages: dict[str, str]
    suite: Suite
    stages_s: dict[str, float]
    finished: bool
    models: dict[str, Prepared] = {}
    environment_facts: dict[str, EnvironmentFacts] = {}  # RuntimeSpec.display -> the environment it ran in
    environments: dict[str, dict[str, str]] = {}  # RuntimeSpec.display of a pinned version -> what it runs beside
