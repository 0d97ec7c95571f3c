"""Bundles and gates without host, user and home: what is written to be shown to others. Names and digests stay."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TypeVar

import msgspec

from bench.check.records import Bundle, GateResult, Pair, SideFacts, SideOfPair
from bench.records import Caution, Failure, Record
from bench.report.scrub import Private, scrub_text, short_command, this_machine

_replace = msgspec.structs.replace
R = TypeVar("R", bound=Record)


def scrub_bundle(bundle: Bundle, private: Private | None = None) -> Bundle:
    """Its sentences and its origin scrubbed; ``private`` is this machine's where none is given."""
    private = private or this_machine()
    return _replace(
        bundle,
        origin=_origin(bundle.origin, private),
        models={
            name: _replace(one, cautions=_told(one.cautions, private), failures=_lost(one.failures, private))
            for name, one in bundle.models.items()
        },
        cases=tuple(
            _replace(case, info=_replace(case.info, cautions=_told(case.info.cautions, private)))
            for case in bundle.cases
        ),
        missing=_lost(bundle.missing, private),
    )


def scrub_gate(result: GateResult, private: Private | None = None) -> GateResult:
    """Every sentence of a gate scrubbed, every path of its command reduced to its base name."""
    private = private or this_machine()
    text = partial(scrub_text, private=private)
    return _replace(
        result,
        command=text(short_command(result.command, [])),
        baseline=_facts(result.baseline, private),
        head=_facts(result.head, private),
        judged=tuple(_fields(one, private, "reason", notes=tuple(map(text, one.notes))) for one in result.judged),
        pairs=tuple(_pair(pair, private) for pair in result.pairs),
        notes=tuple(map(text, result.notes)),
    )


def _pair(pair: Pair, private: Private) -> Pair:
    def side(one: SideOfPair) -> SideOfPair:
        return _fields(one, private, "reason", "disagreement")

    return _replace(pair, baseline=side(pair.baseline), head=side(pair.head))


def _facts(facts: SideFacts, private: Private) -> SideFacts:
    return _replace(facts, origin=_origin(facts.origin, private))


def _origin(origin: str, private: Private) -> str:
    return scrub_text(short_command(origin, []) if "/" in origin else origin, private)


def _fields(record: R, private: Private, *names: str, **others: object) -> R:
    return _replace(record, **{name: scrub_text(getattr(record, name), private) for name in names}, **others)


def _told(cautions: tuple[Caution, ...], private: Private) -> tuple[Caution, ...]:
    return tuple(_fields(one, private, "text") for one in cautions)


def _lost(failures: Mapping[str, Failure], private: Private) -> dict[str, Failure]:
    return {name: _fields(one, private, "reason") for name, one in failures.items()}
