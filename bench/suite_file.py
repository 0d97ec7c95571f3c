"""``bench.toml`` -> Asked, strictly; every mistake is reported at once with the file and the key.

A suite file says in keys what the command line says in flags. Paths in it are meant from its own folder::

    models = ["article_cnn", {model = "mobilenet_v1", batch = [1, 8]}]   # or [[models]] tables
    runtimes = ["tensorflow", "onnxruntime-cpu:arena=off"]               # -e; default: both of these, plain
    batch = [1]                  # -b, for models that set none of their own
    threads = 2                  # -x; default: the CPUs that this process may use
    effort = "normal"            # or "quick", "thorough"
    calls = 200                  # -r
    seconds = 5.0                # -t
    tail = false                 # --tail
    time_limit = 300             # --time-limit
    streams = [1, 2]             # --streams
    soak = 5                     # --soak, minutes
    min_placement = "95%"        # --min-placement; or 0.95
    require_placement = false    # --require-placement
    seed = 0                     # -S
    opset = 18                   # --opset
    load_inputs = "inputs.npz"   # --load-inputs
    custom_objects = ["module:Class"]
    signature = "serving_default"
    input_range = [0, 255]       # or a table by name: {image = [0, 255]}
    rtol = 1e-3                  # or a table by output: {logits = 1e-3}
    atol = 1e-6

    [input_shapes]
    image = [1, 3, 224, 224]

    [plugins]                    # --plugin
    webgpu = "libonnxruntime_providers_webgpu.so"

    [gate]                       # of `bench gate` alone
    delta = "5%"                 # --delta; or 0.05
    alpha = "1%"                 # --alpha
    beta = "5%"                  # --beta
    max_pairs = 16               # --max-pairs
    time_limit = 600             # --time-limit, of all pairs together
    metrics = ["latency", "agreement"]  # --metric
    inconclusive = "fail"        # --inconclusive

    [[gate.budget]]              # a delta of its own for the cases that fit; the last that fits counts
    model = "mobilenet_v1"
    runtime = "tensorflow"
    batch = 8
    delta = "10%"

``--unsafe``, ``--onnx`` and ``--litert`` are for the command line alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec

from bench.errors import UsageError
from bench.flags import parse_placement, plugin_name
from bench.gate_asking import GateTable, gate_table_asked
from bench.records import RuntimeSpec
from bench.specs import parse_models, parse_runtimes
from bench.suite import Asked, Effort, GateAsked, Mistakes, ModelAsked, Parsed
from bench.suite_errors import every_error

SUITE_FILE = "bench.toml"
Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Budget = Annotated[float, msgspec.Meta(ge=0)]
Range = tuple[float, float]


class ModelTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of ``[[models]]``."""

    model: str
    batch: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)] | None = None


class SuiteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; the module's docstring says what each key means."""

    models: Annotated[tuple[str | ModelTable, ...], msgspec.Meta(min_length=1)]
    runtimes: tuple[str, ...] = ()
    batch: tuple[Count, ...] = ()
    threads: Count | None = None
    effort: Effort | None = None
    calls: Count | None = None
    seconds: Positive | None = None
    tail: bool | None = None
    time_limit: Positive | None = None
    streams: tuple[Count, ...] = ()
    soak: Positive | None = None
    min_placement: str | float | None = None
    require_placement: bool | None = None
    seed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    opset: Count | None = None
    load_inputs: str | None = None
    custom_objects: tuple[str, ...] = ()
    signature: str | None = None
    input_range: Range | dict[str, Range] = {}
    input_shapes: dict[str, tuple[Count, ...]] = {}
    rtol: Budget | dict[str, Budget] = {}
    atol: Budget | dict[str, Budget] = {}
    plugins: dict[str, Annotated[str, msgspec.Meta(min_length=1)]] = {}
    gate: GateTable | None = None


def read_suite_file(path: Path, usable: Callable[[], Sequence[str]] = tuple) -> Asked:
    """What the file asks for; ``usable`` names the runtimes that ``all`` stands for."""
    mistakes = Mistakes()
    raw = _read(path)
    table = decode_suite(raw, str(path), mistakes)
    specs = _named(raw.get("models"), lambda text: parse_models(text, path.parent), f"{path}: models", mistakes)
    _named(raw.get("runtimes"), lambda text: parse_runtimes([text]), f"{path}: runtimes", mistakes)
    mistakes.raise_any()
    runtimes = mistakes.attempt(lambda: parse_runtimes(table.runtimes, usable), f"{path}: runtimes")
    names = [mistakes.attempt(partial(plugin_name, name, name), f"{path}: plugins") for name in table.plugins]
    placement = mistakes.attempt(partial(parse_placement, table.min_placement, f"{path}: min_placement"))
    gate = gate_table_asked(table.gate, f"{path}: gate", mistakes) if table.gate else None
    mistakes.raise_any()
    models = (
        ModelAsked(spec=spec, batch=entry.batch or () if isinstance(entry, ModelTable) else ())
        for entry, named in zip(table.models, specs, strict=True)
        for spec in named
    )
    asked = _asked(table, tuple(models), runtimes or (), gate, path.parent)
    files = (str(path.parent / file) for file in table.plugins.values())
    plugins = {name or "": file for name, file in zip(names, files, strict=True)}
    return msgspec.structs.replace(asked, plugins=plugins, min_placement=placement)


def read_gate_table(path: Path) -> GateAsked | None:
    """What the file's ``[gate]`` asks for, whatever else is in the file; None where it has none or is not there."""
    if not path.is_file():
        return None
    mistakes = Mistakes()
    table = decode_suite(
        {"models": ["-"], **{k: v for k, v in _read(path).items() if k == "gate"}}, str(path), mistakes
    )
    asked = gate_table_asked(table.gate, f"{path}: gate", mistakes) if table.gate else None
    mistakes.raise_any()
    return asked


def decode_suite(raw: dict[str, Any], where: str, mistakes: Mistakes) -> SuiteTable:
    """The table, key by key, so that one wrong key does not hide the next; its mistakes are added to ``mistakes``."""
    fields = {field.name: field for field in msgspec.structs.fields(SuiteTable)}
    good: dict[str, Any] = {"models": ("",)}
    for key in [key for key in raw if key not in fields]:
        close = difflib.get_close_matches(key, fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(fields)}"
        mistakes.add(f"no such key; {hint}", f"{where}: {key}")
    if "models" not in raw:
        mistakes.add('the key is missing; expected models = ["NAME", ...]', f"{where}: models")
    for key in [key for key in raw if key in fields]:
        try:
            good[key] = msgspec.convert(raw[key], fields[key].type)
        except msgspec.ValidationError as error:
            mistakes.texts.extend(every_error(raw[key], fields[key].type, f"{where}: {key}", str(error)))
    return SuiteTable(**good)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(msgspec.toml.decode(path.read_bytes()))
    except FileNotFoundError:
        raise UsageError(f"there is no suite file {path}; name a model, as in: bench run mobilenet_v1") from None
    except OSError as error:
        raise UsageError(f"reading {path}: {error.strerror}; name a suite file that can be read") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"reading {path}: {error}") from error


def _named(entries: Any, parse: Callable[[str], Parsed], where: str, mistakes: Mistakes) -> list[Parsed]:
    """What the names of a list mean; a mistake for each that means nothing. Wrong types are told elsewhere."""
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("model") if isinstance(entry, dict) else entry
        if isinstance(name, str) and name != "all":
            found.append(mistakes.attempt(partial(parse, name), f"{where}[{index}]"))
    return [one for one in found if one is not None]


def _asked(
    table: SuiteTable,
    models: tuple[ModelAsked, ...],
    runtimes: tuple[RuntimeSpec, ...],
    gate: GateAsked | None,
    folder: Path,
) -> Asked:
    every = {"": table.input_range} if isinstance(table.input_range, tuple) else table.input_range
    same = (
        "batch", "threads", "effort", "calls", "seconds", "tail", "time_limit", "streams", "soak", "require_placement",
        "seed", "opset", "custom_objects",
    )  # fmt: skip
    return Asked(
        models=models,
        runtimes=runtimes,
        input_ranges=every,
        input_shapes=table.input_shapes,
        load_inputs=str(folder / table.load_inputs) if table.load_inputs else None,
        signature=table.signature,
        rtol=_by_output(table.rtol),
        atol=_by_output(table.atol),
        gate=gate,
        **{key: getattr(table, key) for key in same},
    )


def _by_output(tolerance: float | dict[str, float]) -> dict[str, float]:
    return tolerance if isinstance(tolerance, dict) else {"": tolerance}
