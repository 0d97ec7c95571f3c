"""The environments that were made for runtimes of a report, as cells of a table or lines of text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.records import Environment, EnvironmentFacts
from bench.rows import Row

HEADER = ("runtime", "requirements", "packages", "size", "made in", "key")
_KEY_LENGTH = 12


def environment_rows(environment: Environment | None, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A row for each environment, with the runtimes that ran in it in the order of the table."""
    facts = environment.environment_facts if environment else {}
    sharing: dict[str, list[str]] = {}
    for name in dict.fromkeys(row.runtime_spec for row in rows if row.runtime_spec in facts):
        sharing.setdefault(facts[name].key, []).append(name)
    return [_cells(", ".join(names), facts[names[0]]) for names in sharing.values()]


def environment_lines(environment: Environment | None, rows: Sequence[Row]) -> list[str]:
    """The same as sentences, for the terminal."""
    return [
        f"{name}: {requirements}, {packages} packages, {size}, made in {made}, key {key}"
        for name, requirements, packages, size, made, key in environment_rows(environment, rows)
    ]


def _cells(name: str, facts: EnvironmentFacts) -> tuple[str, ...]:
    made = units.UNKNOWN if facts.build_s is None else units.duration(facts.build_s * 1e9)
    size = units.size(facts.size_bytes)
    return name, ", ".join(facts.requirements), str(facts.packages), size, made, facts.key[:_KEY_LENGTH]
