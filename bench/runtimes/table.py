"""The literal table of runtimes: what a name means, where it exists, what it loads, which line installs it.

Imported by parent and worker; imports no runtime and no numpy. A runtime's module is imported by ``loading`` and by the
probing child, on first use.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.errors import UsageError
from bench.records import ArtifactKind, Boundary, Precision, artifact_key
from bench.runtimes.entry import RuntimeEntry
from bench.runtimes.options import (
    IREE_OPTIONS,
    LITERT_OPTIONS,
    OPENVINO_OPTIONS,
    TENSORFLOW_OPTIONS,
    XLA_OPTIONS,
    nearest_first,
    require_known,
)
from bench.runtimes.providers import PROVIDERS

_TENSORFLOW = "bench.runtimes.tensorflow"

RUNTIMES: dict[str, RuntimeEntry] = {
    "tensorflow": RuntimeEntry(
        module=_TENSORFLOW,
        artifact="saved_model",
        package="tensorflow",
        install="pip install tensorflow",
        short_names=("tf",),
        options=TENSORFLOW_OPTIONS,
        artifact_by_path={"predict": "keras", "eager": "keras"},
    ),
    "tensorflow-xla": RuntimeEntry(
        module=_TENSORFLOW,
        artifact="saved_model",
        package="tensorflow",
        install="pip install tensorflow",
        short_names=("xla", "tf-xla"),
        options=XLA_OPTIONS,
    ),
    **PROVIDERS,
    "openvino": RuntimeEntry(
        module="bench.runtimes.openvino",
        artifact="onnx",
        package="openvino",
        install="bench env build openvino",
        requirements=("openvino==2026.4.1",),
        short_names=("ov",),
        options=OPENVINO_OPTIONS,
        provider_keys=("device",),
        caches=True,
        precisions=("float32", "float16", "int8"),
        own_precisions=("float16",),
    ),
    "litert": RuntimeEntry(
        module="bench.runtimes.litert",
        artifact="litert",
        package="ai-edge-litert",
        install="bench env build litert",
        requirements=("ai-edge-litert==2.3.0",),
        short_names=("tflite",),
        options=LITERT_OPTIONS,
        precisions=("float32", "float16", "int8"),
    ),
    "iree": RuntimeEntry(
        module="bench.runtimes.iree",
        artifact="onnx",
        package="iree-base-runtime",
        install="bench env build iree",
        requirements=("iree-base-runtime==3.13.0", "iree-base-compiler==3.13.0", "onnx==1.23.2"),
        moves_with=("iree-base-compiler",),  # a module is for the runtime of its compiler's version
        options=IREE_OPTIONS,
        caches=True,
    ),
    "keras-jax": RuntimeEntry(
        module="bench.runtimes.keras_backends",
        artifact="keras",
        package="jax",
        install="bench env build keras-jax",
        requirements=("keras==3.15.1", "jax==0.10.2"),
        on_request=True,
    ),
    "keras-torch": RuntimeEntry(
        module="bench.runtimes.keras_backends",
        artifact="keras",
        package="torch",
        install="bench env build keras-torch (its download is large)",
        requirements=("keras==3.15.1", "torch==2.13.0"),
        on_request=True,
    ),
}

_NAMES_TOLD = 6  # of runtimes, where a name is wrong
_SHORT = {short: name for name, entry in RUNTIMES.items() for short in entry.short_names}
_PRECISIONS: dict[str, Precision] = {"float32": "float32", "float16": "float16", "int8": "int8"}
_BOUNDARIES: dict[str, Boundary] = {"host": "host", "device": "device"}
_AZURE = ("azure", "onnxruntime-azure", "ort-azure", "AzureExecutionProvider")


def canonical_name(text: str) -> str:
    """The table's key for a name or a short name; UsageError that lists the right ones for any other text."""
    name = _SHORT.get(text, text)
    if name in RUNTIMES:
        return name
    if name in _AZURE:
        raise UsageError(
            f"runtime {text!r} is left out on purpose: ONNX Runtime lists AzureExecutionProvider in every CPU wheel, "
            "and what it was given ran on the CPU; ask for onnxruntime-cpu"
        )
    allowed = (*RUNTIMES, *(short for entry in RUNTIMES.values() for short in entry.short_names[:1]))
    names = nearest_first(text, allowed).split(", ")[:_NAMES_TOLD]
    raise UsageError(f"unknown runtime {text!r}; the runtimes are: {', '.join(names)}, ...: `bench runtimes` lists all")


def check_options(name: str, options: Mapping[str, str]) -> None:
    """UsageError that lists every unknown key or value with what is allowed, or nothing."""
    entry = RUNTIMES[canonical_name(name)]
    require_known(name, entry.known_options(), entry.provider_keys, options)


def artifact_kind(name: str, options: Mapping[str, str]) -> ArtifactKind:
    """What the runtime loads; with some of its call paths that is another kind than by default."""
    entry = RUNTIMES[name]
    return entry.artifact_by_path.get(options.get("path", ""), entry.artifact)


def artifact_precision(name: str, options: Mapping[str, str]) -> Precision:
    """Number format of the file that it loads: float32 where the runtime switches by itself."""
    precision = precision_of(options)
    return "float32" if precision in RUNTIMES[name].own_precisions else precision


def artifact_needed(name: str, options: Mapping[str, str]) -> str:
    """The key of what the runtime loads among a prepared model's artifacts."""
    return artifact_key(artifact_kind(name, options), artifact_precision(name, options))


def precision_of(options: Mapping[str, str]) -> Precision:
    """The precision that checked options ask for."""
    return _PRECISIONS.get(options.get("precision", ""), "float32")


def boundary_of(options: Mapping[str, str]) -> Boundary:
    """The boundary that checked options ask for."""
    return _BOUNDARIES.get(options.get("boundary", ""), "host")
