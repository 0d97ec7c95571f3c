"""``bench env list``, ``bench env build`` and ``bench env remove``: the environments that runtimes live in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench import units
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_CASE_FAILED, EXIT_OK, BenchError, UsageError
from bench.progress import Progress, spell_seconds
from bench.units import UNKNOWN

if TYPE_CHECKING:
    from bench.environments.kept import KeptEnvironment
    from bench.records import EnvironmentFacts

ALL = "all"
_HEADER = ("runtime", "key", "packages", "size", "made in", "age", "made from")
_KEY_LENGTH = 12
_LEAST_KEY = 4  # letters of a key that name an environment


def list_environments(*, as_json: bool, console: Console) -> int:
    """Print every environment that is kept, newest first, and what they take together."""
    import msgspec

    from bench.environments.kept import kept_environments

    found = kept_environments()
    if as_json:
        named = [{"runtimes": _names(one)} | msgspec.to_builtins(one.facts) | {"age_s": one.age_s} for one in found]
        console.say(msgspec.json.format(msgspec.json.encode(named)).decode())
        return EXIT_OK
    if found:
        console.say(draw_table(_HEADER, [_row(one) for one in found], numeric=(2, 3, 4, 5)))
    console.say(f"{len(found)} environments, {units.size(sum(one.size_bytes for one in found))}")
    return EXIT_OK


def build_environments(texts: Sequence[str], *, console: Console, progress: Progress) -> int:
    """Make the environment of each runtime, ``NAME`` or ``NAME@VERSION``; exit 6 where one of them can't be made."""
    from bench.specs import parse_runtime

    specs = [parse_runtime(text) for text in texts]
    code = EXIT_OK
    for spec in specs:
        try:
            answer = _built(spec.name, spec.version, progress)
        except UsageError:
            raise
        except BenchError as error:
            progress.done()
            console.warn(f"{spec.display}: {error}")
            code = EXIT_CASE_FAILED
            continue
        progress.done()
        console.say(f"{spec.display}: {answer}")
    return code


def remove_environments(texts: Sequence[str], *, console: Console) -> int:
    """Free environments by runtime (``NAME``, ``NAME@VERSION``), by the beginning of a key, or all of them.

    A run that measures is waited for. UsageError, before anything is freed, for what is not there.
    """
    from bench.environments import kept
    from bench.measure.lock import machine_lock

    with machine_lock(console.warn):
        there = kept.kept_environments()
        chosen = {one.key: one for text in texts for one in _chosen(text, there)}
        freed = kept.remove_environments(list(chosen))
    for one in chosen.values():
        console.say(f"removed {_title(one)} ({one.key[:_KEY_LENGTH]})")
    console.say(f"freed {units.size(freed)}")
    return EXIT_OK


def facts_text(facts: EnvironmentFacts) -> str:
    """``"3f2a... from openvino==2026.4.1: 5 packages, 246 MiB, made in 4.0 s"``."""
    made = "" if facts.build_s is None else f", made in {facts.build_s:.1f} s"
    asked = f" from {', '.join(facts.requirements)}" if facts.requirements else ""
    return (
        f"environment {facts.key[:_KEY_LENGTH]}{asked}: {facts.packages} packages, {units.size(facts.size_bytes)}{made}"
    )


def _built(name: str, version: str | None, progress: Progress) -> str:
    from bench.environments.pinned import pinned_environment
    from bench.runtimes.homes import lives_here, pins_beside, refuse_other_system, requirements_of

    refuse_other_system(name)
    if lives_here(name, version):
        return "it runs in the environment of bench, none is made; NAME@VERSION makes one of another version"
    requirements = requirements_of(name, version)
    return facts_text(pinned_environment(requirements, like=pins_beside(name), on_stage=progress.stage).facts)


def _chosen(text: str, there: Sequence[KeptEnvironment]) -> list[KeptEnvironment]:
    if text == ALL:
        return list(there)
    found = [one for one in there if _answers_to(one, text)]
    if found:
        return found
    known = ", ".join(f"{_title(one)} ({one.key[:_KEY_LENGTH]})" for one in there) or "none"
    raise UsageError(f"bench env remove {text}: no environment is called so; there are: {known}")


def _answers_to(one: KeptEnvironment, text: str) -> bool:
    """Whether ``text`` is a name of its runtime or tool, or the beginning of its key."""
    from bench.environments.locks import normalised
    from bench.runtimes.homes import same_version
    from bench.runtimes.table import RUNTIMES

    name, _, version = text.partition("@")
    called = [title.partition("@")[0] for title in _names(one)]
    meant = [entry.package for key in called if name in (key, *(entry := RUNTIMES[key]).short_names)]
    meant += [package for package in _helpers(one) if normalised(name) == package]
    if version:
        return any(same_version(one.pins.get(normalised(package)), version) for package in meant)
    return bool(meant) or (len(text) >= _LEAST_KEY and one.key.startswith(text))


def _names(one: KeptEnvironment) -> list[str]:
    from bench.runtimes.homes import runtimes_of

    return runtimes_of(one.facts.requirements, one.pins)


def _helpers(one: KeptEnvironment) -> list[str]:
    """What it was made from, where that is no runtime: the tools that bench itself starts, such as Apache Otava."""
    from bench.environments.locks import required_name

    return [] if _names(one) else [required_name(asked) for asked in one.facts.requirements]


def _title(one: KeptEnvironment) -> str:
    from bench.environments.locks import title_of

    return ", ".join(_names(one) or _helpers(one)) or (title_of(one.pins) if one.pins else "(damaged)")


def _row(one: KeptEnvironment) -> tuple[str, ...]:
    made = one.facts.build_s
    return (
        _title(one),
        one.key[:_KEY_LENGTH],
        str(one.facts.packages),
        units.size(one.size_bytes),
        UNKNOWN if made is None else f"{made:.1f} s",
        spell_seconds(one.age_s),
        ", ".join(one.facts.requirements) or UNKNOWN,
    )
