"""Runtimes that don't live in the environment of bench -> environments, and the arms and groups that run in them.

Joins environments, runtimes and measure. Environments are made before anything is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from bench.cases import Group, refusal
from bench.environments.locks import moved_pins, required_name
from bench.environments.pinned import PinnedEnvironment, pinned_environment
from bench.errors import BenchError, UnavailableError, UsageError
from bench.measure.rounds import Arm
from bench.preparing import failure_of
from bench.progress import Progress
from bench.records import CaseRepetition, EnvironmentFacts, Failure, OpenRequest, RuntimeSpec
from bench.runtimes.homes import (
    lives_here,
    own_pins_of,
    pins_beside,
    reported_package,
    requirements_of,
    why_not_here,
)
from bench.runtimes.table import RUNTIMES

_replace = msgspec.structs.replace


class Pinner:
    """Gives each runtime its environment, each made once.

    ``environments`` and ``facts`` grow with it: by RuntimeSpec.display, what is in the environment, and what it took.
    """

    def __init__(self, progress: Progress) -> None:
        self.environments: dict[str, dict[str, str]] = {}
        self.facts: dict[str, EnvironmentFacts] = {}
        self._progress = progress
        self._made: dict[tuple[str | None, ...], PinnedEnvironment | Failure] = {}

    def environment_of(self, runtime: RuntimeSpec) -> PinnedEnvironment | Failure | None:
        """That of the runtime in the version asked for, or why it can't be had; None where it lives in ours.

        UsageError is raised: it is not about the runtime.
        """
        if sys.platform in RUNTIMES[runtime.name].systems and lives_here(runtime.name, runtime.version):
            return None
        try:
            requirements = requirements_of(runtime.name, runtime.version)
        except BenchError as error:
            return failure_of(error)
        key = (why_not_here(runtime.name), *requirements)  # providers of one wheel are of several systems
        if key not in self._made:
            self._made[key] = self._make(runtime, requirements)
        made = self._made[key]
        if isinstance(made, PinnedEnvironment):
            self.environments[runtime.display] = made.pins
            self.facts[runtime.display] = made.facts
        return made

    def place(self, groups: Sequence[Group]) -> list[Group]:
        """The same groups, every arm in its environment; a case whose environment can't be had is refused."""
        return [self._placed(group) for group in groups]

    def _placed(self, group: Group) -> Group:
        answers = [self._place_arm(arm) for arm in group.arms]
        return _replace(
            group,
            arms=tuple(one for one in answers if isinstance(one, Arm)),
            refused=(*group.refused, *(one for one in answers if isinstance(one, CaseRepetition))),
        )

    def _place_arm(self, arm: Arm) -> Arm | CaseRepetition:
        environment = self.environment_of(arm.case.runtime)
        if isinstance(environment, Failure):
            return refusal(arm.case, environment)
        return _in_ours(arm) if environment is None else in_environment(arm, environment)

    def _make(self, runtime: RuntimeSpec, requirements: tuple[str, ...]) -> PinnedEnvironment | Failure:
        installed = pins_beside(runtime.name)
        try:
            refuse_elsewhere(runtime)
            made = pinned_environment(requirements, like=installed, on_stage=self._progress.stage)
        except UsageError:
            raise
        except BenchError as error:
            self._progress.note(f"{runtime.display}: {error}")
            return failure_of(error)
        named = {required_name(one) for one in requirements}
        moved = moved_pins(made.pins, {name: pin for name, pin in installed.items() if name not in named})
        if moved:
            told = ", ".join(f"{name} {now} (here {was})" for name, (was, now) in moved.items())
            self._progress.note(f"{runtime.display} runs in an environment with {told}: the difference is of all of it")
        return made


def refuse_elsewhere(runtime: RuntimeSpec) -> None:
    """UnavailableError where the runtime is of another system or its device is not there: nothing is downloaded."""
    why = why_not_here(runtime.name)
    if why is not None and sys.platform in RUNTIMES[runtime.name].systems:
        why += f"; where there is one, `bench env build {runtime.name}` makes its environment"
    if why is not None:
        raise UnavailableError(why)


def in_environment(arm: Arm, environment: PinnedEnvironment) -> Arm:
    """The arm run by the environment's interpreter; its runtime must be the one from there, in the version pinned."""
    version = environment.pins.get(reported_package(arm.case.runtime.name))
    request = _replace(arm.request, prefix=environment.prefix, expected_version=version)
    return _replace(arm, request=_keeping_apart(request, environment.key), environment=environment.prefix)


def _in_ours(arm: Arm) -> Arm:
    """The arm in the environment of bench; a version that was asked for is spelt as it is installed there."""
    if arm.case.runtime.version is None and arm.request.settings.cache is None:
        return arm
    version = own_pins_of(arm.case.runtime.name).get(reported_package(arm.case.runtime.name))
    request = _keeping_apart(arm.request, str(version))
    return _replace(
        arm, request=request if arm.case.runtime.version is None else _replace(request, expected_version=version)
    )


def _keeping_apart(request: OpenRequest, version: str) -> OpenRequest:
    """What one version of a runtime built is not for another: a folder for each."""
    cache = request.settings.cache
    if cache is None:
        return request
    return _replace(request, settings=_replace(request.settings, cache=f"{cache}-{version[:12]}"))
