"""What a run's numbers depend on besides the models: machine, versions, and what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata

from bench import __version__
from bench.measure.machine import describe_machine
from bench.records import Environment, Suite
from bench.report.columns import SCHEMA_VERSION

PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnx", "numpy", "pandas", "msgspec")


def describe_surroundings(suite: Suite, command: str) -> Environment:
    """The environment of a run that begins now."""
    return Environment(
        schema_version=SCHEMA_VERSION,
        bench_version=__version__,
        command=command,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=describe_machine(),
        packages=installed_packages(),
        suite=suite,
        stages_s={},
        finished=False,
    )


def installed_packages() -> dict[str, str]:
    """Versions of what numbers depend on, every wheel of ONNX Runtime included: several overwrite one another."""
    found = {name: metadata.version(name) for name in PACKAGES}
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower()
        if name.startswith("onnxruntime"):
            found[name] = distribution.version
    return dict(sorted(found.items()))
