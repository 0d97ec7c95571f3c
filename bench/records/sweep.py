"""What a sweep was asked for: ``sweep.json`` in the folder of its report. No folder of this machine."""

from __future__ import annotations

from bench.records.base import Record


class SweepAxis(Record, frozen=True):
    """An argument of the model that is swept."""

    name: str
    values: tuple[str, ...]  # as typed, in that order


class SweepPoint(Record, frozen=True):
    """A model of the grid."""

    model: str  # its ModelSpec.display, the ``model`` of the report's rows
    values: dict[str, str]  # by axis
    published: dict[str, float] = {}  # by column of the accuracy file; nothing that we measured


class SweepPlan(Record, frozen=True):
    """The grid, and the accuracy that others published for its points."""

    schema_version: int
    base: str  # the model without what is swept, canonical
    axes: tuple[SweepAxis, ...]
    points: tuple[SweepPoint, ...]
    accuracy_file: str = ""  # its name; "" where there is none
    accuracy_sources: tuple[str, ...] = ()  # as the file names them
    notes: tuple[str, ...] = ()  # why a point has no published accuracy
