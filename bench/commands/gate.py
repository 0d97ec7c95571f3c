"""``bench gate``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.check import render_gate
from bench.check.bundle import is_bundle, locks_of, open_bundle, write_bundle
from bench.check.hygiene import may_refresh
from bench.check.records import Bundle, GateResult, GateSettings, Side
from bench.commands.asking import resolve_asked
from bench.commands.bundle import load_make_bundle
from bench.commands.console import Console
from bench.commands.report_folder import claimed_folder
from bench.commands.sides import NOW, GivenSide, MakeBundle, make_sides, named_models, parse_side, plan_sides
from bench.errors import UsageError
from bench.flags import Flags
from bench.gate_asking import GateFlags, gate_settings, match_budgets, merge_gate, parse_gate_flags
from bench.measure.launch import run_folder
from bench.measure.machine import effective_cpus
from bench.progress import Progress
from bench.suite import Asked, GateAsked
from bench.suite_file import SUITE_FILE, read_gate_table

FORMATS = ("text", "md", "json")
GateBundles = Callable[..., GateResult]  # gating.gate_bundles


class GateOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gate's result goes."""

    out: Path | None = None
    format_name: str = "text"
    refresh: bool = False


def gate_models(
    flags: Flags,
    gate_flags: GateFlags,
    *,
    baseline: str,
    head: str | None,
    suite_file: Path | None,
    output: GateOutput,
    command: str,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
    make: MakeBundle | None = None,
    gate: GateBundles | None = None,
) -> int:
    """Bundle what is no bundle yet, gate head against the baseline, print the verdict; returns its exit code."""
    if not platform.startswith("linux"):
        raise UsageError(f"bench gate measures on Linux only, this is {platform}; bench verify and bench report work")
    if output.format_name not in FORMATS:
        raise UsageError(f"--format {output.format_name}: expected one of {', '.join(FORMATS)}")
    rule = parse_gate_flags(gate_flags)
    given: dict[Side, GivenSide] = {
        "baseline": parse_side("--baseline", baseline),
        "head": NOW if head is None else parse_side("--head", head),
    }
    if output.refresh and not given["baseline"].is_bundle:
        raise UsageError(f"--refresh replaces a baseline bundle's folder; --baseline {baseline} is none")
    asked, file = _asked(given, flags, suite_file, console)
    make, gate = make or load_make_bundle(), gate or _gate_bundles()
    rule = merge_gate(rule, file)
    with run_folder() as workplace:
        plans, called = plan_sides(given, asked, workplace, console)
        _refuse_impossible(rule)
        there = [one.folder for one in given.values() if one.folder is not None]
        with claimed_folder(output.out, named_models(plans, there), datetime.now(UTC), prefix="gate-") as folder:
            folders = make_sides(given, plans, called, workplace, make, progress=progress)
            bundles = {side: open_bundle(path) for side, path in folders.items()}
            settings = _settings(rule, asked, bundles, flags.seed)
            _warn_of_threads(bundles["baseline"], console)
            result = gate(
                folders["baseline"], folders["head"], settings, out=folder, command=command, progress=progress
            )
        progress.done()
        _show(result, folder, output.format_name, console)
        if output.refresh:
            _refresh(folders["baseline"], folders["head"], bundles["head"], result, console)
    return result.exit_code


def _gate_bundles() -> GateBundles:
    from bench.gating import gate_bundles

    return gate_bundles


def _asked(
    given: dict[Side, GivenSide], flags: Flags, suite_file: Path | None, console: Console
) -> tuple[Asked, GateAsked | None]:
    """What is to be bundled, and the file's ``[gate]``."""
    if all(one.is_bundle for one in given.values()):
        if flags != Flags(seed=flags.seed):
            raise UsageError(
                "both sides are bundles: these say models, runtimes, batch sizes and threads; leave them out"
            )
        return Asked(seed=flags.seed), read_gate_table(suite_file or Path(SUITE_FILE))
    if flags.runtime and all(one.is_bundle or one.runtime for one in given.values()):
        raise UsageError("-e says nothing here: both sides name their runtimes")
    if not flags.model and suite_file is None and not Path(SUITE_FILE).exists():
        raise UsageError(
            f"what is to be gated? name a MODEL, as in: bench gate --baseline BUNDLE net.onnx; there is no {SUITE_FILE}"
        )
    asked = resolve_asked(flags, suite_file)
    if flags.model and read_gate_table(Path(SUITE_FILE)) is not None:
        console.warn(f"[gate] of {SUITE_FILE} is not used: a model of the command line leaves the whole file out")
    return asked, asked.gate


def _settings(rule: GateAsked, asked: Asked, bundles: dict[Side, Bundle], coins: int | None) -> GateSettings:
    budgets = match_budgets(rule.budgets, bundles["baseline"], bundles["head"])
    return gate_settings(rule, seed=coins or 0, answer_limit_s=asked.time_limit, budgets=budgets)


def _refuse_impossible(rule: GateAsked) -> None:
    """UsageError for a rule under which one case could have no verdict, before anything is made."""
    from bench.analysis.sequential import make_design

    one = gate_settings(rule, seed=0, answer_limit_s=None, budgets={})
    make_design(delta=one.delta, alpha=one.alpha, beta=one.beta, max_pairs=one.max_pairs)


def _warn_of_threads(baseline: Bundle, console: Console) -> None:
    threads = max((case.case.threads for case in baseline.cases), default=1)
    cpus = effective_cpus()
    if threads > 1 and threads >= cpus:
        console.warn(
            f"-x {threads}: every one of the {cpus} CPUs that this process may use; pairs then spread by 9 to 10 % "
            "on a shared machine, with one thread by 1 %: leave a CPU free"
        )


def _show(result: GateResult, folder: Path, format_name: str, console: Console) -> None:
    if format_name == "json":
        from bench.report.store import to_json

        console.say(to_json(result).decode().rstrip("\n"))
    elif format_name == "md":
        console.say(render_gate.markdown(result).rstrip("\n"))
    else:
        console.say(render_gate.text(result, console.width, folder=folder).rstrip("\n"))
    console.warn(f"gate: {folder}")


def _refresh(baseline: Path, folder: Path, head: Bundle, result: GateResult, console: Console) -> None:
    """Head in the baseline's place, where everything passed and head has nothing wrong that was not gated."""
    doubt = next((f"{one.case}: {one.metric} {one.answer}" for one in result.judged if one.answer != "PASS"), "")
    if not doubt:
        bad = [case for case in head.cases if case.name in result.new_cases and case.verdict != "agrees"]
        lost = [*head.missing, *(f"{case.name}: {case.verdict}" for case in bad)]
        doubt = f"new in head: {lost[0]}" if lost else ""
    if doubt or not may_refresh(result.judged) or result.exit_code:
        why = doubt or "the gate was not ended, or latency and agreement were not both gated"
        console.warn(f"baseline {baseline} is not refreshed: {why}; `bench bundle --replace` does it all the same")
        return
    if folder.resolve() == baseline.resolve():
        console.warn(f"baseline {baseline} is not refreshed: it is head itself")
        return
    write_bundle(baseline, head, locks_of(folder, head), replacing=is_bundle(baseline))
    console.warn(f"baseline {baseline} is refreshed: made of {head.origin}")
