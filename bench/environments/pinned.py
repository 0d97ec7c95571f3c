"""One virtual environment per pinned runtime: resolved and hashed by uv, built once under a lock, kept by its contents.

An environment's key is the sha256 of its resolved, hashed set and of the interpreter. It holds what a worker needs
(numpy, msgspec, psutil) and the runtime, nothing of ours. Only wheels: what a build would bring is in no lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.requirements import Requirement

from bench.environments import store, uv
from bench.environments.facts import read_facts
from bench.environments.locks import (
    moved_pins,
    normalised,
    pin_line,
    pins_of,
    required_name,
    title_of,
    title_of_requirements,
)
from bench.errors import BenchError, UnavailableError
from bench.places import usable_cache
from bench.records import EnvironmentFacts, Record

WORKER_NEEDS = ("numpy", "msgspec", "psutil")
_RESOLVE = ("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--only-binary", ":all:")
_PLAIN = ("--no-emit-index-url", "--no-emit-find-links", "--no-emit-index-annotation", "--no-emit-build-options")
_NO_SOLUTION = 1  # uv's exit code where no set of versions fits; 2 where it could not look


class PinnedEnvironment(Record, frozen=True):
    """A virtual environment that is there and was probed."""

    key: str
    prefix: str  # bin/python below it is its interpreter
    pins: dict[str, str]  # distribution -> version of everything in it
    lock: str  # the text of its requirements with hashes, no host in it
    facts: EnvironmentFacts


def own_pins(*distributions: str) -> dict[str, str]:
    """What ``distributions`` and a worker bring in this environment: names (normalised), versions, dependencies too.

    Of those that are installed here; empty where none is.
    """
    pins: dict[str, str] = {}
    installed = [one for one in distributions if _is_installed(one)]
    waiting = [*installed, *WORKER_NEEDS] if installed else []
    while waiting:
        name = normalised(waiting.pop())
        if name in pins:
            continue
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of another system, or an extra that was not asked for
            continue
        pins[name] = found.version
        requirements = [Requirement(text) for text in found.requires or ()]
        waiting += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return dict(sorted(pins.items()))


def pinned_environment(
    requirements: Sequence[str], *, like: Mapping[str, str], on_stage: Callable[[str], None]
) -> PinnedEnvironment:
    """An environment with ``requirements`` and every other pin as in ``like`` where that is possible.

    What ``like`` does not say of a worker's needs is as in this environment. Where its pins can't all be had, those of
    the worker's needs are held alone, then none, and every other one stays where it may; ``pins`` of the answer says
    what it came to, and ``on_stage`` is told. A requirement without a version gets the one that uv finds. The same
    question has the same answer while the cache is kept, without a network. UnavailableError where there is no such
    environment here, with uv's reason.
    """
    wanted, question = _question(requirements, like)
    title = title_of_requirements(requirements)
    on_stage(f"resolving an environment with {title}")
    lock = _resolved(requirements, wanted, question, title, on_stage)
    for other, (was, now) in moved_pins(pins_of(lock), wanted).items():
        on_stage(f"{title} can't be had with {other} {was}: its environment has {other} {now}")
    return _provided(lock, requirements, title, on_stage)


def made_environment(requirements: Sequence[str], *, like: Mapping[str, str]) -> PinnedEnvironment | None:
    """What ``pinned_environment`` would give, where it is there already: nothing is asked for, made or looked at."""
    lock = _kept_lock(_question(requirements, like)[1])
    if lock is None or not store.place_of(store.key_of(lock)).exists():
        return None
    return _described(lock, requirements, read_facts(store.place_of(store.key_of(lock)), store.key_of(lock)))


def locked_environment(lock: str, *, on_stage: Callable[[str], None]) -> PinnedEnvironment:
    """The environment of a lock's text, made where it is not there yet.

    BenchError for a text that is no lock, UnavailableError where its files can't be had here.
    """
    return _provided(lock, (), title_of(pins_of(lock)), on_stage)


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _provided(lock: str, requirements: Sequence[str], title: str, on_stage: Callable[[str], None]) -> PinnedEnvironment:
    return _described(lock, requirements, store.provide(lock, requirements, WORKER_NEEDS, title, on_stage))


def _described(lock: str, requirements: Sequence[str], facts: EnvironmentFacts) -> PinnedEnvironment:
    asked = msgspec.structs.replace(facts, requirements=tuple(requirements) or facts.requirements)
    prefix = str(store.place_of(facts.key))
    return PinnedEnvironment(key=facts.key, prefix=prefix, pins=pins_of(lock), lock=lock, facts=asked)


def _question(requirements: Sequence[str], like: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The pins that are wanted beside the requirements, and the name of all that decides the answer."""
    names = {required_name(one) for one in requirements}
    wanted = own_pins(WORKER_NEEDS[0]) | {normalised(key): pin for key, pin in like.items()}
    wanted = {key: pin for key, pin in sorted(wanted.items()) if key not in names}
    asked = [*requirements, *(pin_line(*pin) for pin in wanted.items()), *WORKER_NEEDS, store.interpreter()]
    return wanted, hashlib.sha256("\n".join(asked).encode()).hexdigest()


def _kept_lock(question: str) -> str | None:
    """The lock that was resolved for this question before."""
    with contextlib.suppress(OSError, ValueError, BenchError):
        lock = store.resolution_file(question).read_text(encoding="utf-8")
        pins_of(lock)
        return lock
    return None


def _resolved(
    requirements: Sequence[str], wanted: Mapping[str, str], question: str, title: str, on_stage: Callable[[str], None]
) -> str:
    """The lock that was resolved before for this question, else a new one, which is kept."""
    kept = _kept_lock(question)
    if kept is not None:
        return kept
    with store.held(on_stage), store.scratch() as folder:
        lock = _resolve(requirements, wanted, title, folder)
        with usable_cache():
            (folder / "kept.txt").write_text(lock, encoding="utf-8")
            os.replace(folder / "kept.txt", store.resolution_file(question))
    return lock


def _resolve(requirements: Sequence[str], wanted: Mapping[str, str], title: str, folder: Path) -> str:
    """The lock with as many of the pins as possible; UnavailableError where there is none even without them."""
    needs = {name: pin for name, pin in wanted.items() if name in WORKER_NEEDS}
    for held in (wanted, needs, {}):
        finished = _compile(requirements, held, wanted, folder)
        if finished.exit_code == 0:
            lock = (folder / "lock.txt").read_text(encoding="utf-8")
            pins_of(lock)
            return lock
        if finished.exit_code != _NO_SOLUTION:
            break
    why = uv.last_words(finished, uv.RESOLVE_LIMIT_S)
    how = (
        f"name a version that has wheels for {store.here()}, and see that the package index can be reached"
        if finished.exit_code == _NO_SOLUTION
        else "see that the package index can be reached from here (uv takes UV_DEFAULT_INDEX)"
    )
    raise UnavailableError(f"making an environment with {title}: {why.rstrip('.')}; {how}")


def _compile(
    requirements: Sequence[str], held: Mapping[str, str], preferred: Mapping[str, str], folder: Path
) -> uv.Finished:
    """One attempt: ``held`` must be kept, ``preferred`` stay where they may (they stand in uv's output file)."""
    texts = {
        "in.txt": [*requirements, *WORKER_NEEDS],
        "held.txt": [pin_line(*pin) for pin in held.items()],
        "lock.txt": [pin_line(*pin) for pin in preferred.items()],
    }
    with usable_cache():
        for file, lines in texts.items():
            (folder / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    arguments = [*_RESOLVE, *_PLAIN, "--python", sys.executable, "--constraints", str(folder / "held.txt")]
    arguments += [*uv.constraint_flags(os.environ), *uv.index_flags(os.environ)]
    arguments += ["--output-file", str(folder / "lock.txt"), str(folder / "in.txt")]
    return uv.run_uv(arguments, limit_s=uv.RESOLVE_LIMIT_S)
