"""The verbs ``gate`` and ``bundle``, and what hangs on the first: ``gate calibrate`` and ``gate selftest``."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from bench import cli_flags as f
from bench import cli_gate_flags as g
from bench.cli_shell import asked_flags, guarded, make_console, shown_progress, typed_command


class Verbs(TyperGroup):
    """Verbs of which some are two words: ``gate calibrate`` is another one than ``gate``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The verb that the first two words name, else the one that the first names."""
        both = " ".join(args[:2])
        return super().resolve_command(ctx, [both, *args[2:]] if len(args) > 1 and both in self.commands else args)


def register(app: typer.Typer) -> None:
    """Add the verbs; ``app`` must be of ``Verbs``."""
    more = "`bench gate calibrate` and `bench gate selftest` are verbs of their own; a model so called is ./calibrate."
    app.command("gate", epilog=more)(gate)
    app.command("gate calibrate")(gate_calibrate)
    app.command("gate selftest")(gate_selftest)
    app.command("bundle")(bundle)


@guarded
def gate(
    baseline: g.Baseline,
    model: f.Models = None,
    head: g.Head = None,
    runtime: g.Runtimes = None,
    batch: g.Batch = None,
    threads: g.OneThread = None,
    delta: g.Delta = None,
    alpha: g.Alpha = None,
    beta: g.Beta = None,
    max_pairs: g.MaxPairs = None,
    time_limit: g.GateTimeLimit = None,
    metric: g.Metric = None,
    inconclusive: g.Inconclusive = None,
    refresh: g.Refresh = False,
    out: g.GateOut = None,
    format: g.GateFormat = "text",  # noqa: A002 (the flag's name)
    json: g.GateJson = False,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    rtol: f.Rtol = None,
    atol: f.Atol = None,
    onnx: f.Onnx = None,
    onnx_names: f.OnnxNames = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    opset: f.Opset = None,
    suite: g.GateSuite = None,
) -> int:
    """Is head slower than the baseline? Exit 0 passed, 3 outputs disagree, 4 over budget, 5 cannot tell, 6 failed."""
    said = dict(locals())
    flags = asked_flags({name: value for name, value in said.items() if name != "time_limit"})
    from bench.commands.gate import GateOutput, gate_models
    from bench.gate_asking import GateFlags

    rule = GateFlags(
        **{name: said[name] for name in GateFlags.__struct_fields__ if name != "metric"}, metric=tuple(metric or ())
    )
    with shown_progress(each_unit=True) as progress:
        return gate_models(
            flags,
            rule,
            baseline=baseline,
            head=head,
            suite_file=suite,
            output=GateOutput(out=out, format_name="json" if json else format, refresh=refresh),
            command=typed_command(),
            console=make_console(),
            progress=progress,
        )


@guarded
def gate_calibrate(
    model: g.PlainModel = None,
    runtime: g.OneRuntime = "onnxruntime-cpu",
    threads: g.ThreadCounts = None,
    pairs: g.Pairs = 24,
    delta: g.PlainDelta = "5%",
    seed: g.PlainSeed = 0,
    json: f.Json = False,
) -> int:
    """A baseline against itself: the noise of this machine, and what it can gate."""
    from bench.commands.gate_calibrate import calibrate

    with shown_progress(each_unit=True) as progress:
        return calibrate(
            model=model,
            runtime=runtime,
            threads=threads,
            pairs=pairs,
            delta=delta,
            seed=seed,
            as_json=json,
            console=make_console(),
            progress=progress,
        )


@guarded
def gate_selftest(
    model: g.SelftestModel = "mobilenet_v1:alpha=0.5,resolution=128",
    runtime: g.OneRuntime = "onnxruntime-cpu",
    threads: g.SelftestThreads = 1,
    aa: g.Trials = 20,
    plant: g.Plant = ("5%", 10),
    delta: g.PlantDelta = None,
    load: g.Load = "quiet",
    file: g.TrialFile = None,
    seed: g.PlainSeed = 0,
) -> int:
    """The whole gate on sides that do not differ and on planted faults: exit 4 if it fires or sleeps wrongly."""
    from bench.commands.gate_selftest import selftest

    with shown_progress() as progress:
        return selftest(
            model=model,
            runtime=runtime,
            threads=threads,
            aa=aa,
            plant=plant,
            delta=delta,
            load=load,
            file=file,
            seed=seed,
            console=make_console(),
            progress=progress,
        )


@guarded
def bundle(
    out: g.BundleOut,
    model: f.Models = None,
    runtime: f.Runtimes = None,
    batch: f.Batch = None,
    threads: g.OneThread = None,
    replace: g.Replace = False,
    time_limit: f.TimeLimit = None,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    rtol: f.Rtol = None,
    atol: f.Atol = None,
    onnx: f.Onnx = None,
    onnx_names: f.OnnxNames = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    opset: f.Opset = None,
    suite: f.SuiteFile = None,
) -> int:
    """Keep models and runtimes as a bundle, the baseline of a gate: it runs anywhere, for as long as it is kept."""
    flags = asked_flags(dict(locals()))
    from bench.commands.bundle import bundle_models

    with shown_progress() as progress:
        return bundle_models(
            flags, suite_file=suite, out=out, replacing=replace, console=make_console(), progress=progress
        )
