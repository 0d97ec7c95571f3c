"""How a child ends with its parent, and how one of another environment sees ``bench`` and nothing else of ours.

That takes a private folder on its path: the parent's site-packages would load the parent's runtime in place of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bench

_PR_SET_PDEATHSIG = 1
_PASSED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES",
    "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)  # fmt: skip
_SET = {
    "ORT_DISABLE_TELEMETRY": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "OPENBLAS_NUM_THREADS": "1",  # numpy's own pool, which no case uses
}


def private_path(folder: Path) -> Path:
    """A folder below ``folder`` that holds ``bench`` and nothing else."""
    private = folder / "python"
    private.mkdir(parents=True, exist_ok=True)
    link = private / "bench"
    if not link.is_symlink():
        link.symlink_to(Path(bench.__file__).resolve().parent, target_is_directory=True)
    return private


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What it may see: nothing that changes threads, optimisations or telemetry behind our back."""
    return {key: environment[key] for key in _PASSED if key in environment} | _SET


def die_with(parent: int) -> None:
    """End when the parent does, also while stopped; and at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def kill_group(child: subprocess.Popen[Any]) -> None:
    """End a child that leads a group of processes, and all of the group; nothing where they have ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
