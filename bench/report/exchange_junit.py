"""A stored report as JUnit XML: a suite a group, a test case a case. Pure: returns text.

Other outputs than the model's, and a file that could not be opened or run, are failures; a process that crashed or
ran out of time or memory is an error; what did not run here, and what can't be told, is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.summary import barred_rows
from bench.records import Environment
from bench.report import cells, row_cells, verdict
from bench.report.junit import JunitCase, JunitSuite, Outcome, write_junit
from bench.report.notes import split_cautions
from bench.rows import Row, groups_of

_OF_STATUS: dict[str, Outcome] = {
    "failed": "failure",
    "crashed": "error",
    "timeout": "error",
    "oom": "error",
    "unavailable": "skipped",
    "unsupported": "skipped",
    "skipped": "skipped",
}


def render_junit(rows: Sequence[Row], environment: Environment | None) -> str:
    """The document, with a declaration and a final newline; where the machine is not known, without it."""
    return write_junit("bench report", [_suite(group, environment) for group in groups_of(rows)])


def _suite(rows: Sequence[Row], environment: Environment | None) -> JunitSuite:
    facts = {"verdict": verdict.sentence(rows), **(_facts_of_run(environment) if environment else {})}
    title = cells.title(rows)
    cases = tuple(_case(row, rows, title) for row in rows)
    return JunitSuite(title, cases, tuple(facts.items()), environment.started if environment else "")


def _facts_of_run(environment: Environment) -> dict[str, str]:
    machine = environment.machine
    return {
        "command": environment.command,
        "bench_version": environment.bench_version,
        "cpu": machine.cpu,
        "cpus": f"{machine.effective_cpus} of {machine.logical_cpus}",
        "memory": units.size(machine.memory_bytes),
        "system": machine.system,
        "python": machine.python,
        "finished": "yes" if environment.finished else "no: bench run --resume measures what is missing",
        **environment.packages,
    }


def _case(row: Row, rows: Sequence[Row], title: str) -> JunitCase:
    """Its class is the group: some readers keep only the first of two cases of one class and name in a whole file."""
    outcome, word, reason = _told(row)
    output = [*_facts(row, is_compared=not outcome), *split_cautions(row.cautions)]
    again = (f"reproduce: {row.reproduce}",) if outcome and row.reproduce else ()
    return JunitCase(
        title, verdict.name(row, rows), outcome, word, f"{word}: {reason}" if reason else word, again, tuple(output)
    )


def _told(row: Row) -> tuple[Outcome, str, str]:
    """The outcome, its word and its reason."""
    if row.agreement == "disagrees":
        return "failure", row.agreement, row.agreement_reason
    if row.status in _OF_STATUS:
        return _OF_STATUS[row.status], row.status, row.status_reason
    if row.agreement != "agrees":
        return "skipped", row.agreement, row.agreement_reason
    barred = [reason for _row, reason in barred_rows([row])] if row.latency_ns_best is not None else []
    return ("skipped", "cannot win", barred[0]) if barred else ("", "", "")


def _facts(row: Row, *, is_compared: bool) -> list[str]:
    speed = "reference" if verdict.is_reference(row) else verdict.comparison(row)
    known = {
        "agreement": row_cells.agreement(row),
        "tolerance": units.error(row.tolerance),
        "runtime version": row.runtime_version or units.UNKNOWN,
        "best": units.duration(row.latency_ns_best),
        "p50": units.duration(row.latency_ns_p50),
        "speed": speed if is_compared else "",
        "cold start": row_cells.cold_start(row),
        "memory over import": row_cells.memory(row),
    }
    return [f"{name}: {said}" for name, said in known.items() if said not in ("", units.UNKNOWN)]
