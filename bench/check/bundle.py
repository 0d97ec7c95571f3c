"""A bundle's folder: written whole, moved anywhere, and checked file by file when it is opened.

``bundle.json`` with its sha256 beside it; ``models/N/`` with the files that a runtime loads, a folder a kind, and
``inputs.npz``, ``truth.npz``; ``locks/<key>.txt`` for runtimes that live in environments of their own. Nothing in it
tells whose machine it was made on. Starts nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from bench.check.private import scrub_bundle
from bench.check.records import BUNDLE_SCHEMA, Bundle
from bench.errors import BenchError, UsageError
from bench.prepare.arrays import load_arrays
from bench.prepare.digests import artifact_digest, artifact_files, file_digest
from bench.records import ArrayFile, Artifact, Prepared
from bench.report.versioned import read_versioned
from bench.runtimes.table import RUNTIMES

BUNDLE_FILE = "bundle.json"
DIGEST_FILE = "bundle.sha256"  # of bundle.json, as sha256sum writes it
_MADE_AGAIN = "make it again with `bench bundle`"
_replace = msgspec.structs.replace


def is_bundle(folder: Path) -> bool:
    """Whether a folder looks like a bundle."""
    return (folder / BUNDLE_FILE).is_file()


def write_bundle(folder: Path, bundle: Bundle, locks: Mapping[str, str], *, replacing: bool = False) -> Bundle:
    """The bundle in ``folder``, its files copied there; ``bundle`` has them where they are now, by absolute paths.

    ``locks``: text by the file name that cases say. The folder appears whole or not at all; UsageError where something
    is there already and ``replacing`` is false, or where it can't be written.
    """
    _refuse_twice(f"writing bundle {folder}", bundle)
    _refuse_what_is_there(folder, replacing)
    place = folder.resolve()  # a link keeps pointing at the bundle
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    except OSError as error:
        raise UsageError(f"writing bundle {folder}: {error.strerror or error}") from error
    try:
        _fill(unfinished, bundle, locks)
        unfinished.chmod(0o755)
        _put(unfinished, place)
    except OSError as error:
        raise UsageError(f"writing bundle {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return open_bundle(folder)


def locks_of(folder: Path, bundle: Bundle) -> dict[str, str]:
    """The texts of the locks of the bundle in ``folder``, as ``write_bundle`` takes them."""
    return {case.lock: (folder / case.lock).read_text(encoding="utf-8") for case in bundle.cases if case.lock}


def open_bundle(folder: Path) -> Bundle:
    """The bundle with absolute paths, every byte compared with its digest.

    UsageError where it is no bundle, is too new for us, or is damaged: which file, and how to go on.
    """
    bundle = _read(folder)
    _refuse_twice(f"opening bundle {folder}", bundle)
    models = {name: _with_base(prepared, folder) for name, prepared in bundle.models.items()}
    for case in bundle.cases:
        if case.case.model not in models:
            raise UsageError(f"opening bundle {folder}: case {case.name} has no model; {_MADE_AGAIN}")
        if case.case.runtime.name not in RUNTIMES:
            raise UsageError(
                f"opening bundle {folder}: this bench has no runtime {case.case.runtime.name}; "
                "install the onnx-crossbench that made it"
            )
        if case.lock and not Path(_absolute(folder, case.lock)).is_file():
            raise UsageError(f"opening bundle {folder}: {case.lock} is missing; {_MADE_AGAIN}")
    for prepared in models.values():
        _check(folder, prepared)
    return _replace(bundle, models=models)


def _refuse_twice(doing: str, bundle: Bundle) -> None:
    twice = [name for name, count in Counter(case.name for case in bundle.cases).items() if count > 1]
    if twice:
        raise UsageError(f"{doing}: {twice[0]} is there twice; label its runtimes, as in cpu#a,cpu#b")
    if not (bundle.cases or bundle.missing):
        raise UsageError(f"{doing}: it has no case")


def _refuse_what_is_there(folder: Path, replacing: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not replacing:
        what = "a bundle is there" if is_bundle(folder) else "something else is there"
        raise UsageError(
            f"writing bundle {folder}: {what}; refresh a baseline by `bench gate --refresh` once it passes, "
            "give another --out, or --replace"
        )
    if not is_bundle(folder):
        raise UsageError(f"writing bundle {folder}: it is no bundle, so it is not replaced; give another --out")


def _put(unfinished: Path, place: Path) -> None:
    """Move the folder to its place; what was there comes back where that can't be, and goes once it was."""
    old = unfinished.with_name(f"{unfinished.name}-old")
    try:
        if place.exists():
            os.replace(place, old)
        os.replace(unfinished, place)
    except BaseException:
        if old.exists() and not place.exists():
            os.replace(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fill(folder: Path, bundle: Bundle, locks: Mapping[str, str]) -> None:
    models = {}
    for number, (name, prepared) in enumerate(bundle.models.items()):
        models[name] = _copy(prepared, folder, Path("models") / str(number))
    for file, text in locks.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    plain = msgspec.to_builtins(scrub_bundle(_replace(bundle, models=models)))
    (folder / BUNDLE_FILE).write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / DIGEST_FILE).write_text(f"{file_digest(folder / BUNDLE_FILE)}  {BUNDLE_FILE}\n", encoding="utf-8")


def _copy(prepared: Prepared, folder: Path, place: Path) -> Prepared:
    """The record with paths from ``folder`` on, its files copied to ``folder / place``."""
    artifacts = {}
    for kind, artifact in prepared.artifacts.items():
        source = Path(artifact.path)
        root = source if source.is_dir() else source.parent
        target = place / kind
        for file in artifact_files(source):
            copy = folder / target / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        path = target if source.is_dir() else target / source.name
        artifacts[kind] = _replace(artifact, path=path.as_posix())
    arrays = {}
    for field, name in (("pool", "inputs.npz"), ("truth_file", "truth.npz")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        array_file: ArrayFile = getattr(prepared, field)
        shutil.copyfile(array_file.path, folder / place / name)
        arrays[field] = _replace(array_file, path=(place / name).as_posix())
    return _replace(prepared, artifacts=artifacts, pool=arrays["pool"], truth_file=arrays["truth_file"])


def _read(folder: Path) -> Bundle:
    path = folder / BUNDLE_FILE
    if not path.is_file():
        there = "no such folder" if not folder.exists() else f"no {BUNDLE_FILE} in it"
        raise UsageError(f"opening bundle {folder}: {there}; `bench bundle MODEL -e RUNTIME -o {folder}` makes one")
    doing, again = f"opening bundle {folder}", f"{_MADE_AGAIN[0].upper()}{_MADE_AGAIN[1:]}"
    bundle = read_versioned(path, Bundle, BUNDLE_SCHEMA, doing=doing, restore=again)
    if not (folder / DIGEST_FILE).is_file():
        raise UsageError(f"{doing}: {DIGEST_FILE} is missing. {again}")
    try:
        if datetime.fromisoformat(bundle.made).tzinfo is None:
            raise ValueError(f"made {bundle.made}: no time zone")
        recorded = (folder / DIGEST_FILE).read_text(encoding="utf-8").split()[:1]
    except (OSError, ValueError) as error:
        raise UsageError(f"{doing}: {BUNDLE_FILE} is damaged ({error}). {again}") from error
    if recorded != [file_digest(path)]:
        raise UsageError(
            f"opening bundle {folder}: {BUNDLE_FILE} is not what was bundled, its digest differs; {_MADE_AGAIN}"
        )
    return bundle


def _absolute(folder: Path, path: str) -> str:
    try:
        found = (folder / path).resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"opening bundle {folder}: {path} leads nowhere; {_MADE_AGAIN}") from error
    if not found.is_relative_to(folder.resolve()):
        raise UsageError(f"opening bundle {folder}: {path} lies outside of it; {_MADE_AGAIN}")
    return str(found)


def _with_base(prepared: Prepared, folder: Path) -> Prepared:
    artifacts: dict[str, Artifact] = {
        kind: _replace(one, path=_absolute(folder, one.path)) for kind, one in prepared.artifacts.items()
    }
    return _replace(
        prepared,
        artifacts=artifacts,
        pool=_replace(prepared.pool, path=_absolute(folder, prepared.pool.path)),
        truth_file=_replace(prepared.truth_file, path=_absolute(folder, prepared.truth_file.path)),
    )


def _check(folder: Path, prepared: Prepared) -> None:
    root = folder.resolve()
    for artifact in prepared.artifacts.values():
        path = Path(artifact.path)
        if not path.exists():
            raise UsageError(f"opening bundle {folder}: {path.relative_to(root)} is missing; {_MADE_AGAIN}")
        try:
            digest = artifact_digest(path)
        except OSError as error:
            raise UsageError(
                f"opening bundle {folder}: reading {path.relative_to(root)}: {error.strerror or error}"
            ) from error
        if digest != artifact.digest:
            raise UsageError(
                f"opening bundle {folder}: {path.relative_to(root)} is not what was bundled, its digest differs; "
                f"{_MADE_AGAIN}"
            )
    for file in (prepared.pool, prepared.truth_file):
        place = Path(file.path).relative_to(root)
        if not Path(file.path).is_file():
            raise UsageError(f"opening bundle {folder}: {place} is missing; {_MADE_AGAIN}")
        try:
            load_arrays(file)
        except BenchError as error:
            raise UsageError(
                f"opening bundle {folder}: {place} is not what was bundled, its contents differ; {_MADE_AGAIN}"
            ) from error
