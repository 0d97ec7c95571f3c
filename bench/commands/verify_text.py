"""What ``bench verify`` prints below its sentences: the table of verdicts, whose error it is, and the details. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Context

from bench import units
from bench.analysis.agreement import judged_error, worst_check
from bench.analysis.attribution import OPTIMISER, Attribution, LinkError
from bench.commands.tables import draw_table
from bench.commands.verify_headline import random_text
from bench.commands.verify_sentence import is_tensorflow_truth, runtime_of, worst_attribution, yardstick_name
from bench.records import OutputCheck, Tolerance
from bench.rows import Row
from bench.units import UNKNOWN
from bench.verifying import JudgedCase, JudgedModel

_HEADER = ("model", "runtime", "batch", "agreement", "error", "tolerance", "max abs", "truth")
_UP = Context(prec=2, rounding=ROUND_CEILING)


def agreement_text(rows: Sequence[Row], tolerance: Tolerance | None = None) -> str:
    """A table of verdicts, then the reason of everything that does not agree; ``tolerance`` is the user's own."""
    own = spell_tolerance(tolerance or Tolerance())
    lines = [draw_table(_HEADER, [_cells(row, own) for row in rows], numeric=(2, 4, 5, 6))]
    for row in rows:
        reason = row.status_reason if row.status != "ok" else row.agreement_reason
        if row.status != "ok" or row.agreement != "agrees":
            lines.append(f"{row.model}, {runtime_of(row)}, batch {row.batch_size}: {reason or row.agreement}")
    return "\n".join(lines)


def spell_tolerance(tolerance: Tolerance) -> str:
    """``rtol 0.001, atol logits:1e-06``."""
    both = (("rtol", tolerance.rtol), ("atol", tolerance.atol))
    said = [f"{flag} {f'{name}:' * bool(name)}{value:g}" for flag, named in both for name, value in named.items()]
    return ", ".join(said) or UNKNOWN


def explanation_text(judged: JudgedModel) -> str:
    """Whose error it is, details of outputs, what explains differences, and cautions; short where all is well."""
    lines = [*_chain_lines(judged), *_detail_lines(judged), *_finding_lines(judged)]
    if judged.apart:
        (one, other), distance = max(judged.apart.items(), key=lambda item: item[1])
        lines.append(f"furthest apart: {one} and {other}, {units.error(distance)} of the spread")
    lines += [f"caution, {caution.code}: {caution.text}" for caution in judged.cautions]
    return "\n".join(lines)


def detail_line(check: OutputCheck) -> str:
    """Everything about one output but its verdict, on one line."""
    return "; ".join(_details(check))


def least_passing(value: float) -> str:
    """A tolerance with two digits that is not below ``value``: what was measured passes it."""
    return f"{float(_UP.create_decimal_from_float(value)):g}"


def _chain_lines(judged: JudgedModel) -> Iterator[str]:
    shown = [(case, one) for case in judged.cases for one in _shown_chains(case)]
    names = list(dict.fromkeys(link.link for _, one in shown for link in one.links))
    order = sorted(names, key=_ORDER.index)
    if not shown:
        return
    yardstick = yardstick_name(judged.truth)
    yield f"whose error it is, in units of the output's spread (and times the error of {yardstick}):"
    is_random = bool(random_text(judged))
    own = "float32" if is_tensorflow_truth(judged.truth) else "yardstick"
    header = ("runtime", "output", own, *(name.removeprefix(OPTIMISER) for name in order), "blame")
    rows = [
        (
            runtime_of(case.row),
            one.output,
            units.error(one.yardstick),
            *(_link_cell(next((link for link in one.links if link.link == name), None)) for name in order),
            UNKNOWN if is_random else one.blame or UNKNOWN,
        )
        for case, one in shown
    ]
    yield draw_table(header, rows, numeric=range(2, len(header) - 1))


_ORDER = ("export", "conversion", "optimiser basic", "optimiser extended", "optimiser all", "runtime")


def _shown_chains(case: JudgedCase) -> list[Attribution]:
    """Of a case with an ONNX file: every output where it does not agree, else the worst alone."""
    chains = [one for one in case.chain if len(one.links) > 1]
    worst = worst_attribution(case)
    return chains if case.row.agreement != "agrees" else [one for one in chains if one is worst]


def _link_cell(link: LinkError | None) -> str:
    if link is None or link.error is None:
        return UNKNOWN
    times = "" if not link.yardsticks else f" ({units.error(link.yardsticks)}x)"
    return f"{units.error(link.error)}{times}"


def _detail_lines(judged: JudgedModel) -> Iterator[str]:
    """The worst output of the model, and every other that does not agree."""
    everything = [(case, check) for case in judged.cases for check in case.checks]
    worst = worst_check([check for _, check in everything])
    for case, check in everything:
        if check is worst or check.verdict != "agrees":
            yield f"{runtime_of(case.row)}, output {check.output!r}: {detail_line(check)}"


def _details(check: OutputCheck) -> Iterator[str]:
    if check.max_abs_error == 0:
        yield "equal to the truth everywhere"
    elif check.worst_index is not None and check.worst_value is not None and check.worst_truth is not None:
        yield f"worst at {check.worst_index}: {check.worst_value:.9g} where {check.worst_truth:.9g} is right"
    passing = [
        f"{flag} {least_passing(value)}"
        for flag, value in (("--rtol", check.smallest_rtol), ("--atol", check.smallest_atol))
        if value
    ]
    if passing:
        yield f"passes from {' or '.join(passing)} on"
    if check.top1_agreement is not None:
        tops = f"top-1 the same in {units.percent(check.top1_agreement)} of inputs"
        five = "" if check.top5_agreement is None else f", in the top-5 in {units.percent(check.top5_agreement)}"
        yield f"{tops}{five} (ties within {units.error(check.tie_margin)})"
    yield f"NaN or Inf {check.nonfinite}, in the truth {check.nonfinite_truth}"
    yield f"denormals {check.denormals}, in the truth {check.denormals_truth}"


def _finding_lines(judged: JudgedModel) -> Iterator[str]:
    for case in judged.cases:
        for finding in case.findings:
            if finding.text not in case.row.agreement_reason:
                yield f"{runtime_of(case.row)}: {finding.text}"


def _cells(row: Row, own: str) -> tuple[str, ...]:
    verdict = row.agreement if row.status == "ok" else f"{row.agreement} ({row.status})"
    error, tolerance, largest = (
        UNKNOWN if number is None else f"{number:.1e}"
        for number in (judged_error(row), row.tolerance, row.max_abs_error)
    )
    if row.tolerance is None and row.max_abs_error is not None:  # judged by the user's, which is no one number
        tolerance = own
    return (row.model, runtime_of(row), str(row.batch_size), verdict, error, tolerance, largest, row.truth or UNKNOWN)
