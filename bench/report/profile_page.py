"""A profile as the records of a page: sentences first, then pictures, then every line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.profiled import Profile
from bench.analysis.roofline import roof_of
from bench.report.pages.page import Caution, Cell, Page, Part, Table
from bench.report.picture import Picture
from bench.report.profile_cells import (
    KIND_HEADER,
    LINE_HEADER,
    LINE_NUMBERS,
    CaseView,
    case_sentences,
    kind_cells,
    line_cells,
    line_pairs,
)
from bench.report.profile_doubts import doubts_of
from bench.report.profile_reading import legend, roof_sentences
from bench.report.profile_text import opening
from bench.report.render import heading

_STATES = {"overhead": "doubt", "above the roof": "doubt"}


def page_of(profile: Profile, views: Sequence[CaseView], pictures: Sequence[Picture]) -> Page:
    """The whole page of ``profile.html``."""
    shares = [picture for picture in pictures if picture.name == "shares"]
    under = [picture for picture in pictures if picture.name != "shares"]
    parts = [
        Part(name="shares", title="Where the time goes", texts=tuple(opening(profile)[1:]), pictures=tuple(shares))
    ]
    if under:
        parts.append(Part(name="rooflines", title="How near the machine's roofs", pictures=tuple(under)))
    parts += [_case_part(view, number) for number, view in enumerate(views, 1)]
    parts.append(
        Part(name="reading", title="How to read the numbers", texts=tuple(legend(profile, views)), folded=True)
    )
    return Page(
        title=_title(profile),
        verdict=tuple(case_sentences(view)[0] for view in views),
        parts=tuple(parts),
        facts=_facts(profile),
    )


def _title(profile: Profile) -> str:
    models = list(dict.fromkeys(case.row.model for case in profile.cases))
    return f"Where the time goes: {', '.join(models)}"


def _case_part(view: CaseView, number: int) -> Part:
    first, *others = case_sentences(view)
    tables = (_kind_table(view, number), _line_table(view, number)) if view.lines else ()
    return Part(
        name=f"case_{number}",
        title=view.name,
        texts=tuple(others) or (first,),
        tables=tables,
        cautions=_cautions(view),
    )


def _cautions(view: CaseView) -> tuple[Caution, ...]:
    row = view.case.row
    doubts = doubts_of(row, view.name)
    if not view.lines:
        why = view.case.reason or row.status_reason or row.status
        return (Caution(about=view.name, text=f"not profiled: {why}"), *doubts)
    if row.agreement == "agrees":
        return doubts
    told = f"its outputs are not verified ({row.agreement}): no speed without agreement"
    advice = "See whose error it is, then profile again."
    return (
        Caution(about=view.name, text=told, advice=advice, command=f"bench verify {row.model} -e {row.runtime_spec}"),
        *doubts,
    )


def _kind_table(view: CaseView, number: int) -> Table:
    rows = [
        tuple(
            Cell(text=text, key=key)
            for text, key in zip(
                cells,
                (None, kind.time_ns, kind.time_share, kind.multiply_adds_share, kind.parameters_share),
                strict=True,
            )
        )
        for kind, cells in zip(view.kinds, kind_cells(view.kinds), strict=True)
    ]
    return Table(
        name=f"kinds_{number}",
        caption="By kind of layer: time beside multiply-adds and parameters",
        header=KIND_HEADER,
        rows=tuple(rows),
        numeric=frozenset(range(1, len(KIND_HEADER))),
        has_controls=False,
    )


def _line_table(view: CaseView, number: int) -> Table:
    rows = []
    for (line, rate), cells in zip(line_pairs(view), line_cells(view), strict=True):
        keys: tuple[float | str | None, ...] = (
            *(None, None, line.time.estimate, line.time.estimate, rate.flops, rate.traffic_bytes, rate.flops_per_s),
            *(rate.bytes_per_s, rate.intensity, rate.roof_share, None, rate.headroom_ns),
        )
        states = ["doubt" if name == "bound by" and _STATES.get(rate.bound) else "" for name in LINE_HEADER]
        rows.append(
            tuple(Cell(text=text, key=key, state=state) for text, key, state in zip(cells, keys, states, strict=True))
        )
    return Table(
        name=f"lines_{number}",
        caption="By layers that are done together: what would be saved at the roof first",
        header=LINE_HEADER,
        rows=tuple(rows),
        numeric=frozenset(LINE_NUMBERS),
    )


def _facts(profile: Profile) -> tuple[tuple[str, str], ...]:
    environment = profile.environment
    versions = {case.row.runtime_spec or case.row.runtime: case.row.runtime_version for case in profile.cases}
    found = [("machine", heading(environment)[0])]
    found += [(f"version of {name}", version) for name, version in versions.items() if version]
    if roof_of(profile.roofs) is not None:
        found.append(("roofs", roof_sentences(profile)[0]))
    digests = {case.row.model: case.row.model_digest for case in profile.cases if case.row.model_digest}
    found += [(f"digest of {model}", digest) for model, digest in digests.items() if digest]
    inputs = {case.row.model: case.row.input_digest for case in profile.cases if case.row.input_digest}
    found += [(f"digest of the inputs of {model}", digest) for model, digest in inputs.items() if digest]
    return (*found, ("command", environment.command))
