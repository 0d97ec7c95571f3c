"""All pictures of a report: one literal table of which there are, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.report.picture import Picture
from bench.report.pictures.agreement_map import agreement_map
from bench.report.pictures.cold_start import cold_start
from bench.report.pictures.error_and_speed import error_and_speed
from bench.report.pictures.latency_distribution import latency_distribution
from bench.report.pictures.memory_ledger import memory_ledger
from bench.report.pictures.placement import placement
from bench.report.pictures.samples_over_time import samples_over_time
from bench.report.pictures.scene import Group, Scene
from bench.report.pictures.soak import soak
from bench.report.pictures.speed import speed
from bench.report.pictures.throughput import throughput

OF_GROUP: tuple[Callable[[Group], Iterator[Picture]], ...] = (
    speed,
    latency_distribution,
    samples_over_time,
    agreement_map,
    error_and_speed,
    memory_ledger,
    cold_start,
    placement,
    soak,
)


def group_pictures(group: Group) -> tuple[Picture, ...]:
    """Those that the group has numbers for."""
    return tuple(picture for draw in OF_GROUP for picture in draw(group))


def pictures_of(scene: Scene) -> tuple[Picture, ...]:
    """All of the report: of its groups, then what compares them."""
    of_groups = (picture for group in scene.groups for picture in group_pictures(group))
    return (*of_groups, *throughput(scene))
