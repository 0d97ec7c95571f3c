"""Runtimes by name, imported now: for workers and probing children only. The parent never calls anything here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from bench.errors import UnavailableError, UsageError
from bench.records import Artifact, Profiled, ProviderPart, SessionSettings
from bench.runtimes.table import RUNTIMES, artifact_kind, canonical_name, check_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.runtimes.contract import Feed, RuntimeModule, Session


def module_of(name: str) -> RuntimeModule:
    """The runtime's module of ours."""
    module: Any = importlib.import_module(RUNTIMES[canonical_name(name)].module)
    return cast("RuntimeModule", module)


def import_runtime(name: str, options: Mapping[str, str] | None = None) -> None:
    """Import the runtime itself, so that its cost can be told from that of loading.

    Some options (``onednn`` of TensorFlow) hold from the import on: give here what ``open_session`` will be given.
    Raises UnavailableError where it is not installed.
    """
    canonical = canonical_name(name)
    check_options(canonical, options or {})
    module_of(canonical).import_runtime(canonical, options or {})


def open_session(name: str, artifact: Artifact, settings: SessionSettings) -> Session:
    """A session of the runtime called ``name``, ready to run; see ``contract.RuntimeModule`` for its errors."""
    canonical = _checked(name, artifact, settings)
    return module_of(canonical).open_session(canonical, artifact, settings)


def profile(
    name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int
) -> tuple[ProviderPart, ...]:
    """Kernels and their time by provider over ``calls`` calls of a profiled session; for ONNX Runtime's providers."""
    canonical = _checked(name, artifact, settings)
    ask = getattr(module_of(canonical), "profile", None)
    if ask is None:
        raise UnavailableError(f"{canonical} does not tell where its kernels ran")
    parts: tuple[ProviderPart, ...] = ask(canonical, artifact, settings, feeds, calls)
    return parts


def operators(name: str, artifact: Artifact, settings: SessionSettings, feeds: Sequence[Feed], calls: int) -> Profiled:
    """Every operator with its time in each of ``calls`` profiled calls after calls to warm up.

    Raises UnavailableError where the runtime tells no such times, UnsupportedError where it does not for this path.
    """
    canonical = _checked(name, artifact, settings)
    ask = getattr(module_of(canonical), "operators", None)
    if ask is None:
        raise UnavailableError(f"{canonical} does not tell how long its operators took")
    profiled: Profiled = ask(canonical, artifact, settings, feeds, calls)
    return profiled


def _checked(name: str, artifact: Artifact, settings: SessionSettings) -> str:
    canonical = canonical_name(name)
    check_options(canonical, settings.options)
    wanted = artifact_kind(canonical, settings.options)
    if artifact.kind != wanted:
        raise UsageError(f"{canonical} loads {wanted} artifacts, this one is {artifact.kind}")
    return canonical
