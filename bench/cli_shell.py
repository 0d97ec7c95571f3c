"""What is around every verb of the command line: its words, its progress, and its errors as an exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec

from bench.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, BenchError, Terminated, UsageError

if TYPE_CHECKING:
    from bench.commands.console import Console
    from bench.flags import Flags
    from bench.progress import Progress

EXIT_BUG = 1  # Python's own, so that a bug of ours is never read as a slow model
P = ParamSpec("P")


def guarded(verb: Callable[P, int]) -> Callable[P, int]:
    """``verb`` with its errors as an exit code: one clear line for a user's mistake, a traceback for a bug of ours."""

    @functools.wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return verb(*args, **kwargs)
        except BenchError as error:
            warn(str(error))
            return error.exit_code
        except Terminated:
            warn("ended by SIGTERM")
            return EXIT_TERMINATED
        except KeyboardInterrupt:
            warn("interrupted")
            return EXIT_INTERRUPTED
        except Exception:
            traceback.print_exc()
            return EXIT_BUG

    return call


def asked_flags(values: Mapping[str, Any]) -> Flags:
    """The flags among a verb's parameters, lists as tuples and None as nothing said."""
    from bench.flags import Flags

    said = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    asked: dict[str, Any] = {name: said[name] for name in Flags.__struct_fields__ if said.get(name) is not None}
    return Flags(**asked)


def typed_command() -> str:
    """The command line, as it can be typed again."""
    return shlex.join(["bench", *sys.argv[1:]])


def say(text: str) -> None:
    """Print results on stdout; a reader who has gone away does not change the exit code. UsageError for a full disk."""
    with written_stdout():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


@contextlib.contextmanager
def written_stdout() -> Iterator[None]:
    """What writing to stdout raises: nothing of a reader who has gone away, UsageError of anything else."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):  # what is still in the buffer must not fail again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"writing to standard output: {error.strerror}") from error


def open_closed_streams() -> None:
    """Nowhere in the place of each standard stream that is closed: no file of ours may get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 (open until the end)
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def warn(text: str) -> None:
    """Print to people on stderr, every line marked as ours."""
    with contextlib.suppress(BrokenPipeError):
        for line in text.splitlines() or [""]:
            sys.stderr.write(f"bench: {line}\n")
        sys.stderr.flush()


def make_console() -> Console:
    """Where a verb's words go, with the terminal's width and colour."""
    from bench.commands.console import Console

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Console(say=say, warn=warn, width=shutil.get_terminal_size((100, 24)).columns, colour=colour)


@contextlib.contextmanager
def shown_progress(*, each_unit: bool = False) -> Iterator[Progress]:
    """Progress on stderr, ended however the block ends; see ``progress.choose_progress``."""
    from bench.progress import choose_progress

    progress = choose_progress(sys.stderr, each_unit=each_unit)
    try:
        yield progress
    finally:
        progress.done()
