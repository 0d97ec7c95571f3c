"""The rows of two reports -> which row is the same case as which. Pure.

A case is model, runtime, options, label, batch, threads, streams, precision and boundary, as asked for. Its version and
digests are what may have changed since, so they are no part of it, unless one report holds two versions side by side.
What is left over on both sides and differs in just one of those fields is the same case too, with a difference to name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.check.compare_records import Side
from bench.errors import UsageError
from bench.rows import Row

_LOOSENED = ("version", "threads", "streams", "precision", "boundary", "options", "batch_size")
_VERSION = re.compile(r"@([0-9][0-9A-Za-z.+!-]*)")


class Identity(NamedTuple):
    """What makes a case the same in another run."""

    model: str
    runtime: str
    version: str  # "" unless a report has several of the case
    options: str
    label: str
    batch_size: int
    threads: int
    streams: int
    precision: str
    boundary: str


class Joined(NamedTuple):
    """A case of either side; one of them may be absent."""

    identity: Identity
    reference: Row | None
    other: Row | None


def identify(sides: Sequence[Side], *, only_asked: bool = False) -> list[dict[Identity, Row]]:
    """The rows of each side by identity, in their order. UsageError where a case comes twice in one report.

    Of several versions in one report, ``only_asked`` leaves the one that nobody asked for by number without: it is
    the case that has been followed through reports that had no other.
    """
    several = {
        key for side in sides for key, count in Counter(_identity(row) for row in side.rows).items() if count > 1
    }
    return [_by_identity(side, several, only_asked=only_asked) for side in sides]


def join(reference: Mapping[Identity, Row], other: Mapping[Identity, Row]) -> list[Joined]:
    """Every case of either side, once: the reference's in their order, then those in the other alone."""
    near = _near_matches([key for key in reference if key not in other], [key for key in other if key not in reference])
    matched = {key: other[near.get(key, key)] for key in reference if near.get(key, key) in other}
    taken = set(near.values())
    return [Joined(key, row, matched.get(key)) for key, row in reference.items()] + [
        Joined(key, None, row) for key, row in other.items() if key not in reference and key not in taken
    ]


def likely_name(gone: Identity, new: Sequence[Identity]) -> str:
    """The new case that differs from one that is gone by its model's name or its label alone; "" without one."""
    alike = [key for key in new if gone in (key._replace(model=gone.model), key._replace(label=gone.label))]
    return name_of(alike[0]) if alike else ""


def name_of(identity: Identity) -> str:
    """The case for a person; streams, precision and boundary only where they are not the usual ones."""
    parts = [identity.model, runtime_of(identity), f"batch {identity.batch_size}", f"threads {identity.threads}"]
    streams = [f"streams {identity.streams}"] * (identity.streams != 1)
    return " | ".join([*parts, *streams, *_unusual(identity, "precision", "boundary")])


def group_of(identity: Identity) -> str:
    """What a case shares with those it may be compared with in one run, for a heading; precisions share one."""
    parts = [
        identity.model,
        f"batch {identity.batch_size}",
        f"{identity.threads} thread{'s' * (identity.threads != 1)}",
    ]
    parts += [f"{identity.streams} streams"] * (identity.streams != 1)
    parts += [f"{identity.boundary} boundary"] * (identity.boundary != "host")
    return ", ".join([*parts, *_unusual(identity, "precision")])


def runtime_of(identity: Identity) -> str:
    """The runtime as a spec writes it, its version only where it tells two cases of one report apart."""
    version = f"@{identity.version}" if identity.version else ""
    options = f":{identity.options}" if identity.options else ""
    return f"{identity.runtime}{version}{options}{f'#{identity.label}' if identity.label else ''}"


def _unusual(identity: Identity, *fields: str) -> list[str]:
    """What is not the usual and not said by the options, as ``precision=int8`` is."""
    usual = {"precision": "float32", "boundary": "host"}
    values = {field: getattr(identity, field) for field in fields}
    said = identity.options.split(",")
    return [value for field, value in values.items() if value != usual[field] and f"{field}={value}" not in said]


def _identity(row: Row, *, with_version: bool = False, only_asked: bool = False) -> Identity:
    asked, options, label = _split_spec(row)
    version = asked if only_asked else (asked or row.runtime_version or "")
    return Identity(
        model=row.model,
        runtime=row.runtime,
        version=version if with_version else "",
        options=options,
        label=label,
        batch_size=row.batch_size,
        threads=row.threads,
        streams=row.streams,
        precision=row.precision,
        boundary=row.boundary,
    )


def _split_spec(row: Row) -> tuple[str, str, str]:
    """Version, options and label of ``NAME[@VERSION][:key=value,...][#LABEL]``."""
    rest = row.runtime_spec.removeprefix(row.runtime) if row.runtime_spec.startswith(row.runtime) else ""
    version = _VERSION.match(rest)
    rest = rest[version.end() :] if version else rest
    if row.label and rest.endswith(f"#{row.label}"):
        rest = rest.removesuffix(f"#{row.label}")
    is_said = row.runtime.endswith(f"#{row.label}")
    return (version[1] if version else ""), rest.removeprefix(":"), "" if is_said else row.label


def _by_identity(side: Side, several: set[Identity], *, only_asked: bool) -> dict[Identity, Row]:
    found: dict[Identity, Row] = {}
    for row in side.rows:
        key = _identity(row)
        key = _identity(row, with_version=True, only_asked=only_asked) if key in several else key
        if key in found:
            raise UsageError(
                f"comparing report {side.letter} ({side.path}): the case {name_of(key)!r} is in it more than once, so "
                "nothing can be said of it; label its runtimes, as in cpu#a,cpu#b, and measure again"
            )
        found[key] = row
    return found


def _near_matches(left: Sequence[Identity], right: Sequence[Identity]) -> dict[Identity, Identity]:
    """Leftovers that differ in one field alone, where only one of either side does."""
    matched: dict[Identity, Identity] = {}
    for field in _LOOSENED:
        ours = _by_loosened((key for key in left if key not in matched), field)
        taken = set(matched.values())
        theirs = _by_loosened((key for key in right if key not in taken), field)
        matched |= {
            keys[0]: theirs[loose][0] for loose, keys in ours.items() if len(keys) == len(theirs.get(loose, ())) == 1
        }
    return matched


def _by_loosened(keys: Iterable[Identity], field: str) -> dict[tuple[str | int, ...], list[Identity]]:
    groups: dict[tuple[str | int, ...], list[Identity]] = {}
    for key in keys:
        groups.setdefault(tuple(value for name, value in key._asdict().items() if name != field), []).append(key)
    return groups
