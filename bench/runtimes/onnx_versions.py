"""What each version of ONNX Runtime reads: the greatest operator set and file format. Pure data; imports no runtime.

Measured: the newest patch of every minor version that has a wheel for Python 3.11 was given a file with one ``Neg`` for
each operator set and each file format. How they are meant: https://onnxruntime.ai/docs/reference/compatibility.html.
"""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from bench.records import Artifact
from bench.runtimes.table import RUNTIMES

READS: dict[tuple[int, int], tuple[int, int]] = {  # version of onnxruntime -> operator set, IR version
    (1, 15): (19, 9),
    (1, 16): (19, 9),
    (1, 17): (20, 9),
    (1, 18): (21, 10),
    (1, 19): (21, 10),
    (1, 20): (21, 10),
    (1, 21): (22, 10),
    (1, 22): (22, 10),
    (1, 23): (23, 11),
    (1, 24): (25, 13),
    (1, 25): (26, 13),
    (1, 26): (26, 13),
    (1, 27): (26, 13),
    (1, 28): (26, 13),
    (1, 29): (26, 13),
    (1, 30): (26, 13),
    (1, 31): (26, 13),
    (1, 32): (28, 14),
}


def why_unread(runtime: str, version: str | None, artifact: Artifact) -> str | None:
    """Why this version of an ONNX Runtime can't read the file, and how to go on; None where it can or nobody knows."""
    known = _reads(runtime, version)
    if known is None or artifact.kind != "onnx":
        return None
    opset, ir_version = known
    if (artifact.opset or 0) > opset:
        return (
            f"version {version} reads operator sets up to {opset}, the file is of {artifact.opset}: "
            f"export it with --opset {opset} or less{_newer(artifact)}"
        )
    if (artifact.ir_version or 0) > ir_version:
        return (
            f"version {version} reads files of IR version {ir_version} at most, this one is of {artifact.ir_version}: "
            f"save it with model.ir_version = {ir_version}{_newer(artifact)}"
        )
    return None


def _reads(runtime: str, version: str | None) -> tuple[int, int] | None:
    """A plugin's version is not that of the ONNX Runtime that loads it."""
    if version is None or RUNTIMES[runtime].provider is None or RUNTIMES[runtime].plugin is not None:
        return None
    try:
        release = Version(version).release
    except InvalidVersion:
        return None
    return READS.get((release[0], release[1] if len(release) > 1 else 0))


def _newer(artifact: Artifact) -> str:
    able = [
        v for v, (opset, ir) in READS.items() if opset >= (artifact.opset or 0) and ir >= (artifact.ir_version or 0)
    ]
    return f", or use version {'.'.join(map(str, min(able)))} or newer" if able else ""
