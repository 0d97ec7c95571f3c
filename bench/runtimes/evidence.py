"""What a probe's answer is read from, collected in the probing child: distributions, what the build has, devices.

Imports no runtime: it looks at those that the probe has imported.
"""

from __future__ import annotations

import contextlib
import platform
import sys
from importlib import metadata
from typing import Any

import msgspec

from bench.records import Probe
from bench.runtimes.table import RUNTIMES
from bench.runtimes.wheels import onnxruntime_distributions, overlapping_wheels


def evidence_of(name: str) -> dict[str, str]:
    """A word for each fact of this interpreter that the state of ``name`` depends on."""
    entry = RUNTIMES[name]
    found = {"python": platform.python_version(), entry.package: _version(entry.package)}
    if entry.provider is not None:
        found["onnxruntime distributions"] = ", ".join(onnxruntime_distributions()) or "none"
        found["providers in the build"] = ", ".join(_providers()) or "none: onnxruntime was not imported"
    if entry.plugin is not None:
        found[f"devices of {entry.provider}"] = ", ".join(_plugin_devices(str(entry.provider))) or "none"
    caution = overlapping_wheels()
    return found | ({"caution": caution.text} if caution else {})


def with_devices(probe: Probe) -> Probe:
    """The probe, a plugin's devices in it; a plugin that was registered and has none is told so."""
    entry = RUNTIMES[probe.name]
    if entry.plugin is None or probe.state == "not installed":
        return probe
    devices = _plugin_devices(str(entry.provider))
    if devices or probe.state != "no device" or not _is_imported(entry.plugin):
        return msgspec.structs.replace(probe, devices=probe.devices or devices)
    return msgspec.structs.replace(probe, detail=f"registered without devices: {probe.detail}")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _is_imported(module: str) -> bool:
    return module in sys.modules


def _providers() -> list[str]:
    ort: Any = sys.modules.get("onnxruntime")
    return list(ort.get_available_providers()) if ort is not None else []


def _plugin_devices(provider: str) -> tuple[str, ...]:
    """Kind and maker of each device that the plugin offers, now that its library was registered."""
    ort: Any = sys.modules.get("onnxruntime")
    with contextlib.suppress(Exception):  # an older ONNX Runtime has no devices; evidence fails no probe
        return tuple(
            f"{one.device.type.name} {one.device.vendor}".strip()
            for one in ort.get_ep_devices()
            if one.ep_name == provider
        )
    return ()
