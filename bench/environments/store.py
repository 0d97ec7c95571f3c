"""Environments on disk: one folder a key below the cache, built beside it and renamed into place, looked at before use.

Only one process builds a key at a time; the others wait for it and take what it made.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.environments import uv
from bench.environments.facts import LOCK_FILE, read_facts, write_facts
from bench.environments.locks import normalised, pins_of
from bench.errors import BenchError, UnavailableError
from bench.places import cache_folder, usable_cache
from bench.records import EnvironmentFacts

LOOK = Path(__file__).with_name("look.py")
LOOK_LIMIT_S = 120.0
WAIT_LIMIT_S = 2 * uv.INSTALL_LIMIT_S
RESOLVED = "resolved-"  # begins the names of kept resolutions
_LOCK = ".lock"
_UNFINISHED = ".unfinished"
_POLL_S = 0.2


def interpreter() -> str:
    """What of this interpreter decides which files fit: implementation, version, platform."""
    abi = sysconfig.get_config_var("SOABI") or ""
    return f"{sys.implementation.name} {platform.python_version()} {sysconfig.get_platform()} {abi}".strip()


def here() -> str:
    """The same for a person."""
    return f"Python {platform.python_version()} on {sysconfig.get_platform()}"


def key_of(lock: str) -> str:
    """The name of the environment of ``lock`` on this interpreter."""
    return hashlib.sha256(f"{lock}\n{interpreter()}\n".encode()).hexdigest()


def environments_folder() -> Path:
    """Where environments are, one folder each."""
    return cache_folder() / "environments"


def provide(
    lock: str, requirements: Sequence[str], needs: tuple[str, ...], title: str, on_stage: Callable[[str], None]
) -> EnvironmentFacts:
    """Facts of the environment of ``lock``: there and looked at, made where it is missing or damaged.

    ``requirements`` are what the lock came from, to be kept. BenchError where what was made is not what the lock says,
    UnavailableError where it can't be made here.
    """
    key = key_of(lock)
    place, pins = place_of(key), pins_of(lock)
    with held(on_stage):
        if place.exists():
            why = damage(place, pins, needs)
            if why is None:
                return read_facts(place, key)
            on_stage(f"making the environment with {title} again: {why}")
        on_stage(f"installing {len(pins)} packages for an environment with {title}")
        facts = _build(lock, place, title, lambda made, spent_s: write_facts(made, key, requirements, spent_s))
        why = damage(place, pins, needs)
        if why is not None:
            way_on = "where files are damaged, uv's cache may be: `uv cache clean` empties it"
            raise BenchError(f"making an environment with {title}: it was made and can't be used: {why}; {way_on}")
        on_stage(f"the environment with {title} is ready: {facts.build_s:.1f} s, {facts.size_bytes / 2**20:.0f} MiB")
    return facts


def place_of(key: str) -> Path:
    """Where the environment of that key is, or would be."""
    return environments_folder() / key


def damage(place: Path, pins: Mapping[str, str], needs: tuple[str, ...]) -> str | None:
    """Why the environment is not what its pins say, or None: its own interpreter imports, counts and measures."""
    command = [str(place / "bin" / "python"), "-I", str(LOOK), *needs]
    try:
        finished = uv.run_child(command, folder=None, limit_s=LOOK_LIMIT_S, environment=os.environ)
    except OSError as error:
        return f"its interpreter can't be started: {error.strerror}"
    if finished.exit_code != 0:
        return f"its interpreter fails: {uv.last_words(finished, LOOK_LIMIT_S)}"
    answer = json.loads(finished.out)
    versions = {normalised(name): version for name, version in answer["versions"].items()}
    wrong = [f"{n} is {versions.get(n, 'missing')}, not {v}" for n, v in pins.items() if versions.get(n) != v]
    if Path(answer["base"]).resolve() != Path(sys.base_prefix).resolve():
        wrong.append("it belongs to another Python of the same version")
    if answer["damaged"]:
        wrong.append(f"{len(answer['damaged'])} files are not as installed, such as {answer['damaged'][0]}")
    return "; ".join(wrong[:3]) or None


@contextlib.contextmanager
def held(on_wait: Callable[[str], None]) -> Iterator[None]:
    """Be the only one that makes environments; the kernel frees the lock when its holder ends, however it ends."""
    with usable_cache():
        environments_folder().mkdir(parents=True, exist_ok=True)
        fd = os.open(environments_folder() / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(fd, on_wait)
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder beside the environments, empty now and gone afterwards; whoever holds the lock owns it."""
    folder = environments_folder() / _UNFINISHED
    with usable_cache():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def resolution_file(question: str) -> Path:
    """Where the lock that answers a question is kept."""
    return environments_folder() / f"{RESOLVED}{question}.txt"


def _take(fd: int, on_wait: Callable[[str], None]) -> None:
    import fcntl  # not on every system; there nothing is made

    deadline, told = time.monotonic() + WAIT_LIMIT_S, False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"making an environment: another process has been at one for {WAIT_LIMIT_S:g} s; end it"
                ) from None
        if not told:
            on_wait("waiting for another process that makes an environment")
        told = True
        time.sleep(_POLL_S)


def _build(lock: str, place: Path, title: str, describe: Callable[[Path, float], EnvironmentFacts]) -> EnvironmentFacts:
    """Install into a folder beside ``place``, which then takes its name: relocatable, so that the name may change."""
    start = time.monotonic()
    with scratch() as folder:
        made = folder / "env"
        _uv_or_error(["venv", "--relocatable", "--no-project", "--python", sys.executable, str(made)], title)
        with usable_cache():
            (made / LOCK_FILE).write_text(lock, encoding="utf-8")
        arguments = ["pip", "install", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
        arguments += uv.index_flags(os.environ)
        arguments += ["--python", str(made / "bin" / "python"), "-r", str(made / LOCK_FILE)]
        _uv_or_error(arguments, title)
        facts = describe(made, time.monotonic() - start)
        with usable_cache():
            if place.exists():
                os.replace(place, folder / "damaged")
            os.replace(made, place)
    return facts


def _uv_or_error(arguments: list[str], title: str) -> None:
    finished = uv.run_uv(arguments, limit_s=uv.INSTALL_LIMIT_S)
    if finished.exit_code != 0:
        raise UnavailableError(
            f"making an environment with {title}: uv could not install it: "
            f"{uv.last_words(finished, uv.INSTALL_LIMIT_S)}; see that the package index can be reached and has files "
            f"for {here()}"
        )
