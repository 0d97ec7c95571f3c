"""OpenVINO's properties: what is set before a model is compiled, what the compiled model says, and whether they agree.

Imports no runtime: it is given OpenVINO's own objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.errors import UnavailableError
from bench.records import SessionSettings

_HINTS = {"latency": "LATENCY", "throughput": "THROUGHPUT"}
_FLOATS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
_NOT_COMPARED = {
    "CACHE_DIR",  # cannot be asked for: LOADED_FROM_CACHE tells what came of it
    "ENABLE_HYPER_THREADING",  # allowed so that the threads asked for are not cut; "no" where no core has two
    "SCHEDULING_CORE_TYPE",  # likewise
}
_OUR_WORDS = {"inference_num_threads": "intra_op_threads"}
_PLACE_IN_SOURCE = re.compile(r"^(Exception from |Check '|FrontEnd API failed|Model wasn't fully|Summary:)")
_OPERATOR_VERSION = re.compile(r"-\d+(?=,|$)")


def chosen_device(name: str, options: Mapping[str, str], devices: Sequence[str]) -> str:
    """The device that the options name, CPU by default; UnavailableError that lists those that are there."""
    device = options.get("device", "CPU")
    if device in devices or device in {_family(there) for there in devices}:
        return device
    here = ", ".join(devices) or "none"
    if picks_by_itself(device):
        raise UnavailableError(f"{name}: device={device} picks a device by itself, silently; name one of: {here}")
    raise UnavailableError(f"{name}: there is no device {device}; the devices here are: {here}")


def picks_by_itself(device: str) -> bool:
    """Whether it is no device but a rule by which OpenVINO picks one: nothing would say where the model ran."""
    return _family(re.split("[:(]", device)[0]) in {"AUTO", "HETERO", "MULTI", "BATCH"}


def properties(device: str, chosen: Mapping[str, str], settings: SessionSettings) -> dict[str, str]:
    """Everything to set, as text: the precision always (some processors default to bfloat16), threads on a CPU."""
    wanted = {
        "INFERENCE_PRECISION_HINT": "f16" if settings.precision == "float16" else "f32",
        "PERFORMANCE_HINT": _HINTS[chosen["hint"]],
    }
    if chosen["hint"] == "latency":  # for throughput it decides how many, by the threads
        wanted["NUM_STREAMS"] = "1"
    if _family(device) == "CPU":
        wanted |= {
            "INFERENCE_NUM_THREADS": str(settings.threads),
            "ENABLE_CPU_PINNING": "YES" if chosen["pinning"] == "on" else "NO",  # no other runtime here pins
            "ENABLE_HYPER_THREADING": "YES",
            "SCHEDULING_CORE_TYPE": "ANY_CORE",
        }
    return wanted | ({"CACHE_DIR": settings.cache} if settings.cache else {})


def read_back(
    name: str, compiled: Any, device: str, wanted: Mapping[str, str], settings: SessionSettings
) -> dict[str, str]:
    """What the compiled model says of all that was set; UnavailableError at the first difference."""
    devices = [str(there) for there in compiled.get_property("EXECUTION_DEVICES")]
    if {_family(there) for there in devices} != {_family(device)}:
        raise UnavailableError(f"{name}: asked for {device}, the model runs on {', '.join(devices) or 'nothing'}")
    found = {key: as_text(compiled.get_property(key)) for key in wanted if key != "CACHE_DIR"}
    for key, value in wanted.items():
        if key not in _NOT_COMPARED and found[key] != value:
            raise UnavailableError(f"{name}: {_difference(key, value, found[key])}")
    found["NUM_STREAMS"] = as_text(compiled.get_property("NUM_STREAMS"))
    effective = {_OUR_WORDS.get(key.lower(), key.lower()): value for key, value in found.items()}
    return effective | {"device": ",".join(devices), "fixed_shapes": _shapes(settings)}


def as_text(value: Any) -> str:
    """A property's value as it is written in a configuration."""
    if isinstance(value, bool):
        return "YES" if value else "NO"
    if hasattr(value, "get_type_name"):
        return str(value.get_type_name())
    return str(value).rpartition(".")[2]  # an enumeration prints as "PerformanceMode.LATENCY"


def told_in_one_line(error: BaseException) -> str:
    """An exception of OpenVINO without the places in its source: its message proper, operators without versions."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not _PLACE_IN_SOURCE.match(line)]
    text = " ".join(kept or lines[:1]) or type(error).__name__
    return _OPERATOR_VERSION.sub("", text) if "operations:" in text else text


def _difference(key: str, wanted: str, found: str) -> str:
    if key == "INFERENCE_PRECISION_HINT":
        wanted, found = _FLOATS.get(wanted, wanted), _FLOATS.get(found, found)
        return f"asked for {wanted}, the device computes in {found}"
    if key == "INFERENCE_NUM_THREADS":
        return f"asked for {wanted} threads, the device uses {found}"
    return f"asked for {key}={wanted}, the device uses {found}"


def _family(device: str) -> str:
    return device.partition(".")[0]


def _shapes(settings: SessionSettings) -> str:
    return ",".join(f"{tensor.name}={list(tensor.shape)}" for tensor in settings.inputs)
