"""Versions that are not the installed ones -> environments, and the arms and groups that run in them.

Joins environments, runtimes and measure. Environments are made before anything is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench.cases import Group, refusal
from bench.environments.locks import moved_pins
from bench.environments.pinned import PinnedEnvironment, own_pins, pinned_environment
from bench.errors import BenchError, UnavailableError, UsageError
from bench.measure.rounds import Arm
from bench.preparing import failure_of
from bench.progress import Progress
from bench.records import CaseRepetition, Failure, RuntimeSpec
from bench.runtimes.table import RUNTIMES

_replace = msgspec.structs.replace


class Pinner:
    """Gives each runtime its environment, each version made once.

    ``environments`` grows with it: by RuntimeSpec.display, what is in the environment.
    """

    def __init__(self, progress: Progress) -> None:
        self.environments: dict[str, dict[str, str]] = {}
        self._progress = progress
        self._made: dict[tuple[str, str], PinnedEnvironment | Failure] = {}

    def environment_of(self, runtime: RuntimeSpec) -> PinnedEnvironment | Failure | None:
        """That of the version asked for, or why it can't be had; None where it is the installed one or none was asked.

        UsageError is raised: it is not about the runtime.
        """
        distribution = RUNTIMES[runtime.name].package
        if runtime.version is None or _is_installed(runtime):
            return None
        key = (distribution, runtime.version)
        if key not in self._made:
            self._made[key] = self._make(runtime, distribution, runtime.version)
        made = self._made[key]
        if isinstance(made, PinnedEnvironment):
            self.environments[runtime.display] = made.pins
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
        return arm if environment is None else in_environment(arm, environment)

    def _make(self, runtime: RuntimeSpec, distribution: str, version: str) -> PinnedEnvironment | Failure:
        installed = own_pins(distribution)
        try:
            if RUNTIMES[runtime.name].plugin is not None:
                raise UnavailableError(
                    f"pinning {runtime.display}: {distribution} is a plugin beside onnxruntime, and no environment is "
                    "made for a pair of versions; leave @VERSION out to use the installed ones"
                )
            made = pinned_environment(distribution, version, like=installed, on_stage=self._progress.stage)
        except UsageError:
            raise
        except BenchError as error:
            self._progress.note(f"{runtime.display}: {error}")
            return failure_of(error)
        moved = moved_pins(made.pins, {name: pin for name, pin in installed.items() if name != distribution})
        if moved:
            told = ", ".join(f"{name} {now} (here {was})" for name, (was, now) in moved.items())
            self._progress.note(f"{runtime.display} runs in an environment with {told}: the difference is of all of it")
        return made


def in_environment(arm: Arm, environment: PinnedEnvironment) -> Arm:
    """The arm run by the environment's interpreter; its runtime must be the one from there, in the version pinned."""
    version = environment.pins.get(RUNTIMES[arm.case.runtime.name].package)
    request = _replace(arm.request, prefix=environment.prefix, expected_version=version)
    return _replace(arm, request=request, environment=environment.prefix)


def _is_installed(runtime: RuntimeSpec) -> bool:
    """Whether the version asked for is what this environment has; a plugin's version is that of its ONNX Runtime."""
    entry = RUNTIMES[runtime.name]
    package = "onnxruntime" if entry.plugin is not None else entry.package
    return own_pins(package).get(package) == runtime.version
