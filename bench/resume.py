"""Going on with an interrupted run: what it was asked for, and when its measurements can't be joined with new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import UsageError
from bench.records import Environment, Failure, Prepared, Record
from bench.report import store

_ANEW = "run it anew into another folder"


class KeptPlan(Record, frozen=True):
    """What a run leaves beside its journal: a report is free of paths, and says nothing of how groups were made."""

    environment: Environment
    available_bytes: int  # memory by which groups were split: another number could make other groups
    groups: tuple[tuple[str, ...], ...] = ()  # case ids, by the number that the journal knows a group by


def keep_plan(out: Path, plan: KeptPlan) -> None:
    """Keep it until the run is finished."""
    store.save_plan(out, plan)


def interrupted_run(out: Path) -> KeptPlan:
    """What an unfinished run in ``out`` was asked for; UsageError where there is none."""
    earlier = store.read_plan(out, KeptPlan)
    if earlier is None:
        raise UsageError(
            f"resuming {out}: no interrupted run is kept there; a finished report can't be resumed, "
            "start a new one with `bench run`"
        )
    return earlier


def refuse_other_machine(out: Path, before: Environment, now: Environment) -> None:
    """UsageError where machine, packages or version of bench differ."""
    names = ("machine", "packages", "bench_version")
    differing = [name for name in names if getattr(before, name) != getattr(now, name)]
    if differing:
        raise UsageError(f"resuming {out}: {' and '.join(differing)} differ from those of the interrupted run; {_ANEW}")


def refuse_other_models(before: Mapping[str, Prepared], now: Mapping[str, Prepared | Failure]) -> None:
    """UsageError where a model's files, inputs or truth are not the very same."""
    for name, earlier in before.items():
        prepared = now.get(name)
        if not isinstance(prepared, Prepared) or _digests(prepared) != _digests(earlier):
            raise UsageError(f"resuming: the digests of {name} differ from those of the interrupted run; {_ANEW}")


def refuse_other_environments(before: Environment, now: Mapping[str, Mapping[str, str]]) -> None:
    """UsageError where a pinned version runs beside other packages than before, or is there only now or then."""
    for name in before.environments.keys() | now.keys():
        if now.get(name) != before.environments.get(name):
            raise UsageError(f"resuming: the environment of {name} differs from that of the interrupted run; {_ANEW}")


def refuse_other_groups(before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> None:
    """UsageError where the groups are not those that the journal numbers."""
    if [list(group) for group in before] != [list(group) for group in now]:
        raise UsageError(f"resuming: other cases come together now than in the interrupted run; {_ANEW}")


def _digests(prepared: Prepared) -> dict[str, str]:
    artifacts = {kind: artifact.digest for kind, artifact in prepared.artifacts.items()}
    return {
        "model": prepared.model_digest,
        "pool": prepared.pool.digest,
        "truth": prepared.truth_file.digest,
        **artifacts,
    }
