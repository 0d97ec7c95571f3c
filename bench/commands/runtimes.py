"""``bench runtimes``: the doctor of runtimes."""

from __future__ import annotations

from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_OK
from bench.records import Probe
from bench.units import UNKNOWN

_HEADER = ("runtime", "short", "state", "version", "where", "devices or detail", "what makes it usable")
_KEY_LENGTH = 12
_INDENT = "  "


def list_runtimes(*, as_json: bool, console: Console, why: str | None = None) -> int:
    """Print each runtime's state on this machine, found out in child processes, and the line that would mend it.

    With ``why``, only that runtime, as it is written in -e, and what its state is read from.
    """
    import msgspec

    from bench.runtimes.probing import probe_all, probe_one
    from bench.runtimes.table import RUNTIMES
    from bench.specs import parse_runtime

    spec = None if why is None else parse_runtime(why)
    probes = probe_all(tuple(RUNTIMES)) if spec is None else [probe_one(spec.name, spec.version)]
    if as_json:
        console.say(msgspec.json.format(msgspec.json.encode(probes)).decode())
    elif spec is not None:
        console.say("\n".join(line for probe in probes for line in evidence_lines(probe, spec.version)))
    else:
        console.say(draw_table(_HEADER, [_row(probe, RUNTIMES[probe.name].short_names) for probe in probes]))
        for probe in probes:
            if "caution" in probe.evidence:
                console.warn(f"{probe.name}: {probe.evidence['caution']}")
    return EXIT_OK


def evidence_lines(probe: Probe, version: str | None = None) -> list[str]:
    """Name, with the version asked for, state, reason and way out, then every fact that these are read from."""
    facts = {
        "state": f"{probe.state}: {probe.detail}",
        "what makes it usable": _mend(probe),
        "requirements": ", ".join(probe.requirements) or "none of its own: it lives in the environment of bench",
        "devices": ", ".join(probe.devices) or UNKNOWN,
        **probe.evidence,
    }
    lines = [probe.name if version is None else f"{probe.name}@{version}"]
    for name, text in facts.items():
        first, *others = text.splitlines() or [UNKNOWN]
        lines += [f"{_INDENT}{name}: {first}", *(f"{_INDENT * 2}{line}" for line in others)]
    return lines


def _row(probe: Probe, short_names: tuple[str, ...]) -> tuple[str, ...]:
    here = "ours" if probe.state == "usable" else UNKNOWN
    return (
        probe.name,
        next(iter(short_names), UNKNOWN),
        probe.state,
        probe.version or UNKNOWN,
        probe.environment[:_KEY_LENGTH] if probe.environment else here,
        ", ".join(probe.devices) if probe.state == "usable" and probe.devices else probe.detail,
        _mend(probe),
    )


def _mend(probe: Probe) -> str:
    return (probe.install if probe.state != "usable" else None) or UNKNOWN
