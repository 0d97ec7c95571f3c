"""``bench compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.check.bundle import BUNDLE_FILE
from bench.check.gate_store import GATE_FILE
from bench.commands.console import Console
from bench.errors import UsageError

FORMATS = ("text", "md", "csv", "json")


def compare_folders(
    folders: Sequence[Path],
    *,
    fail_on: Sequence[str] = (),
    allow: Sequence[str] = (),
    format_name: str = "text",
    console: Console,
) -> int:
    """Print stored reports side by side in one of FORMATS; the comparison's exit code."""
    if format_name not in FORMATS:
        raise UsageError(f"--format {format_name}: expected one of {', '.join(FORMATS)}")

    from bench.check import render_compare
    from bench.check.comparability import parse_allowed
    from bench.check.compare import compare
    from bench.check.compare_frame import load_sides
    from bench.check.fail_on import parse_budgets

    budgets, allowed = parse_budgets(fail_on), parse_allowed(allow)
    for folder in folders:
        _refuse_other_folders(folder)
    comparison = compare(load_sides(folders), budgets=budgets, allowed=allowed)
    if format_name == "text":
        said = render_compare.render_text(comparison, width=console.width)
    else:
        render = {"md": render_compare.render_markdown, "csv": render_compare.render_csv}
        said = render.get(format_name, render_compare.render_json)(comparison)
    console.say(said.rstrip("\n"))
    return comparison.exit_code


def _refuse_other_folders(folder: Path) -> None:
    """UsageError where it is a gate or a bundle: they are told apart by what they hold."""
    if (folder / "environment.json").exists():
        return
    if (folder / GATE_FILE).is_file():
        raise UsageError(
            f"comparing {folder}: it is the folder of a gate, which has its verdict already (`bench ci`); "
            "expected folders of reports, made by `bench run`"
        )
    if (folder / BUNDLE_FILE).is_file():
        raise UsageError(
            f"comparing {folder}: it is a bundle, which has no numbers; `bench gate` measures one against another, "
            "expected folders of reports, made by `bench run`"
        )
