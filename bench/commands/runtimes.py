"""``bench runtimes``."""

from __future__ import annotations

from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_OK
from bench.records import Probe
from bench.units import UNKNOWN

_HEADER = ("runtime", "short", "state", "version", "detail")


def list_runtimes(*, as_json: bool, console: Console) -> int:
    """Print each runtime's state on this machine, found out in child processes, and the line that would mend it."""
    import msgspec

    from bench.runtimes.probing import probe_all
    from bench.runtimes.table import RUNTIMES

    probes = probe_all(tuple(RUNTIMES))
    if as_json:
        console.say(msgspec.json.format(msgspec.json.encode(probes)).decode())
        return EXIT_OK
    rows = [
        (
            probe.name,
            next(iter(RUNTIMES[probe.name].short_names), UNKNOWN),
            probe.state,
            probe.version or UNKNOWN,
            _detail(probe),
        )
        for probe in probes
    ]
    console.say(draw_table(_HEADER, rows))
    return EXIT_OK


def _detail(probe: Probe) -> str:
    """What is there, or else how to get it; why it fails only where no line would install it."""
    if probe.state == "not installed" and probe.install:
        return probe.install
    return "; ".join(part for part in (probe.detail, probe.install if probe.state != "usable" else None) if part)
