"""What the table of runtimes says of one of them. Imports no runtime and no numpy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bench.records import ArtifactKind, Boundary, Precision
from bench.runtimes.options import (
    ONNXRUNTIME_OPTIONS,
    OWN_PRECISION_MEANING,
    PRECISION_MEANING,
    PROVIDER_KEYS,
    Option,
)

LINUX, MACOS, WINDOWS = "linux", "darwin", "win32"
SYSTEM_NAMES = {LINUX: "Linux", MACOS: "macOS", WINDOWS: "Windows"}
EVERYWHERE = (LINUX, MACOS, WINDOWS)
NVIDIA = ("/dev/nvidia[0-9]*", "/dev/dxg")
AMD = ("/dev/kfd",)
ASCEND = ("/dev/davinci[0-9]*",)
DEVICE_MAKERS = {NVIDIA: "NVIDIA", AMD: "AMD", ASCEND: "Ascend"}
_ONNX_PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "int8")


class RuntimeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A runtime by name."""

    module: str  # ours, with open_session and probe
    artifact: ArtifactKind
    package: str  # what imports as the runtime, as pip names it; the one that @VERSION is about
    install: str  # words for a person, no host in it
    requirements: tuple[str, ...] = ()  # of an environment of its own, pinned; empty: it lives in ours
    moves_with: tuple[str, ...] = ()  # further requirements that @VERSION is about as well
    reports: str | None = None  # the package whose version its sessions report, where it is not ``package``
    provider: str | None = None  # ONNX Runtime's name of the provider
    plugin: str | None = None  # module that brings the provider as a plugin library
    short_names: tuple[str, ...] = ()
    systems: tuple[str, ...] = EVERYWHERE  # values of sys.platform
    options: dict[str, Option] = {}
    provider_keys: tuple[str, ...] = ()
    threads_key: str | None = None  # a provider with a thread pool of its own: its key for the number
    precisions: tuple[Precision, ...] = ("float32",)
    own_precisions: tuple[Precision, ...] = ()  # of these, those it computes in by a switch of its own: no other file
    boundaries: tuple[Boundary, ...] = ("host",)
    artifact_by_path: dict[str, ArtifactKind] = {}  # value of its option ``path`` -> what it loads instead
    device_files: tuple[str, ...] = ()  # patterns; where none exists its device is not in this machine
    caches: bool = False  # keeps what it builds from a model, where it is told to
    on_request: bool = False  # never one of ``all``

    def known_options(self) -> Mapping[str, Option]:
        """Its own options, and those that it shares with others where it has a choice: precision, boundary, cache."""
        shared = {}
        if len(self.precisions) > 1:
            own = OWN_PRECISION_MEANING.format(" and ".join(self.own_precisions))
            shared["precision"] = Option(self.precisions, own if self.own_precisions else PRECISION_MEANING)
        if len(self.boundaries) > 1:
            shared["boundary"] = Option(self.boundaries, "what a timed call takes and gives")
        if self.caches:
            shared["cache"] = Option(("off", "on"), "keep what is built from the model, and use it in the next process")
        return self.options | shared


def provider(
    name: str,
    *short_names: str,
    package: str,
    requirements: tuple[str, ...] = (),
    systems: tuple[str, ...] = (LINUX, WINDOWS),
    install: str | None = None,
    plugin: str | None = None,
    threads_key: str | None = None,
    boundaries: tuple[Boundary, ...] = ("host",),
    precisions: tuple[Precision, ...] = _ONNX_PRECISIONS,
    own_precisions: tuple[Precision, ...] = (),
    device_files: tuple[str, ...] = (),
    caches: bool = False,
) -> RuntimeEntry:
    """An execution provider of ONNX Runtime, called ``name`` there."""
    return RuntimeEntry(
        module="bench.runtimes.onnxruntime",
        artifact="onnx",
        package=package,
        install=install or f"pip install {package}, in an environment of its own",
        requirements=requirements,
        reports="onnxruntime" if plugin else None,
        provider=name,
        plugin=plugin,
        short_names=short_names,
        systems=systems,
        options=ONNXRUNTIME_OPTIONS,
        provider_keys=PROVIDER_KEYS.get(name, ()),
        threads_key=threads_key,
        precisions=precisions,
        own_precisions=own_precisions,
        boundaries=boundaries,
        device_files=device_files,
        caches=caches,
    )
