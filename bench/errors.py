"""BenchError and the few subclasses that differ by exit code. Imports nothing of ours.

A message has three parts: what was being done, expected against seen, how to go on.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_USAGE = 2
EXIT_DISAGREE = 3
EXIT_OVER_BUDGET = 4
EXIT_CANNOT_TELL = 5
EXIT_CASE_FAILED = 6
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

PRECEDENCE = (
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    EXIT_USAGE,
    EXIT_DISAGREE,
    EXIT_OVER_BUDGET,
    EXIT_CASE_FAILED,
    EXIT_CANNOT_TELL,
)


class BenchError(Exception):
    """A mistake of the user's or a state of the world, never a bug of ours: one clear line and an exit code."""

    exit_code = EXIT_CASE_FAILED


class UsageError(BenchError):
    """What was asked for cannot be meant: a wrong name, key, file or combination."""

    exit_code = EXIT_USAGE


class OptionError(UsageError):
    """An option of a model that it does not have, or a value of another kind than it takes: no model is meant."""


class DisagreeError(BenchError):
    """Outputs were compared and are not the same function."""

    exit_code = EXIT_DISAGREE


class UnavailableError(BenchError):
    """A runtime, provider or device is not there; never answered by a fallback."""


class UnsupportedError(BenchError):
    """The model and the runtime or exporter do not fit: an operator, a type, a size."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends everything as Ctrl-C does, with an exit code of its own."""


def first_line(error: BaseException, *, named: bool = False) -> str:
    """The first line of an exception's text that says anything, after its kind where ``named``; else its kind alone."""
    kind = type(error).__name__
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{kind}: {line}" if named and line else line or kind


def strongest_exit(codes: list[int]) -> int:
    """The one exit code that stands for several (contract: 130, 143, 2, 3, 4, 6, 5, then 0)."""
    return next((code for code in PRECEDENCE if code in codes), EXIT_OK)
