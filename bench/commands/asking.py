"""What ``run`` and ``verify`` share: flags and a suite file -> one Suite, or every mistake at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.commands.console import Console
from bench.errors import UsageError
from bench.flags import Flags, parse_flags
from bench.measure.machine import effective_cpus
from bench.records import Suite
from bench.specs import DEFAULT_RUNTIMES, parse_runtimes
from bench.suite import Asked, Mistakes, build_suite, merge
from bench.suite_file import SUITE_FILE, read_suite_file

_MOST_PER_CPU = 8  # threads; with hundreds for each, TensorFlow was seen to hang


def resolve_suite(flags: Flags, suite_file: Path | None, console: Console) -> Suite:
    """The suite that is asked for; a run without a model is that of ``./bench.toml``."""
    if flags.model and suite_file:
        raise UsageError(f"models come from the command line or from --suite {suite_file}, not from both")
    mistakes = Mistakes()
    asked = mistakes.attempt(lambda: parse_flags(flags, usable_runtimes)) or Asked()
    file = Asked()
    if not flags.model:
        file = mistakes.attempt(lambda: read_suite_file(suite_file or Path(SUITE_FILE), usable_runtimes)) or file
    mistakes.raise_any()
    cpus = effective_cpus()
    suite = build_suite(merge(asked, file), cpus=cpus, default_runtimes=parse_runtimes(DEFAULT_RUNTIMES))
    if suite.threads > _MOST_PER_CPU * cpus:
        most = f"{_MOST_PER_CPU} for each of the {cpus} CPU(s) that this process may use, {_MOST_PER_CPU * cpus}"
        raise UsageError(f"-x {suite.threads}: runtimes hang with so many threads; give at most {most}")
    if suite.threads > cpus:
        console.warn(f"-x {suite.threads}: this process may use {cpus} CPU(s); threads will wait for one another")
    return suite


def usable_runtimes() -> Sequence[str]:
    """What ``-e all`` stands for; imported when somebody says it."""
    from bench.runtimes import probing

    return probing.usable_runtimes()
