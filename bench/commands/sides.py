"""What people type for the sides of a gate -> two bundles' folders; what is no bundle yet is made into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.check.bundle import is_bundle, open_bundle
from bench.check.records import Bundle, Side
from bench.commands.asking import make_suite
from bench.commands.console import Console
from bench.commands.revisions import Revision, find_revision, models_at
from bench.errors import UsageError
from bench.records import ModelSpec, RuntimeSpec, Suite
from bench.specs import names_a_runtime, parse_runtime, parse_runtimes
from bench.suite import Asked, ModelAsked

_NAMED = 3  # models in an origin
_GIT = "git:"
_replace = msgspec.structs.replace


class GivenSide(msgspec.Struct, frozen=True, kw_only=True):
    """One side as typed: at most one of the fields is there; none is the models as they are now."""

    folder: Path | None = None  # a bundle's
    runtime: RuntimeSpec | None = None
    revision: str | None = None

    @property
    def is_bundle(self) -> bool:
        """Whether nothing has to be made."""
        return self.folder is not None


NOW = GivenSide()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A side that is to be bundled."""

    suite: Suite
    origin: str


MakeBundle = Callable[..., Bundle]  # bundling.make_bundle


def parse_side(flag: str, text: str) -> GivenSide:
    """A bundle's folder, ``git:REV``, or a runtime: a runtime's name wins, ``./NAME`` is the folder of that name."""
    if text.startswith(_GIT):
        if not text.removeprefix(_GIT):
            raise UsageError(f"{flag} {text}: expected git:REV, such as git:main or git:v1.2")
        return GivenSide(revision=text.removeprefix(_GIT))
    if names_a_runtime(text):
        runtimes = parse_runtimes([text])
        if len(runtimes) > 1:
            raise UsageError(f"{flag} {text}: a side is one runtime, seen {len(runtimes)}; bundle more and gate that")
        return GivenSide(runtime=runtimes[0])
    folder = Path(text)
    if is_bundle(folder):
        return GivenSide(folder=folder)
    if folder.exists():
        seen = "a folder without bundle.json" if folder.is_dir() else "a file"
        raise UsageError(f"{flag} {text}: expected a bundle, seen {seen}; make one by `bench bundle`")
    raise UsageError(
        f"{flag} {text}: there is no such folder, and no runtime of that name; expected a bundle's folder, "
        "RUNTIME[@VERSION] as `bench runtimes` lists them, or git:REV"
    )


def plan_sides(
    given: dict[Side, GivenSide],
    asked: Asked,
    workplace: Path,
    console: Console,
) -> tuple[dict[Side, Plan], str | None]:
    """What each side that is no bundle is made of, and what stands for the runtime in the names of both sides.

    Everything that can be wrong with what was typed is found here, before anything is made.
    """
    there = {side: open_bundle(one.folder) for side, one in given.items() if one.folder is not None}
    for bundle in there.values():
        asked = _as_bundled(asked, bundle, is_runtime_said=any(one.runtime for one in given.values()))
    plans: dict[Side, Plan] = {}
    for side, one in given.items():
        if one.is_bundle:
            continue
        own, where = _asked_of(one, asked, given, workplace / f"{side}-tree", console)
        suite = make_suite(own, console, default_threads=1)
        plans[side] = Plan(suite=suite, origin=f"{_models(asked)}{where}")
    _refuse_same(given, plans)
    words = {side: _runtime_words(there[side]) if side in there else _suite_words(plans[side].suite) for side in given}
    is_named = any(one.runtime for one in given.values())
    return plans, _common_name(words, [words[side] for side in there]) if is_named else None


def make_sides(
    given: dict[Side, GivenSide],
    plans: dict[Side, Plan],
    called: str | None,
    workplace: Path,
    make: MakeBundle,
    **settings: Any,
) -> dict[Side, Path]:
    """The folder of each side's bundle."""
    folders = {side: one.folder for side, one in given.items() if one.folder is not None}
    for side, plan in plans.items():
        folders[side] = workplace / side
        make(
            plan.suite,
            folders[side],
            origin=plan.origin,
            replacing=False,
            called=called,
            tolerant=True,
            **settings,
        )
    return folders


def _as_bundled(asked: Asked, bundle: Bundle, *, is_runtime_said: bool) -> Asked:
    """What nobody said as the bundle has it: the same cases are meant."""
    plain = [parse_runtime(_unpinned(case.case.runtime)) for case in bundle.cases]
    changes: dict[str, Any] = {}
    if not asked.runtimes and not is_runtime_said:
        changes["runtimes"] = tuple({one.display: one for one in plain}.values())
    if not asked.batch and not any(model.batch for model in asked.models):
        changes["batch"] = tuple(dict.fromkeys(case.case.batch_size for case in bundle.cases))
    if asked.threads is None and bundle.cases:
        changes["threads"] = bundle.cases[0].case.threads
    if asked.seed is None:
        changes["seed"] = bundle.seed
    return _replace(asked, **changes)


def _unpinned(runtime: RuntimeSpec) -> str:
    """The text of the same runtime in the version that is installed."""
    pairs = ",".join(f'{key}="{value}"' if "," in value else f"{key}={value}" for key, value in runtime.options.items())
    return runtime.name + (f":{pairs}" if pairs else "") + (f"#{runtime.label}" if runtime.label else "")


def _asked_of(
    side: GivenSide, asked: Asked, given: dict[Side, GivenSide], tree: Path, console: Console
) -> tuple[Asked, str]:
    """What one side asks for, and the words that tell its origin from the other's."""
    if side.runtime is not None:
        return _replace(asked, runtimes=(side.runtime,)), f" on {side.runtime.display}"
    if not asked.runtimes:
        other = next((one.runtime for one in given.values() if one.runtime), None)
        if other is not None:
            asked = _replace(asked, runtimes=(parse_runtime(_unpinned(other)),))
    if side.revision is None:
        return asked, " as it is now" if any(one.revision for one in given.values()) else ""
    specs = [model.spec for model in asked.models]
    revision = find_revision(side.revision, specs)
    if asked.custom_objects:
        console.warn(
            f"git:{side.revision}: --custom-objects are imported from the present folder, not from the revision"
        )
    return _at(asked, revision, tree), f" at git {revision.short}"


def _at(asked: Asked, revision: Revision, tree: Path) -> Asked:
    specs = models_at(revision, [model.spec for model in asked.models], tree)
    models = tuple(ModelAsked(spec=spec, batch=model.batch) for spec, model in zip(specs, asked.models, strict=True))
    return _replace(asked, models=models)


def _refuse_same(given: dict[Side, GivenSide], plans: dict[Side, Plan]) -> None:
    """A side that was left out must not turn out to be the other one: that gate could only pass."""
    suites = [one.suite for one in plans.values()]
    suites = [_replace(suite, runtimes=tuple(_replace(one, text="") for one in suite.runtimes)) for suite in suites]
    if len(suites) == 2 and NOW in given.values() and suites[0] == suites[1]:
        raise UsageError(
            "baseline and head are the same: say --head, another version or options; "
            "`bench gate calibrate` measures a side against itself"
        )


def _models(asked: Asked) -> str:
    names = [model.spec.display for model in asked.models]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _runtime_words(bundle: Bundle) -> set[str]:
    return {name.rsplit(" | ", 3)[1] for name in (*(case.name for case in bundle.cases), *bundle.missing)}


def _suite_words(suite: Suite) -> set[str]:
    return {f"{one.name}{f'#{one.label}' if one.label else ''}" for one in suite.runtimes}


def _common_name(words: dict[Side, set[str]], of_bundles: Sequence[set[str]]) -> str | None:
    """What one runtime on either side is called on both, None where nothing has to be: they are the same case."""
    if any(len(found) != 1 for found in words.values()):
        return None
    baseline, head = (next(iter(words[side])) for side in ("baseline", "head"))
    if baseline == head:
        return None
    if of_bundles:
        return next(iter(of_bundles[0]))
    name = baseline.partition("#")[0]
    return name if name == head.partition("#")[0] else f"{baseline} against {head}"


def named_models(plans: dict[Side, Plan], folders: Sequence[Path]) -> list[ModelSpec | str]:
    """The models of a gate, for the name of its folder."""
    for plan in plans.values():
        return list(plan.suite.models)
    return list(dict.fromkeys(case.case.model for case in open_bundle(folders[0]).cases))
