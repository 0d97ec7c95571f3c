"""What the verbs that take models share: flags and a suite file -> one Suite, or every mistake at once."""

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


def resolve_suite(
    flags: Flags, suite_file: Path | None, console: Console, *, default_threads: int | None = None
) -> Suite:
    """The suite that is asked for; a run without a model is that of ``./bench.toml``.

    ``default_threads`` are the CPUs that we may use where nothing else is said.
    """
    return make_suite(resolve_asked(flags, suite_file), console, default_threads=default_threads)


def resolve_asked(flags: Flags, suite_file: Path | None) -> Asked:
    """What flags and a suite file ask for, the flags winning; UsageError with every mistake of both."""
    if flags.model and suite_file:
        raise UsageError(f"models come from the command line or from --suite {suite_file}, not from both")
    mistakes = Mistakes()
    asked = mistakes.attempt(lambda: parse_flags(flags, usable_runtimes)) or Asked()
    file = Asked()
    if not flags.model:
        file = mistakes.attempt(lambda: read_suite_file(suite_file or Path(SUITE_FILE), usable_runtimes)) or file
    mistakes.raise_any()
    return merge(asked, file)


def make_suite(asked: Asked, console: Console, *, default_threads: int | None = None) -> Suite:
    """The suite with its defaults; more threads than CPUs are told, far too many refused."""
    cpus = effective_cpus()
    suite = build_suite(asked, cpus=default_threads or cpus, default_runtimes=parse_runtimes(DEFAULT_RUNTIMES))
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
