"""ModelSpec -> a Keras model, built or read. Runs in the child; SavedModels and ONNX files are opened elsewhere.

Building runs the user's own code, and so does importing custom objects; nothing else of a file is ever executed unless
``--unsafe`` says so.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from bench.errors import BenchError, OptionError, UsageError, first_line
from bench.prepare.zoo import models_folder
from bench.records import ModelSpec, PrepareSettings

OUR_KEYS = ("weights", "softmax")
_CLASS = re.compile(r"Could not locate (?:class|function) '([^']+)'|Unknown layer:? '?([\w>]+)'?")


@dataclass(frozen=True)
class LoadedModel:
    """A Keras model and what its source says besides."""

    model: keras.Model
    input_range: tuple[float, float] | None = None
    weights: str | None = None  # mode or file, for models whose weights we make
    files: list[Path] = field(default_factory=list)  # what else was imported to build it


def load_keras_model(spec: ModelSpec, settings: PrepareSettings) -> LoadedModel:
    """The model of a spec of kind zoo, keras, builder, keras_file or h5; its weights as they come.

    Raises UsageError for options and classes that are not there, BenchError where building or reading fails.
    """
    if spec.kind == "keras":
        return _application(spec)
    if spec.kind == "zoo":
        path, function = models_folder() / f"{spec.name}.py", "build"
        return _built(spec, path, function, ours=True)
    assert spec.path is not None
    if spec.kind == "builder":
        return _built(spec, Path(spec.path), spec.function or "build", ours=False)
    return _file(spec, Path(spec.path), settings)


def parse_value(text: str) -> bool | int | float | str:
    """``"true"`` -> True, ``"2"`` -> 2, ``"0.5"`` -> 0.5; anything else is the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _built(spec: ModelSpec, path: Path, function: str, *, ours: bool) -> LoadedModel:
    with _importing_beside(path) as files:
        module = _import_file(path)
        build = getattr(module, function, None)
        if not callable(build):
            raise UsageError(f"model {spec.text!r}: {path.name} has no function {function}")
        keys = {key: value for key, value in spec.options.items() if not (ours and key == "weights")}
        options = {key: parse_value(value) for key, value in keys.items()}
        model = _call(spec, build, options, ours=ours, file=None if ours else path)
    if not isinstance(model, keras.Model):
        raise UsageError(f"model {spec.text!r}: {function} gave {type(model).__name__}, expected a keras.Model")
    weights = spec.options.get("weights", "calibrated") if ours else None
    return LoadedModel(model, getattr(module, "INPUT_RANGE", None), weights, files)


def _call(
    spec: ModelSpec, build: Callable[..., Any], options: Mapping[str, Any], *, ours: bool, file: Path | None = None
) -> Any:
    """The builder's model; a wrong key is answered with the right ones, an error with its place in ``file``."""
    parameters = inspect.signature(build).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        known = [*parameters, *(["weights"] if ours else [])]
        unknown = [key for key in options if key not in parameters]
        if unknown:
            raise OptionError(
                f"model {spec.text!r}: no option {', '.join(unknown)}; it has {', '.join(known) or 'none'}"
            )
    for key, value in options.items():
        _check_value(spec, key, value, parameters[key].default if key in parameters else None)
    try:
        return build(**options)
    except (Exception, SystemExit) as error:
        why = first_line(error) if file is None else _placed(error, file)
        raise UsageError(f"model {spec.text!r}: it could not be built: {why}") from error


def _check_value(spec: ModelSpec, key: str, value: Any, default: Any) -> None:
    """Raises OptionError where a number or a truth value is expected and another thing was given."""
    number = isinstance(default, int | float) and not isinstance(default, bool)
    if number and (isinstance(value, str | bool)):
        raise OptionError(f"model {spec.text!r}: {key}={spec.options.get(key)}: expected a number, such as {default}")
    if isinstance(default, bool) and not isinstance(value, bool):
        raise OptionError(f"model {spec.text!r}: {key}={spec.options.get(key)}: expected true or false")


def _application(spec: ModelSpec) -> LoadedModel:
    build = getattr(keras.applications, spec.name, None)
    if not (callable(build) and isinstance(build, type(_application))):
        raise UsageError(f"model {spec.text!r}: expected one of {', '.join(applications())}")
    options = {key: parse_value(value) for key, value in spec.options.items() if key not in OUR_KEYS}
    if "resolution" in options:
        side = options.pop("resolution")
        _check_value(spec, "resolution", side, 224)
        options["input_shape"] = (side, side, 3)  # type: ignore[assignment]
    known = [*(key for key in inspect.signature(build).parameters if key not in _OURS_TO_SAY), "resolution", *OUR_KEYS]
    unknown = [key for key in options if key not in (*known, "input_shape")]
    if unknown:
        raise OptionError(f"model {spec.text!r}: no option {', '.join(unknown)}; it has {', '.join(known)}")
    if spec.options.get("softmax") == "false":
        options["classifier_activation"] = None  # type: ignore[assignment]
    model = _call(spec, build, {**options, "weights": None}, ours=True)
    return LoadedModel(model, weights=spec.options.get("weights", "calibrated"))


_OURS_TO_SAY = ("weights", "input_shape", "input_tensor", "classifier_activation", "name")


def applications() -> list[str]:
    """Names of the models of keras.applications."""
    members = inspect.getmembers(keras.applications, inspect.isfunction)
    return [name for name, _ in members if name[0].isupper()]


def _file(spec: ModelSpec, path: Path, settings: PrepareSettings) -> LoadedModel:
    custom, files = custom_objects(settings.custom_objects)
    try:
        model = keras.saving.load_model(path, custom_objects=custom, compile=False, safe_mode=not settings.unsafe)
    except Exception as error:
        raise _load_error(spec, error) from error
    if not isinstance(model, keras.Model):
        raise UsageError(f"model {spec.text!r}: {path.name} holds a {type(model).__name__}, expected a keras.Model")
    return LoadedModel(model, files=files)


def custom_objects(texts: tuple[str, ...]) -> tuple[dict[str, Any], list[Path]]:
    """``"module:Class"`` -> the class, imported; and the files that the imports came from."""
    found: dict[str, Any] = {}
    files: list[Path] = []
    for text in texts:
        module_name, _, name = text.partition(":")
        if not module_name or not name:
            raise UsageError(f"--custom-objects {text}: expected module:Class")
        with _importing_beside(Path.cwd() / "_") as imported:
            try:
                found[name] = getattr(importlib.import_module(module_name), name)
            except (ImportError, AttributeError) as error:
                raise UsageError(f"--custom-objects {text}: {error}; is {module_name}.py in this folder?") from error
        files += imported
    return found, files


def _load_error(spec: ModelSpec, error: Exception) -> BenchError:
    text = str(error)
    if "unsafe" in text.lower() or "safe_mode" in text:
        return UsageError(
            f"model {spec.text!r}: it holds code (a Lambda layer or the like), which would run when it is loaded; "
            "if you trust the file, add --unsafe"
        )
    missing = _CLASS.search(text)
    if missing:
        name = (missing[1] or missing[2]).split(">")[-1]
        return UsageError(
            f"model {spec.text!r}: the class {name} is not part of Keras; say where it is with "
            f"--custom-objects module:{name} (the module is imported, which runs its code)"
        )
    return BenchError(f"model {spec.text!r}: Keras could not load it: {type(error).__name__}: {first_line(error)}")


def _import_file(path: Path) -> Any:
    name = f"_bench_model_{path.stem}"
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise UsageError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module  # classes of the file are found by their module's name
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"importing {path.name}: {_placed(error, path)}") from error
    return module


def _placed(error: BaseException, file: Path) -> str:
    """``"ValueError: its first line (net.py:12)"``: the innermost line of the user's file that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
    if isinstance(error, SyntaxError) and error.filename == str(file):
        lines.append(error.lineno)
    text = str(error).strip() and f": {first_line(error)}"
    return f"{type(error).__name__}{text}" + (f" ({file.name}:{lines[-1]})" if lines else "")


@contextmanager
def _importing_beside(path: Path) -> Iterator[list[Path]]:
    """Modules beside ``path`` can be imported, as for a script; in the end the list holds the files that were."""
    folder, before, files = path.resolve().parent, set(sys.modules), list[Path]()
    sys.path.insert(0, str(folder))
    try:
        yield files
    finally:
        sys.path.remove(str(folder))
        sources = [getattr(sys.modules.get(name), "__file__", None) for name in set(sys.modules) - before]
        files += sorted(
            source
            for source in (Path(text).resolve() for text in sources if text)
            if source.is_relative_to(folder) and "site-packages" not in source.parts and source != path.resolve()
        )
