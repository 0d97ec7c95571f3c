"""A profile's folder: ``profile.json`` holds everything, the other files are made of it for people and for pandas.

Each file is replaced whole. ``profile.json`` is there from the first repetition on, so that a killed profile can be
compared; the others are written when it ends, however it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bench.analysis.operators import costs_of
from bench.analysis.profile_times import kernel_times, usual_calls
from bench.analysis.profiled import PROFILE_SCHEMA, Profile, ProfiledCase
from bench.errors import UsageError
from bench.report import atomic, scrub
from bench.report.picture import Picture, write_pictures
from bench.report.profile_cells import CaseView, views_of
from bench.report.profile_columns import PROFILE_TABLES
from bench.report.profile_page import page_of
from bench.report.profile_pictures import panels, profile_pictures
from bench.report.profile_text import render_markdown
from bench.report.versioned import read_versioned

PROFILE_FILE = "profile.json"
_RESTORE = "Measure it again with `bench profile`, or take the folder from where it was copied"
_replace = msgspec.structs.replace


def save_record(folder: Path, profile: Profile, private: scrub.Private | None = None) -> Profile:
    """``profile.json`` alone; returns what is in it: home paths, user and host name are taken out first."""
    private = private or scrub.this_machine()
    cases = tuple(_scrubbed(case, private) for case in profile.cases)
    kept = _replace(
        profile,
        environment=scrub.scrub_environment(profile.environment, private),
        cases=cases,
        roofs_reason=scrub.scrub_text(profile.roofs_reason, private),
    )
    atomic.write_bytes(folder / PROFILE_FILE, msgspec.json.encode(kept))
    return kept


def save_profile(
    folder: Path, profile: Profile, note: Callable[[str], None], private: scrub.Private | None = None
) -> None:
    """Everything. A page or a picture that can't be made is noted: it never costs a profile."""
    kept = save_record(folder, profile, private)
    views = views_of(kept)
    tables = {"operators": _operator_rows(kept), "layers": [row for view in views for row in _layer_rows(view)]}
    for table, rows in tables.items():
        atomic.write_with(folder / f"{table}.parquet", partial(_write_parquet, table=table, rows=rows))
    atomic.write_bytes(folder / "profile.md", render_markdown(kept, views).encode("utf-8", "backslashreplace"))
    try:
        _draw(folder, kept, views)
    except Exception as error:
        note(f"the profile is saved, its page and pictures are not: {type(error).__name__}: {error}")


def load_profile(folder: Path) -> Profile:
    """The profile in a folder. UsageError where there is none, or one that is damaged or too new for us."""
    path = folder / PROFILE_FILE
    if not path.is_file():
        raise UsageError(
            f"reading profile {folder}: no {PROFILE_FILE} in it; name a folder that `bench profile` has left"
        )
    return read_versioned(path, Profile, PROFILE_SCHEMA, doing=f"reading profile {folder}", restore=_RESTORE)


def _draw(folder: Path, profile: Profile, views: Sequence[CaseView]) -> None:
    from bench.report.pages.html import render_page

    pictures = profile_pictures(profile, views)
    page = render_page(page_of(profile, views, pictures))
    atomic.write_bytes(folder / "profile.html", page.encode("utf-8", "backslashreplace"))
    rooflines = [picture for picture in pictures if picture.name.startswith("roofline")]
    files: list[Picture] = [picture for picture in pictures if picture not in rooflines]
    if rooflines:
        files.append(panels(rooflines, "roofline", "Layers under the roofs of this machine"))
    write_pictures(files, folder, "png")
    write_pictures(files, folder, "svg")


def _scrubbed(case: ProfiledCase, private: scrub.Private) -> ProfiledCase:
    reason, layers_reason = (scrub.scrub_text(text, private) for text in (case.reason, case.layers_reason))
    return _replace(case, row=scrub.scrub_row(case.row, private), reason=reason, layers_reason=layers_reason)


def _operator_rows(profile: Profile) -> list[dict[str, Any]]:
    return [
        {
            "case_id": case.row.case_id,
            "repetition": repetition,
            "kernel": kernel.name,
            "operator": kernel.operator,
            "provider": kernel.provider,
            "layers": " + ".join(case.layers[one].name for one in kernel.layers) or None,
            "calls": len(kernel.time_ns[place]),
            "time_ns": time_ns,
            "output_bytes": kernel.output_bytes,
        }
        for case in profile.cases
        for usual in [usual_calls(case)]
        for kernel in case.kernels
        for place, (repetition, time_ns) in enumerate(zip(case.repetitions, kernel_times(kernel, usual), strict=True))
    ]


def _layer_rows(view: CaseView) -> list[dict[str, Any]]:
    case, rows = view.case, []
    for line, rate in zip(view.lines, view.rates, strict=True):
        costs = costs_of(line.layers, case.layers, case.row.batch_size)
        own = ("flops_per_s", "bytes_per_s", "intensity", "roof_share", "bound", "headroom_ns")
        rows.append(
            {
                "case_id": case.row.case_id,
                "line": line.name,
                "kind": line.kind,
                "operators": ", ".join(line.operators) or None,
                "time_ns": line.time.estimate,
                "time_ns_low": line.time.low,
                "time_ns_high": line.time.high,
                "interval_level": line.time.level,
                "time_share": line.time.estimate / view.whole_ns if view.whole_ns else None,
                "multiply_adds": costs.multiply_adds,
                "parameters": costs.parameters if line.layers else None,
                "traffic_bytes": costs.traffic_bytes,
                **{name: getattr(rate, name) for name in own},
            }
        )
    return rows


def _write_parquet(path: Path, table: str, rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from bench.report.frame import ARROW_TYPES, storable

    columns = PROFILE_TABLES[table]
    schema = pa.schema([(column.name, ARROW_TYPES[column.dtype]) for column in columns])
    schema = schema.with_metadata({b"bench_profile_schema_version": str(PROFILE_SCHEMA).encode()})
    arrays = [
        pa.array(
            [storable(value) if isinstance(value, str) else value for value in (row[column.name] for row in rows)],
            ARROW_TYPES[column.dtype],
        )
        for column in columns
    ]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")
