"""``bench report``."""

from __future__ import annotations

from pathlib import Path

from bench.commands.console import Console
from bench.errors import EXIT_OK, UsageError

FORMATS = ("text", "md", "csv", "json")


def print_report(folder: Path, format_name: str, *, console: Console) -> int:
    """Print a stored report in one of FORMATS."""
    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: expected one of {', '.join(FORMATS)}")

    from bench.report import render
    from bench.report.store import load_report

    report = load_report(folder)
    rows = report.rows()
    if format_name == "md":
        text = render.render_markdown(rows, report.environment)
    elif format_name == "csv":
        text = render.render_csv(rows)
    elif format_name == "json":
        text = render.render_json(rows)
    else:
        text = render.render_text(rows, report.environment, width=console.width, colour=console.colour)
    console.say(text.rstrip("\n"))
    return EXIT_OK
