"""``bench bisect``."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec

from bench.bisect_text import depth_cells, lines_of
from bench.bisected import Bisected, Depth
from bench.commands.asking import make_suite, resolve_asked
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_CANNOT_TELL, EXIT_CASE_FAILED, EXIT_DISAGREE, EXIT_OK, UsageError
from bench.flags import Flags
from bench.progress import Progress
from bench.specs import parse_runtimes

_EXIT = {
    "found": EXIT_DISAGREE,
    "the file as a whole": EXIT_DISAGREE,
    "nothing differs": EXIT_OK,
    "cannot tell": EXIT_CANNOT_TELL,
    "failed": EXIT_CASE_FAILED,
}
_HEADER = ("", "layer", "kind", "float32", "file", "runtime", "budget", "verdict")


def bisect_model(
    flags: Flags, *, out: Path | None, every_layer: bool, as_json: bool, console: Console, progress: Progress
) -> int:
    """Print the first layer that leaves its budget; returns 3 where there is one, 0 where nothing differs.

    3 too where the file as a whole is another function, 5 where it can't be told, 6 where the model could not be
    exported or run. ``out`` gets the part that is wrong alone, the table of layers and the picture.
    """
    asked = resolve_asked(flags, None)
    if not asked.runtimes:
        asked = msgspec.structs.replace(asked, runtimes=parse_runtimes(("onnxruntime-cpu",)))
    suite = make_suite(asked, console)
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"-o {out}: expected a new or an empty folder")

    from bench.bisecting import bisect_suite

    found = bisect_suite(suite, every_layer=every_layer, progress=progress, keep=out / "part" if out else None)
    progress.done()
    if out is not None and found.layers:
        _store(found, out)
    console.say(_as_json(found) if as_json else _as_text(found, every_layer=every_layer))
    return _EXIT[found.verdict]


def _as_json(found: Bisected) -> str:
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _as_text(found: Bisected, *, every_layer: bool) -> str:
    lines = lines_of(found)
    if every_layer and found.layers:
        lines += ["", draw_table(_HEADER, [depth_cells(row) for row in found.layers], numeric=(0, 3, 4, 5, 6))]
        lines += [f"{found.layer_runs} more runs for the layers that the search had not seen"]
    return "\n".join(lines)


def _store(found: Bisected, out: Path) -> None:
    """The table of layers, and the picture of their errors."""
    from bench.bisect_picture import draw_errors

    out.mkdir(parents=True, exist_ok=True)
    with (out / "layers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, Depth.__struct_fields__)
        writer.writeheader()
        writer.writerows(msgspec.structs.asdict(row) for row in found.layers)
    draw_errors(found, out)
