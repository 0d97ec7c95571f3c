"""Runtimes in environments of their own, for tests: made once a session below its BENCH_CACHE, or why they are not.

``BENCH_EXPECT_RUNTIMES`` names runtimes that must be there: what would be a skip is a failure then, so that CI cannot
pass without having run them.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NoReturn

import pytest

from bench.pinning import Pinner
from bench.progress import Silent
from bench.records import Failure, Probe, RuntimeSpec
from bench.runtimes.homes import lives_here, why_not_here
from bench.runtimes.probing import probe_all
from bench.runtimes.table import RUNTIMES

# A Vulkan driver in software: ONNX Runtime's WebGPU provider runs on it where there is no GPU.
SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")  # Debian's chromium-common; it needs libvulkan1
LARGE = ("keras-jax", "keras-torch", "onnxruntime-qnn")  # that no test downloads


def environment_for(name: str) -> Path | None:
    """The prefix of the runtime's own environment, None for that of the tests; skips where it can't be had."""
    found = _environment(name)
    if isinstance(found, str):
        skip(name, found)
    return found


def probe_of(name: str) -> Probe:
    """What the runtime's probe says, its environment made where it needs one."""
    _environment(name)
    return _probe(name)


def require_usable(name: str) -> Path | None:
    """``environment_for`` of a runtime that can be used; skips with the probe's reason where it cannot."""
    prefix, probe = environment_for(name), probe_of(name)
    if probe.state != "usable":
        skip(name, f"{probe.state}, {probe.detail}")
    return prefix


def skip(name: str, reason: str) -> NoReturn:
    """Skip a test that needs the runtime, or fail it where the runtime is expected."""
    if name in os.environ.get("BENCH_EXPECT_RUNTIMES", "").split():
        pytest.fail(f"{name} is expected here: {reason}")
    pytest.skip(f"{name}: {reason}")


def use_software_gpu(patch: pytest.MonkeyPatch) -> None:
    """Let WebGPU run on the processor, where Debian's driver is there and nobody has named another."""
    if SWIFTSHADER.is_file() and not {"VK_ICD_FILENAMES", "VK_DRIVER_FILES"} & set(os.environ):
        patch.setenv("VK_ICD_FILENAMES", str(SWIFTSHADER))
        patch.setenv("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1")


@functools.cache
def _environment(name: str) -> Path | str | None:
    """Prefix, or None for ours, or the reason."""
    if name in LARGE and not lives_here(name):
        return "its download is large, and tests make no environment for it"
    if not RUNTIMES[name].requirements or lives_here(name):
        return why_not_here(name)
    made_now = Pinner(Silent()).environment_of(RuntimeSpec(text=name, name=name, display=name))
    if isinstance(made_now, Failure):
        return made_now.reason
    return Path(made_now.prefix) if made_now else None


@functools.cache
def _probe(name: str) -> Probe:
    return probe_all([name])[0]
