"""``bench profile``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.analysis.profiled import Profile, repetitions_of
from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.profile_diff import diff_exit, diff_json, diff_text
from bench.commands.report_folder import claimed_folder
from bench.commands.tables import draw_table
from bench.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, UsageError, strongest_exit
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Suite

_MOST_LINES = 12  # printed of a case; the folder has them all
_KINDS, _LINES = (0, 1, 2, 3, 4), (0, 2, 3, 6, 7, 9, 10, 11)  # columns that a terminal has room for
_SUMMED = 40  # letters of a name


def profile_models(
    flags: Flags,
    *,
    diff: bool,
    out: Path | None,
    as_json: bool,
    command: str,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Profile every case of the suite, print where its time goes and where the folder is.

    Returns 0, 3 where outputs disagree, 5 unverified, 6 where a case has no operator times; with ``diff`` of two cases
    0 where the change is told, 5 where it is not told apart from noise or they can't be compared. 130 or 143 where it
    was interrupted, after what is there is told; KeyboardInterrupt where nothing is, or while it is drawn.
    """
    if not platform.startswith("linux"):
        raise UsageError(f"bench profile measures on Linux only, this is {platform}")
    suite = resolve_suite(flags, None, console)
    if diff:
        _refuse_but_two(suite)

    from bench.profiling import profile_suite
    from bench.report.profile_store import PROFILE_FILE, save_profile, save_record

    with claimed_folder(out, suite.models, datetime.now(UTC), prefix="profile-") as folder:
        made = profile_suite(
            suite,
            command=command,
            together=diff,
            keep=lambda profile: _drop(save_record(folder, profile)),
            progress=progress,
        )
        progress.stage("drawing")
        try:
            save_profile(folder, made.profile, console.warn)
        except KeyboardInterrupt:
            console.warn(f"interrupted while drawing: what was measured is in {folder / PROFILE_FILE}")
            raise
    progress.done()
    code = made.exit_code
    if diff and made.profile.environment.finished:
        code = strongest_exit([code, diff_exit(made.profile)])
    console.say(_said(made.profile, diff=diff, as_json=as_json))
    if made.exit_code in (EXIT_INTERRUPTED, EXIT_TERMINATED):
        whole, asked = repetitions_of(made.profile)
        console.warn(f"interrupted: {whole} of {asked} repetitions are whole and kept")
    console.warn(f"profile: {folder}")
    return code


def profile_text(profile: Profile) -> str:
    """For each case its sentences, kinds, and the lines with most to win."""
    from bench.report.profile_cells import (
        KIND_HEADER,
        LINE_HEADER,
        LINE_NUMBERS,
        case_sentences,
        kind_cells,
        line_cells,
        views_of,
    )
    from bench.report.profile_doubts import doubt_sentences
    from bench.report.profile_reading import legend
    from bench.report.profile_text import opening
    from bench.report.text import visible

    views = views_of(profile)
    parts = ["\n".join(case_sentences(view)[0] for view in views), "\n".join(opening(profile))]
    for view in views:
        parts.append("\n".join((view.name, *case_sentences(view)[1:], *doubt_sentences(view.case.row))))
        if view.lines:
            cells = line_cells(view)
            parts.append(_table(KIND_HEADER, kind_cells(view.kinds), _KINDS, (1, 2, 3, 4)))
            parts.append(_table(LINE_HEADER, cells[:_MOST_LINES], _LINES, LINE_NUMBERS))
            if len(cells) > _MOST_LINES:
                parts[-1] += f"\n... and {len(cells) - _MOST_LINES} more lines in the folder's tables"
    parts.append("\n".join(legend(profile, views)))
    return "\n\n".join("\n".join(visible(line) for line in part.splitlines()) for part in parts)


def profile_json(profile: Profile) -> str:
    """Everything that was measured."""
    return msgspec.json.format(msgspec.json.encode(profile), indent=2).decode()


def _said(profile: Profile, *, diff: bool, as_json: bool) -> str:
    if diff and profile.environment.finished:
        return diff_json(profile) if as_json else f"{diff_text(profile)}\n\n{profile_text(profile)}"
    return profile_json(profile) if as_json else profile_text(profile)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[int], numeric: Sequence[int]) -> str:
    shown = [[_cut(row[column]) for column in columns] for row in rows]
    right = [place for place, column in enumerate(columns) if column in numeric]
    return draw_table([header[column] for column in columns], shown, right)


def _cut(text: str) -> str:
    return text if len(text) <= _SUMMED else f"{text[: _SUMMED - 3]}..."


def _refuse_but_two(suite: Suite) -> None:
    """UsageError unless the suite has exactly two cases: a difference has two sides."""
    cases = sum(len(suite.runtimes) * len(suite.batch_sizes[model.display]) for model in suite.models)
    cases *= len(suite.streams)
    if cases != 2:
        raise UsageError(
            f"--diff: expected two cases, got {cases}; give two runtimes (-e A,B), or two models and one runtime, "
            "or two folders that bench profile has left: bench profile --diff A B"
        )


def _drop(_: object) -> None:
    """What is saved is not needed."""
