"""What a report's numbers depend on, for its page: machine, versions, digests, command, where the time went. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bench import units
from bench.records import Environment
from bench.report import places
from bench.report.pages.page import Cell, Part, Table
from bench.rows import Row

if TYPE_CHECKING:
    from bench.report.store import Report


def facts_of(environment: Environment) -> tuple[tuple[str, str], ...]:
    """What stands beneath the verdict."""
    machine = environment.machine
    return (
        ("machine", f"{machine.cpu}, {machine.effective_cpus} of {machine.logical_cpus} CPUs"),
        ("memory", units.size(machine.memory_bytes)),
        ("system", f"{machine.system}, Python {machine.python}"),
        ("started", environment.started),
        ("bench", environment.bench_version),
        ("run", "finished" if environment.finished else "not finished"),
    )


def fact_parts(report: Report, rows: Sequence[Row]) -> tuple[Part, ...]:
    """Folded parts: what few look for, and somebody needs."""
    environment = report.environment
    runtimes = Table(
        name="runtime_versions",
        caption="Runtimes",
        header=("runtime", "version", "provider", "options", "called by", "environment"),
        rows=_lines(
            (row.runtime_spec or row.runtime, _or(row.runtime_version), _or(row.provider), row.runtime_options,
             _or(row.call_path), row.environment or "that of bench")
            for row in rows
        ),
    )  # fmt: skip
    return (
        Part(
            name="versions", title="Machine and versions", tables=(runtimes, *_versions(environment, rows)), folded=True
        ),
        Part(name="digests", title="Digests of models, inputs and files", tables=(_digests(rows),), folded=True),
        Part(name="run", title="How it was run", tables=_run(environment), folded=True),
    )


def _versions(environment: Environment, rows: Sequence[Row]) -> Iterator[Table]:
    machine = environment.machine
    facts = [("CPU", machine.cpu), ("instruction sets", ", ".join(machine.isa)), ("system", machine.system)]
    facts += [("CPUs that may be used", f"{machine.effective_cpus} of {machine.logical_cpus}")]
    facts += [("memory", units.size(machine.memory_bytes)), ("Python", machine.python)]
    yield _plain("machine", "Machine", ("what", "value"), facts)
    yield _plain(
        "packages", "Packages of bench's own environment", ("package", "version"), environment.packages.items()
    )
    if own := places.environment_rows(environment, rows):
        yield _plain("environments", "Environments that were made for runtimes", places.HEADER, own)
    for number, (runtime, packages) in enumerate(environment.environments.items(), start=1):
        name = f"packages_{number}"
        yield _plain(name, f"What {runtime} ran beside", ("package", "version"), packages.items())
    for number, (model, prepared) in enumerate(environment.models.items(), start=1):
        if prepared.versions:
            name = f"prepared_{number}"
            yield _plain(name, f"What prepared {model}", ("package", "version"), prepared.versions.items())


def _digests(rows: Sequence[Row]) -> Table:
    lines = [
        (row.model, row.runtime_spec or row.runtime, str(row.batch_size), *map(_or, digests))
        for row in rows
        if any(digests := (row.model_digest, row.input_digest, row.artifact_digest))
    ]
    header = ("model", "runtime", "batch", "model digest", "input digest", "file digest")
    return Table(name="digest_table", caption="sha256", header=header, rows=_lines(lines))


def _run(environment: Environment) -> tuple[Table, ...]:
    suite = environment.suite
    prepare, measure = suite.prepare, suite.measure
    facts = [
        ("command", environment.command),
        ("seed", f"{prepare.seed} (inputs), {measure.seed} (order)"),
        ("repetitions", str(measure.repetitions)),
        ("distinct inputs", str(prepare.pool_size)),
        ("opset", str(prepare.opset)),
        ("threads", str(suite.threads)),
        ("schema of the report", str(environment.schema_version)),
    ]
    seconds = environment.stages_s
    stages = [(name, units.duration(spent * 1e9)) for name, spent in seconds.items()]
    stages.append(("in all", units.duration(sum(seconds.values()) * 1e9)))
    return (
        _plain("settings", "As asked for", ("what", "value"), facts),
        _plain("stages", "Where the time went", ("stage", "time"), stages),
    )


def _plain(name: str, caption: str, header: tuple[str, ...], lines: Iterable[Sequence[str]]) -> Table:
    return Table(name=name, caption=caption, header=header, rows=_lines(lines), has_controls=False)


def _lines(lines: Iterable[Sequence[str]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(Cell(text) for text in line) for line in dict.fromkeys(map(tuple, lines)))


def _or(value: str | None) -> str:
    return value or units.UNKNOWN
