"""Whose error it is: the way from the truth to a runtime's outputs, link by link. Pure.

The chain of a case that runs an ONNX file: the export (the file, unoptimised on onnxruntime-cpu, against the truth),
the conversion to fewer bits where there was one, each level of the optimiser (against the file unoptimised), the
runtime (against onnxruntime-cpu at the same level). A case without an ONNX file has one link, itself. Each link's error
is in units of the output's spread, and of the error that TensorFlow's own float32 has (the yardstick).

A link is *to blame* iff the outputs disagree from it on to the end of the chain and did not before it. Where the end
agrees nobody is to blame, nor where the truth itself holds NaN or infinity, nor where the end has no output of that
name: it may only be called otherwise. The *source* is the link that adds most. Within two yardsticks of the truth that
is the rounding of float32, which every runtime has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench import units
from bench.analysis import distance as far
from bench.analysis.distance import Array
from bench.records import OutputCheck, Record, Verdict

EXPORT, CONVERSION, RUNTIME, ROUNDING = "export", "conversion", "runtime", "rounding"
OPTIMISER = "optimiser "  # and the level's name
LEVELS = ("off", "basic", "extended", "all")  # of ONNX Runtime's optimiser; each does what the ones before it do
_ROUNDING_YARDSTICKS = 2.0  # float32 rounds in another order in every runtime; the yardstick is one such order
_MOST = 0.5  # a level that has this share of the last one's error is where it comes from


class Point(NamedTuple):
    """The outputs once a link was added to the chain."""

    link: str
    outputs: Mapping[str, Array]
    checks: Mapping[str, OutputCheck]  # against the truth, as the case is judged
    since: int | None = None  # the place of the point that the link is measured from; None is the truth
    given: Mapping[str, float | None] | None = None  # the link's error, where it was measured before


class LinkError(Record, frozen=True):
    """What one link adds to one output."""

    link: str
    error: float | None  # in units of the spread; None where the two can't be compared
    yardsticks: float | None  # the same in units of TensorFlow's own float32 error
    verdict: Verdict  # of the outputs once the link is there


class Attribution(Record, frozen=True):
    """Whose error one output of one case has."""

    output: str
    yardstick: float | None  # in units of the spread
    links: tuple[LinkError, ...]
    blame: str | None  # the link to blame; None where the outputs do not disagree
    source: str | None  # the link that adds most, or "rounding"; None where nothing adds anything


def attribute(
    truth: Mapping[str, Array], yardstick: Mapping[str, float | None], points: Sequence[Point], *, rms: bool = False
) -> list[Attribution]:
    """One for each output of the truth; ``points`` is the chain, the case's own outputs last.

    ``rms``: distances are rms over the spread, as a number format of few bits is judged, instead of the largest.
    """
    return [_attribute(name, array, yardstick.get(name), points, rms) for name, array in truth.items()]


def apart(truth: Array, one: Array | None, other: Array | None, *, rms: bool = False) -> float | None:
    """How far two outputs are from one another in units of the truth's spread; None where they can't be compared.

    For values without distances it is the share of entries that differ.
    """
    if one is None or other is None or far.structural_problem(one, other) or one.size == 0:
        return None
    if far.dtype_class(one) not in ("float", "complex"):
        return float(far.differing(one, other).mean())
    spread = far.spread(truth) if far.dtype_class(truth) in ("float", "complex") else 0.0
    if not spread > 0 or far.nonfinite_count(truth) or far.nonfinite_count(one) or far.nonfinite_count(other):
        return None
    difference = np.abs(far.as_float64(one) - far.as_float64(other)) / spread
    return float(np.sqrt(np.mean(np.square(difference)))) if rms else float(difference.max())


def explain_blame(found: Attribution, runtime: str, file: str = "export") -> str:
    """Half a sentence: whose fault a disagreement is, with the number that says so; ``file`` is who made the file."""
    links = {link.link: link for link in found.links}
    if found.blame is None:
        return ""
    if found.blame == EXPORT:
        own = f"unoptimised on the CPU its {found.output!r} is {_off(links[EXPORT].error)} already"
        return f"the {file} is wrong: {own}"
    if found.blame == CONVERSION:
        return f"the conversion is to blame: the converted file, run exactly, is {_off(links[CONVERSION].error)}"
    if found.blame.startswith(OPTIMISER):
        level = found.blame.removeprefix(OPTIMISER)
        return (
            f"the optimiser's level {level} is to blame: what it does to the file is {_off(links[found.blame].error)}"
        )
    if len(found.links) == 1:
        return f"no ONNX file is part of it: {runtime}'s own conversion or kernels are to blame"
    own = _off(links[RUNTIME].error)
    return f"the runtime is to blame: {runtime} is {own} from onnxruntime-cpu on the same file"


def explain_source(found: Attribution) -> str:
    """Half a sentence: where most of an error comes from."""
    if found.source is None:
        return "there is no error at all"
    if found.source == ROUNDING:
        return "most of it is the rounding of float32"
    if found.source.startswith(OPTIMISER):
        return f"most of it comes from the optimiser's level {found.source.removeprefix(OPTIMISER)}"
    return f"most of it comes from the {found.source}"


def _attribute(name: str, truth: Array, given: float | None, points: Sequence[Point], rms: bool) -> Attribution:
    yardstick = next((c.yardstick for p in points if (c := p.checks.get(name)) and c.yardstick), given)
    links = tuple(_link(name, truth, yardstick, point, points, rms) for point in points)
    return Attribution(
        output=name,
        yardstick=yardstick,
        links=links,
        blame=None if _is_nobodys(name, truth, points) else _blame(links),
        source=_source(links, points, yardstick),
    )


def _link(
    name: str, truth: Array, yardstick: float | None, point: Point, points: Sequence[Point], rms: bool
) -> LinkError:
    if point.given is not None:
        error = point.given.get(name)
    else:
        base = truth if point.since is None else points[point.since].outputs.get(name)
        error = apart(truth, base, _comparable(truth, point.outputs.get(name)), rms=rms)
    check = point.checks.get(name)
    return LinkError(
        link=point.link,
        error=error,
        yardsticks=error / yardstick if error is not None and yardstick else None,
        verdict=check.verdict if check else "unchecked",
    )


def _comparable(truth: Array, output: Array | None) -> Array | None:
    return None if output is None or far.structural_problem(truth, output) else output


def _is_nobodys(name: str, truth: Array, points: Sequence[Point]) -> bool:
    is_nan = far.dtype_class(truth) in ("float", "complex") and far.nonfinite_count(truth) > 0
    return is_nan or not points or name not in points[-1].outputs


def _blame(links: Sequence[LinkError]) -> str | None:
    """The first of the links at the end of the chain whose outputs disagree."""
    blamed = None
    for link in reversed(links):
        if link.verdict != "disagrees":
            break
        blamed = link.link
    return blamed


def _source(links: Sequence[LinkError], points: Sequence[Point], yardstick: float | None) -> str | None:
    levels = [link for link in links if link.link.startswith(OPTIMISER)]
    stages = [link for link in links if link not in levels[:-1]]  # the last level does what those before it do
    largest = max(stages, key=lambda link: link.error or 0.0, default=None)
    if largest is None or not largest.error:
        return None
    if levels and largest is levels[-1]:
        enough = _MOST * largest.error
        return next(level.link for level in levels if (level.error or 0.0) >= enough)
    from_truth = points[links.index(largest)].since is None and largest.link in (EXPORT, RUNTIME)
    is_rounding = from_truth and yardstick is not None and largest.error <= _ROUNDING_YARDSTICKS * yardstick
    return ROUNDING if is_rounding else largest.link


def _off(error: float | None) -> str:
    return "of another shape or not finite" if error is None else f"off by {units.error(error)} of the spread"
