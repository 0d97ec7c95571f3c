"""``bench export --all-exporters``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import units
from bench.analysis.exporters import ExporterRow, exit_code_of, headline, named
from bench.commands.asking import make_suite
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import UsageError
from bench.flags import Flags, parse_flags
from bench.prepare.exporters import DEFAULT_OPSETS
from bench.prepare.opsets import GREATEST_OPSET, LEAST_OPSET
from bench.progress import Progress
from bench.records import Suite

_HEADER = ("exporter", "opset", "size", "nodes", "operators", "loads", "agreement", "error", "latency", "of reference")


def compare_exporters(
    flags: Flags,
    *,
    opsets: str | None,
    out: Path | None,
    as_json: bool,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Print one row a file; returns 0 ours agrees, 3 a file disagrees, 5 cannot tell, 6 none of ours is of use."""
    if not platform.startswith("linux"):
        raise UsageError(
            f"--all-exporters measures latency, on Linux only; this is {platform}: export one with -o FILE"
        )
    asked = parse_opsets(opsets, flags.opset)
    suite = make_suite(parse_flags(flags), console)
    _refuse_onnx(suite)
    folder = _folder(out)

    from bench.exporting import compare_exports

    rows = compare_exports(suite, asked, folder, progress)
    progress.done()
    console.say(json_text(suite.models[0].display, rows) if as_json else exporters_text(rows))
    if folder is not None and not as_json:
        console.warn(f"files: {folder}")
    return exit_code_of(rows)


def parse_opsets(text: str | None, single: int | None = None) -> tuple[int, ...]:
    """``"13,15,18"`` -> ``(13, 15, 18)``, each once; ``single`` is ``--opset``'s, the default where nothing is said."""
    if text is None:
        return DEFAULT_OPSETS if single is None else (single,)
    if single is not None:
        raise UsageError(f"--opsets {text} and --opset {single} contradict each other; give one of them")
    pieces = [piece.strip() for piece in text.split(",")]
    numbers = [int(piece) for piece in pieces if piece.isascii() and piece.isdigit()]
    if len(numbers) < len(pieces) or not all(LEAST_OPSET <= number <= GREATEST_OPSET for number in numbers):
        bounds = f"{LEAST_OPSET} to {GREATEST_OPSET}, which tf2onnx can write"
        raise UsageError(f"--opsets {text}: expected numbers of {bounds}, such as 13,15,18")
    return tuple(dict.fromkeys(numbers))


def exporters_text(rows: Sequence[ExporterRow]) -> str:
    """The sentence, the table, then a line for everything that is not as it should be or was guessed."""
    lines = [headline(rows), draw_table(_HEADER, [_cells(row) for row in rows], numeric=(1, 2, 3, 4, 7, 8))]
    by_text: dict[str, list[ExporterRow]] = {}
    for row in rows:
        for text in filter(None, (row.reason, _pairing(row))):
            by_text.setdefault(text, []).append(row)
    return "\n".join([*lines, *(f"{named(those)}: {text}" for text, those in by_text.items()), _legend(rows)])


def json_text(model: str, rows: Sequence[ExporterRow]) -> str:
    """All that is known, as one JSON object."""
    value = {"model": model, "verdict": headline(rows), "exit_code": exit_code_of(rows), "files": rows}
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _pairing(row: ExporterRow) -> str:
    """What is told of a file whose tensors were not paired by name."""
    how = "each is the only one" if row.paired == "the only one" else f"paired {row.paired}"
    return "" if row.paired in ("", "by name") else f"inputs or outputs have other names than the model's: {how}"


def _cells(row: ExporterRow) -> tuple[str, ...]:
    if row.is_reference:
        ratio = "reference"
    elif row.ratio_to_reference is None:
        ratio = units.UNKNOWN
    else:
        ratio = f"{row.ratio_to_reference:.2f} ({row.ratio_low:.2f} to {row.ratio_high:.2f})"
    return (
        row.exporter,
        str(row.opset),
        units.size(row.size_bytes),
        units.UNKNOWN if row.nodes is None else str(row.nodes),
        str(len(row.operators)) if row.operators else units.UNKNOWN,
        "yes" if row.loads else "no",
        row.agreement,
        units.error(row.relative_error),
        units.duration(row.latency_ns_best),
        ratio,
    )


def _legend(rows: Sequence[ExporterRow]) -> str:
    level = next((row.interval_level for row in rows if row.interval_level is not None), None)
    said = "error: largest difference over the output's spread; latency: of one call, ONNX Runtime's CPU provider"
    return f"{said}; in brackets the {units.percent(level)} interval of the ratio" if level is not None else said


def _refuse_onnx(suite: Suite) -> None:
    (model,) = suite.models
    if model.kind == "onnx":
        raise UsageError(
            f"--all-exporters: {model.display} is ONNX already, there is nothing to export; "
            "give the Keras model or SavedModel that it was made from"
        )


def _folder(out: Path | None) -> Path | None:
    if out is None:
        return None
    if out.exists() and not out.is_dir():
        raise UsageError(f"-o {out}: with --all-exporters this is the folder of all files, and it is a file")
    if out.suffix == ".onnx":
        raise UsageError(f"-o {out}: with --all-exporters this is the folder of all files, such as -o exported")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"-o {out}: {error.strerror or error}") from error
    return out
