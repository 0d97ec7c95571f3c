"""A file whose every layer is right and whose outputs are not: is it the file, or what the runtime makes of the whole?

One run of the whole file unoptimised on the CPU tells. Joins measure and analysis; decides nothing about numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bench.analysis.distance import Array
from bench.analysis.naming import flag_line, pair_by_value
from bench.bisect_probes import Prober
from bench.errors import BenchError
from bench.prepare.arrays import load_arrays
from bench.records import Artifact, OutputCheck

_SAID = 3  # outputs in one sentence


@dataclass(frozen=True)
class WholeFile:
    """What the file computes when nothing is optimised."""

    is_wrong: bool | None  # None: it could not be run
    said: str  # a clause for a person
    misnamed: bool = False  # outputs under other names, or missing: no layer is to blame


def whole_file(prober: Prober, wrong: Collection[str]) -> WholeFile:
    """The file on ``prober.plain`` against the model's truth; ``wrong`` are the outputs that the runtime has wrong.

    Judged by another runtime the file is no suspect: both were given it.
    """
    if prober.reference is not None:
        return WholeFile(False, f"{prober.reference.runtime.display} computes the same file so")
    if prober.plain is None:
        return WholeFile(None, "the file was not run unoptimised")
    try:
        checks, values = prober.unoptimised()
    except BenchError as error:
        return WholeFile(None, f"the file could not be run unoptimised on the CPU ({error})")
    bad = [check for check in checks if check.verdict == "disagrees" and check.output in wrong]
    if not bad:
        return WholeFile(False, "the file unoptimised on the CPU is right as a whole")
    line = _names_line(prober, values)
    misnamed = bool(line) or any(check.output not in _names(prober, values) for check in bad)
    way = f"; where the names are what is wrong, run it with {line}" if line else ""
    return WholeFile(True, f"{_listed(bad)}{way}", misnamed)


def _names(prober: Prober, values: Mapping[str, Array]) -> list[str]:
    """The file's outputs as the model calls them."""
    return [prober.cutter.source.names.get(name, name) for name in values]


def _names_line(prober: Prober, values: Mapping[str, Array]) -> str:
    """The flags that give every output of the user's file the name of the model's output whose values it has."""
    pairs = pair_by_value(load_arrays(prober.prepared.truth_file), values)
    source = prober.cutter.source
    if not prober.is_users_file or not all(pair.is_near for pair in pairs) or len(pairs) < len(source.outputs):
        return ""
    if all(source.names.get(pair.theirs, pair.theirs) == pair.ours for pair in pairs):
        return ""
    called = [(pair.theirs, pair.ours) for pair in pairs if pair.theirs != pair.ours]
    return flag_line("--onnx-names", [*_inputs(source), *called])


def _inputs(source: Artifact) -> list[tuple[str, str]]:
    """Names that the user gave to inputs: they stay."""
    return [(one.name, source.names[one.name]) for one in source.inputs if one.name in source.names]


def _listed(checks: list[OutputCheck]) -> str:
    more = f" and {len(checks) - _SAID} more" if len(checks) > _SAID else ""
    return "; ".join(_said(check) for check in checks[:_SAID]) + more


def _said(check: OutputCheck) -> str:
    return check.reason if repr(check.output) in check.reason else f"{check.output}: {check.reason}"
