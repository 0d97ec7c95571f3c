"""Texts that people type for models and runtimes -> ModelSpec and RuntimeSpec.

``NAME[@VERSION][:key=value,...][#LABEL]``, several at once by ``{braces}``. Looks at files only to see what they are;
imports no runtime and no Keras.
Every mistake is a UsageError that says what would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from bench.errors import UsageError
from bench.records import ModelKind, ModelSpec, RuntimeSpec
from bench.spec_braces import expand
from bench.spec_syntax import canonical_text, parse_options, refuse_twice, split_label, split_runtimes

DEFAULT_RUNTIMES = ("tensorflow", "onnxruntime-cpu")
WEIGHTS = ("calibrated", "random", "imagenet")
OUR_KEYS = ("weights", "softmax")  # read by us, on the models whose weights we make
ALL = "all"  # every usable runtime; azure is in no table
_FILE_SUFFIXES = (".keras", ".h5", ".hdf5", ".onnx")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!-]*")
_APPLICATION = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BUILDER = re.compile(r"(?P<path>.+?\.py)(?::(?P<rest>.*))?", re.DOTALL)
_HERE = Path()


# --- models -----------------------------------------------------------------------------------------------------------


def parse_models(text: str, folder: Path = _HERE) -> tuple[ModelSpec, ...]:
    """The models that ``text`` names, several where it has braces; a relative path is meant from ``folder``."""
    head = _file_with_braces(text, folder)
    return tuple(_parse_model(head + rest, folder) for rest in expand("model", text[len(head) :]))


def parse_model(text: str, folder: Path = _HERE) -> ModelSpec:
    """The one model that ``text`` names; UsageError where it names several."""
    models = parse_models(text, folder)
    if len(models) > 1:
        raise UsageError(f"model {text!r}: expected one model, its braces make {len(models)}")
    return models[0]


def _file_with_braces(text: str, folder: Path) -> str:
    """The start of the text that is the name of a file which is there: braces in it mean nothing. Else ""."""
    if "{" not in text and "}" not in text:
        return ""
    ends = [match.start() for match in re.finditer("[:#]|$", text)]
    return next((text[:end] for end in reversed(ends) if end and (folder / text[:end]).exists()), "")


def _parse_model(text: str, folder: Path) -> ModelSpec:
    body, label = (text, None) if (folder / text).exists() else split_label(text)
    if body.startswith("keras:"):
        return _application(text, body, label, folder)
    if builder := _BUILDER.fullmatch(body):
        return _builder(text, builder, label, folder)
    if _looks_like_file(body, folder):
        return _file(text, body, label, folder)
    return _zoo_model(text, body, label, folder)


def _application(text: str, body: str, label: str | None, folder: Path) -> ModelSpec:
    name, _, pairs = body.removeprefix("keras:").partition(":")
    if not _APPLICATION.fullmatch(name):
        raise UsageError(f"model {text!r}: expected keras:NAME, one of keras.applications, such as keras:MobileNetV2")
    options = _with_ours(text, parse_options(text, pairs), folder)
    return _model(text, "keras", name, options, label, stem=f"keras:{name}")


def _zoo_model(text: str, body: str, label: str | None, folder: Path) -> ModelSpec:
    name, _, pairs = body.partition(":")
    if name not in _zoo_names():
        _refuse_unknown(text)
    return _model(text, "zoo", name, _with_ours(text, parse_options(text, pairs), folder), label)


def _builder(text: str, match: re.Match[str], label: str | None, folder: Path) -> ModelSpec:
    head, _, pairs = (match["rest"] or "").partition(":")
    function, pairs = ("build", head) if "=" in head else (head or "build", pairs)
    if not function.isidentifier():
        raise UsageError(f"model {text!r}: {function!r} is not a function's name; expected FILE.py:FUNCTION:key=value")
    path = folder / match["path"]
    if not path.is_file():
        raise UsageError(f"model {text!r}: there is no file {match['path']}")
    stem, options = f"{path.name}:{function}", parse_options(text, pairs)
    return _model(text, "builder", path.name, options, label, stem=stem, path=path, function=function)


def _file(text: str, body: str, label: str | None, folder: Path) -> ModelSpec:
    path = folder / body
    if not path.exists():
        _refuse_missing(text, body, folder)
    inside = _onnx_inside(text, path)

    from bench.prepare.sniff import sniff

    return _model(text, sniff(inside), path.name or path.resolve().name, {}, label, path=inside)


def _model(
    text: str,
    kind: ModelKind,
    name: str,
    options: dict[str, str],
    label: str | None,
    *,
    stem: str | None = None,
    path: Path | None = None,
    function: str | None = None,
) -> ModelSpec:
    return ModelSpec(
        text=text,
        kind=kind,
        name=name,
        display=canonical_text(stem or name, options, label),
        path=None if path is None else str(path),
        function=function,
        options=options,
        label=label,
    )


def _looks_like_file(body: str, folder: Path) -> bool:
    """A zoo name wins over a file of that name; ``./NAME`` means the file."""
    if body in _zoo_names():
        return False
    head = body.partition(":")[0]
    return "/" in head or head.lower().endswith(_FILE_SUFFIXES) or (folder / body).exists()


def _onnx_inside(text: str, path: Path) -> Path:
    """The .onnx of a folder in the layout of ONNX's own test models; anything else unchanged."""
    if not path.is_dir() or (path / "saved_model.pb").exists():
        return path
    found = sorted(path.glob("*.onnx"))
    if len(found) > 1:
        raise UsageError(f"model {text!r}: the folder holds {', '.join(file.name for file in found)}; name one of them")
    return found[0] if found else path


def _with_ours(text: str, options: dict[str, str], folder: Path) -> dict[str, str]:
    """The same options with both of our keys checked, and ``weights=FILE`` as a path that can be opened."""
    softmax, weights = options.get("softmax", "true"), options.get("weights", WEIGHTS[0])
    if softmax not in ("true", "false"):
        raise UsageError(f"model {text!r}: softmax={softmax}; expected softmax=true or softmax=false")
    if weights in WEIGHTS:
        return options
    if not (folder / weights).is_file():
        raise UsageError(f"model {text!r}: weights={weights} is neither {', '.join(WEIGHTS)} nor a file that is there")
    return {**options, "weights": str(folder / weights)}


def _refuse_missing(text: str, body: str, folder: Path) -> NoReturn:
    head, colon, pairs = body.partition(":")
    if not colon or not (folder / head).exists():
        raise UsageError(f"model {text!r}: there is no file or folder {body}")
    if pairs.startswith(OUR_KEYS):
        raise UsageError(f"model {text!r}: weights= and softmax= belong to zoo and keras: models; a file keeps its own")
    raise UsageError(f"model {text!r}: a file takes no options; write {head}")


def _refuse_unknown(text: str) -> NoReturn:
    if names_a_runtime(text):
        raise UsageError(
            f"model {text!r} is a runtime's name, and no -e is before it; in a shell, braces stand in quotes: "
            "-e 'NAME@{1.2,1.3}'"
        )
    raise UsageError(
        f"model {text!r} is not known; models are {', '.join(_zoo_names())}, keras:NAME, FILE.py:FUNCTION, "
        "a .keras, .h5 or .onnx file, a SavedModel folder"
    )


def _zoo_names() -> tuple[str, ...]:
    from bench.prepare.zoo import zoo_names

    return zoo_names()


# --- runtimes ---------------------------------------------------------------------------------------------------------


def parse_runtimes(texts: Iterable[str], usable: Callable[[], Sequence[str]] = tuple) -> tuple[RuntimeSpec, ...]:
    """The runtimes of all ``-e`` values, in the order typed; ``usable`` names those that ``all`` stands for."""
    specs: list[RuntimeSpec] = []
    for item in [item for text in texts for item in split_runtimes(text)]:
        if item != ALL:
            specs.append(parse_runtime(item))
            continue
        there = {spec.display for spec in specs}
        named = [parse_runtime(name) for name in usable() if name not in there]
        specs.extend(msgspec.structs.replace(spec, text=ALL) for spec in named)
    refuse_twice("runtime", specs)
    return tuple(specs)


def names_a_runtime(text: str) -> bool:
    """Whether the name before any version, options or label is a runtime's."""
    from bench.runtimes.table import canonical_name

    try:
        canonical_name(re.split("[@:#,]", text)[0])
    except UsageError:
        return False
    return True


def parse_runtime(text: str) -> RuntimeSpec:
    """The runtime that one text names, with options that it knows. A version is kept as asked for."""
    from bench.runtimes.options import in_our_words
    from bench.runtimes.table import canonical_name, check_options

    body, label = split_label(text)
    head, _, pairs = body.partition(":")
    short, at, version = head.partition("@")
    if at and not _VERSION.fullmatch(version):
        raise UsageError(f"runtime {text!r}: {version!r} is not a version; expected NAME@1.2.3")
    name = canonical_name(short)
    options = in_our_words(parse_options(text, pairs))
    check_options(name, options)
    display = canonical_text(f"{name}{at}{version}", options, label)
    return RuntimeSpec(text=text, name=name, display=display, version=version or None, options=options, label=label)
