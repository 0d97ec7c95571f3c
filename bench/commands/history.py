"""``bench history``: advisory, so that change points are no exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.console import Console
from bench.commands.report_files import written_to
from bench.errors import EXIT_CANNOT_TELL, EXIT_OK, BenchError, UsageError

if TYPE_CHECKING:
    from bench.check.history_records import History
    from bench.progress import Progress

TEXTS = ("text", "md", "csv", "json")
FILES = ("html", "png", "svg")


def show_history(
    places: Sequence[str],
    *,
    metric: str = "latency",
    case: str = "",
    format_name: str = "text",
    out: Path | None = None,
    changes: bool = True,
    console: Console,
    progress: Progress,
) -> int:
    """Print the history of reports, or write it to ``out``: a file, for pictures a folder.

    0 whatever changed, 5 where no report could be read or no case is of that name.
    """
    _refuse_wrong(metric, format_name, out)
    from bench.check.history import history_of

    history = history_of(places, metric, case)
    if not history.trends:
        _tell_nothing(history, case, console)
        return EXIT_CANNOT_TELL
    _write(_judged(history, progress) if changes else _unjudged(history), format_name, out, console)
    return EXIT_OK


def _refuse_wrong(metric: str, format_name: str, out: Path | None) -> None:
    from bench.check.history_records import TRACKED

    if metric not in TRACKED:
        raise UsageError(f"--metric {metric}: expected one of {', '.join(TRACKED)}")
    if format_name not in (*TEXTS, *FILES):
        raise UsageError(f"--format {format_name}: expected one of {', '.join((*TEXTS, *FILES))}")
    if out is None and format_name in FILES:
        example = "history.html" if format_name == "html" else "pictures"
        raise UsageError(f"--format {format_name}: this is written, not printed; say where, as in -o {example}")
    if out is not None and out.is_dir() and format_name not in ("png", "svg"):
        raise UsageError(f"-o {out}: this is a folder; name the file")


def _tell_nothing(history: History, case: str, console: Console) -> None:
    _tell_left_out(history, console)
    if history.reports:
        console.warn(f"--case {case}: none of the cases of {len(history.reports)} reports has this in its name")
    else:
        console.warn("history: no report could be read")


def _tell_left_out(history: History, console: Console) -> None:
    from bench.report.text import visible

    for one in history.left_out:
        console.warn(visible(f"{one.path}: {one.reason}"))


def _judged(history: History, progress: Progress) -> History:
    """With change points; without them and with the reason where they can't be had."""
    import msgspec

    from bench.check.history_otava import ChangePoint, provide_otava
    from bench.check.history_steps import with_steps

    def ask(series: Sequence[Sequence[float]]) -> list[list[ChangePoint]]:
        return provide_otava(progress.stage).change_points(series)

    try:
        return with_steps(history, ask)
    except UsageError:
        raise
    except BenchError as error:
        return msgspec.structs.replace(history, unjudged=str(error))


def _unjudged(history: History) -> History:
    import msgspec

    return msgspec.structs.replace(history, unjudged="--no-changes was given")


def _write(history: History, format_name: str, out: Path | None, console: Console) -> None:
    if format_name in ("png", "svg"):
        _write_pictures(history, format_name, out, console)
        return
    text = _rendered(history, format_name, console)
    if format_name == "csv":  # which has no place for it
        _tell_left_out(history, console)
    if out is None:
        console.say(text.rstrip("\n"))
        return
    from bench.report import atomic

    with written_to(out, "name another file with -o"):
        atomic.write_bytes(out, text.encode("utf-8", "backslashreplace"))
    console.say(str(out)) if format_name == "html" else console.warn(f"written: {out}")


def _rendered(history: History, format_name: str, console: Console) -> str:
    if format_name == "html":
        from bench.check.history_page import render_history_page

        return render_history_page(history)
    from bench.check import history_export

    if format_name == "text":
        return history_export.render_text(history, console.width)
    render = {"md": history_export.render_markdown, "csv": history_export.render_csv}
    return render.get(format_name, history_export.render_json)(history)


def _write_pictures(history: History, format_name: str, out: Path | None, console: Console) -> None:
    from bench.check.history_pictures import pictures_of
    from bench.report.picture import write_pictures

    assert out is not None
    with written_to(out, "name another folder with -o"):
        paths = write_pictures(pictures_of(history), out, "png" if format_name == "png" else "svg")
    console.say("\n".join(map(str, paths)))
