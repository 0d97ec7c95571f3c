"""How an ONNX Runtime session comes to be, on the provider asked for or not at all. Runs where ONNX Runtime does.

ONNX Runtime answers most mistakes with a working CPU session. So each thing that was asked for is compared with what
the session says; a difference is an error.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UnavailableError, UnsupportedError, UsageError, first_line
from bench.records import Artifact, BuildCache, Caution, SessionSettings
from bench.runtimes.dimensions import input_dimensions
from bench.runtimes.entry import RuntimeEntry
from bench.runtimes.onnxruntime_options import fixed_dimensions, make_session_options
from bench.runtimes.openvino_properties import picks_by_itself
from bench.runtimes.options import with_defaults
from bench.runtimes.table import RUNTIMES

_UNSUPPORTED = {
    "NotImplemented",
    "InvalidGraph",
    "InvalidProtobuf",
    "InvalidArgument",
    "Fail",
    "ModelRequiresCompilation",
}
_LOG_INFO, _LOG_WARNING = 1, 2
_SAME = {"true": "1", "on": "1", "false": "0", "off": "0"}  # as providers report what was given as the other
_FP16, _FP32 = {"precision": "FP16"}, {"precision": "FP32"}  # OpenVINO's switch
_registered: set[str] = set()  # plugin libraries of this process: a second registration is an error


class Opening:
    """What one session is made from; kept together because a profile needs another one of the same."""

    def __init__(self, ort: Any, name: str, artifact: Artifact, settings: SessionSettings) -> None:
        self.ort = ort
        self.name, self.path, self.settings = name, artifact.path, settings
        self.entry = RUNTIMES[name]
        self.provider = str(self.entry.provider)
        self.devices = _require_available(ort, name, self.entry, settings.plugin)
        self.chosen = with_defaults(self.entry.options, settings.options)
        self.keys = _provider_keys(self.entry, settings)
        self.cache_keys = _cache_keys(self.provider, settings.cache)
        self.fixed = fixed_dimensions(input_dimensions(Path(artifact.path)), settings)
        self.options = self._make_options()

    def create(self) -> tuple[Any, BuildCache | None]:
        """The session on the provider asked for, checked to be on it; a miss where it kept something new."""
        before = self._kept()
        session = self._checked(self._create(self.options))
        return session, None if self.settings.cache is None else "hit" if before and self._kept() == before else "miss"

    def create_profiled(self, folder: Path, graph: Path | None = None) -> tuple[Any, str]:
        """Another one that writes a profile into ``folder``, and what ONNX Runtime logged while it was made.

        ``graph``: where the optimised graph goes, too. It can't be written with what a provider compiled in it.
        """
        options = self._make_options()
        if graph is not None:
            options.optimized_model_filepath = str(graph)
            weights = "session.optimized_model_external_initializers_"
            options.add_session_config_entry(f"{weights}file_name", "weights.bin")
            options.add_session_config_entry(f"{weights}min_size_in_bytes", "1024")
        options.enable_profiling = True
        options.profile_file_prefix = str(folder / "profile")
        options.log_severity_level = _LOG_INFO
        self.ort.set_default_logger_severity(_LOG_INFO)
        log = folder / "log"
        try:
            with _stderr_to(log):
                session = self._create(options)
        finally:
            self.ort.set_default_logger_severity(_LOG_WARNING)
        return self._checked(session), log.read_text("utf-8", "replace")

    def unconfirmed(self, session: Any) -> tuple[Caution, ...]:
        """The options that a provider took, and that it reports no value of: it reports none at all."""
        given = [f"{key}={value}" for key, value in self.keys.items() if key in self.settings.options]
        if not given or session.get_provider_options().get(self.provider):
            return ()
        text = f"{self.provider} took {', '.join(given)} and does not report its options, so nothing confirms them"
        return (Caution(code="options unconfirmed", text=text),)

    def _kept(self) -> dict[str, int]:
        """Files of the cache and when each was written."""
        found = Path(self.settings.cache).rglob("*") if self.settings.cache else ()
        return {str(file): file.stat().st_mtime_ns for file in found if file.is_file()}

    def _checked(self, session: Any) -> Any:
        _require_provider(session, self.name, self.provider, self.keys | self.cache_keys)
        _require_names(session, Path(self.path).name, self.settings)
        return session

    def _make_options(self) -> Any:
        return make_session_options(self.ort, self.chosen, self.settings.threads, self.fixed)

    def _create(self, options: Any) -> Any:
        keys = self.keys | self.cache_keys
        place: dict[str, Any] = {"providers": [(self.provider, keys)]}
        if self.devices:  # a providers= argument beside them would drop the plugin silently
            options.add_provider_for_devices(self.devices[:1], keys)
            place = {}
        try:
            session = self.ort.InferenceSession(self.path, options, **place)
        except Exception as error:
            raise opening_error(self.name, error) from error
        session.disable_fallback()
        return session


def register_plugin(ort: Any, library: str, name: str, provider: str) -> list[Any]:
    """Devices of a plugin provider once its library is registered; empty where it finds none on this machine."""
    if not hasattr(ort, "register_execution_provider_library"):
        raise UnavailableError(f"registering {name}: onnxruntime {ort.__version__} takes no plugin libraries")
    if library not in _registered:
        try:
            ort.register_execution_provider_library(name, library)
        except Exception as error:
            why = first_line(error).replace(library, Path(library).name)
            raise UnavailableError(f"registering {name}: {why}") from error
        _registered.add(library)
    return [device for device in ort.get_ep_devices() if device.ep_name == provider]


def opening_error(name: str, error: Exception) -> BenchError:
    """What ONNX Runtime's exception at opening means to a person, in one line; any other exception is raised again."""
    kind = type(error).__name__
    text = f"opening the model on {name}: {first_line(error)}"
    if kind in _UNSUPPORTED:
        return UnsupportedError(text)
    if kind in {"EPFail", "EngineError"}:
        return UnavailableError(text)
    if kind in {"NoSuchFile", "NoModel", "NotFound"}:
        return BenchError(text)
    raise error


def is_installed(ort: Any, entry: RuntimeEntry) -> bool:
    """Whether the provider is in the build, or the package of its plugin is there."""
    plugin = entry.plugin is not None and importlib.util.find_spec(entry.plugin) is not None
    return plugin or entry.provider in ort.get_available_providers()


def _require_available(ort: Any, name: str, entry: RuntimeEntry, library: str | None) -> list[Any]:
    """The plugin's devices where the provider comes as a plugin, else none; UnavailableError where it is not there."""
    if library is None and not is_installed(ort, entry):
        here = ", ".join(ort.get_available_providers())
        raise UnavailableError(
            f"{name}: {entry.provider} is not in onnxruntime {ort.__version__} here (it has {here}); {entry.install}"
        )
    if library is None and entry.provider in ort.get_available_providers():
        return []
    if library is not None and not Path(library).is_file():
        raise UnavailableError(f"{name}: its plugin library {Path(library).name} is not there: see --plugin")
    own = os.path.abspath(library) if library else None  # ONNX Runtime looks for a relative one in its own folder
    path = own or importlib.import_module(str(entry.plugin)).get_library_path()
    devices = register_plugin(ort, path, str(entry.plugin), str(entry.provider))
    if not devices:
        what = "its plugin library loads" if library else f"{entry.plugin} is installed"
        raise UnavailableError(f"{name}: {what} and finds no device on this machine")
    return devices


def _provider_keys(entry: RuntimeEntry, settings: SessionSettings) -> dict[str, str]:
    """Options for the provider itself, its number format, and the threads where it has a pool of its own."""
    given = {key: value for key, value in settings.options.items() if key in entry.provider_keys}
    if picks_by_itself(given.get("device_type", "")):
        raise UnavailableError(
            f"{entry.provider}: device_type={given['device_type']} picks a device, silently; name one"
        )
    if settings.precision in entry.own_precisions:
        given |= _FP16
    elif entry.own_precisions and entry.plugin is None:  # OpenVINO's default on a GPU is float16
        given |= _FP32
    return given | ({entry.threads_key: str(settings.threads)} if entry.threads_key else {})


def _cache_keys(provider: str, folder: str | None) -> dict[str, str]:
    """What makes the provider keep in ``folder`` what it builds; the folder is no part of what a row tells."""
    if folder is None:
        return {}
    Path(folder).mkdir(parents=True, exist_ok=True)
    if provider == "TensorrtExecutionProvider":
        return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": folder}
    if provider == "OpenVINOExecutionProvider":
        return {"cache_dir": folder}
    raise UsageError(f"{provider} keeps nothing of what it builds: leave cache=on out")


def _require_provider(session: Any, name: str, provider: str, keys: dict[str, str]) -> None:
    got = session.get_providers()
    if not got or got[0] != provider:
        asked = "".join(f", {key}={value}" for key, value in keys.items())
        raise UnavailableError(f"{name}: asked for {provider}{asked}, the session has {', '.join(got) or 'none'}")
    used = session.get_provider_options().get(provider, {})
    for key, value in keys.items() if used else ():  # one that reports none: see Opening.unconfirmed
        if key not in used:
            raise UnavailableError(f"{name}: asked for {key}={value}, the session does not report that it uses it")
        if _plain(str(used[key])) != _plain(value):
            raise UnavailableError(f"{name}: asked for {key}={value}, the session uses {used[key]}")


def _plain(value: str) -> str:
    return _SAME.get(value.lower(), value.lower())


def _require_names(session: Any, model: str, settings: SessionSettings) -> None:
    outputs, inputs = session.get_outputs(), session.get_inputs()
    _require("output", model, settings.outputs, [tensor.name for tensor in outputs])
    _require("input", model, [tensor.name for tensor in settings.inputs], [tensor.name for tensor in inputs])


def _require(what: str, model: str, names: Sequence[str], present: Sequence[str]) -> None:
    if missing := [name for name in names if name not in present]:
        raise UnsupportedError(f"{model} has no {what} {', '.join(missing)}; it has {', '.join(sorted(present))}")


@contextmanager
def _stderr_to(path: Path) -> Iterator[None]:
    """What native code prints, into a file: ONNX Runtime's log goes nowhere else."""
    kept = os.dup(2)
    try:
        with path.open("wb") as file:
            os.dup2(file.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
