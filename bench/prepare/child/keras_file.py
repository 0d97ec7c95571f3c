"""A Keras model -> a ``.keras`` file that any process with Keras can load, whatever backend it has. Runs in the child.

A worker imports no code of a user's, so a model of classes or functions that are not Keras's own has no such file.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from bench.errors import first_line
from bench.prepare.child.again import load_again
from bench.prepare.child.digest import arrays_in_order_digest
from bench.prepare.digests import file_digest
from bench.records import Artifact, Failure, ModelSpec, Prepared, PrepareSettings

FILE = "model.keras"
_CONFIG, _METADATA = "config.json", "metadata.json"
_SHARED = "shared_object_id"
_THEIRS = ("keras", "builtins")  # modules that every process with Keras has
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip file's oldest date


def write_keras(spec: ModelSpec, settings: PrepareSettings, folder: Path, prepared: Prepared) -> Artifact | Failure:
    """The file in ``folder``, with the weights that the truth was computed with; or why there is none."""
    again = load_again(spec, settings, prepared)
    if isinstance(again, Failure):
        return again
    _, model = again
    path = folder / FILE
    unfinished = folder / f"unfinished-{FILE}"
    try:
        failure = _save(model, unfinished)
        if failure:
            return failure
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return Artifact(
        kind="keras",
        path=str(path),
        digest=file_digest(path),
        size_bytes=path.stat().st_size,
        inputs=prepared.inputs,
        outputs=prepared.outputs,
    )


def _save(model: keras.Model, path: Path) -> Failure | None:
    """Why the model can't be saved so that it comes back the same, or None."""
    try:
        model.save(path)
        _make_repeatable(path)
        foreign = sorted(set(_foreign(json.loads(zipfile.ZipFile(path).read(_CONFIG)))))
        if foreign:
            return _unsupported(f"it holds {', '.join(foreign)}, which a worker does not import: export it without")
        back = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras, h5py and the model's own get_config raise what they like
        return _unsupported(f"{type(error).__name__}: {first_line(error)}")
    if arrays_in_order_digest(back.get_weights()) != arrays_in_order_digest(model.get_weights()):
        return _unsupported("it comes back with other weights")
    return None


def _unsupported(why: str) -> Failure:
    return Failure(status="unsupported", reason=f"no .keras file of this model can be loaded elsewhere: {why}")


def _foreign(node: Any) -> Iterator[str]:
    """Classes and functions of a configuration that Keras itself does not have."""
    if isinstance(node, dict):
        registered = str(node.get("registered_name"))
        if "class_name" in node and "module" in node:
            module = str(node["module"]).split(".")[0]
            if module not in _THEIRS or ">" in registered:  # "package>name": registered by its owner
                yield str(node["class_name"] if node["class_name"] != "function" else node.get("config"))
        for value in node.values():
            yield from _foreign(value)
    elif isinstance(node, list):
        for value in node:
            yield from _foreign(value)


def _make_repeatable(path: Path) -> None:
    """Write the file anew without dates and addresses: the same model is then the same bytes."""
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in sorted(source.namelist())}
    config, metadata = json.loads(members[_CONFIG]), json.loads(members[_METADATA])
    members[_CONFIG] = json.dumps(_renumbered(config, {})).encode()
    members[_METADATA] = json.dumps(metadata | {"date_saved": "1980-01-01@00:00:00"}).encode()
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def _renumbered(node: Any, numbers: dict[int, int]) -> Any:
    """The configuration with objects that are shared called 0, 1, ... in place of where they lay in memory."""
    if isinstance(node, list):
        return [_renumbered(value, numbers) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        key: numbers.setdefault(value, len(numbers)) if key == _SHARED else _renumbered(value, numbers)
        for key, value in node.items()
    }
