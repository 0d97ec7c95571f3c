"""The verbs about agreement: ``verify``, ``bisect`` and ``export``; ``cli.py`` registers them."""

from __future__ import annotations

import typer

from bench import cli_flags as f
from bench.cli_shell import asked_flags, guarded, make_console, shown_progress
from bench.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("verify")(verify)
    app.command("bisect")(bisect)
    app.command("export")(export)


@guarded
def verify(
    model: f.Models = None,
    runtime: f.Runtimes = None,
    batch: f.Batch = None,
    threads: f.Threads = None,
    time_limit: f.TimeLimit = None,
    min_placement: f.MinPlacement = None,
    require_placement: f.RequirePlacement = False,
    plugin: f.Plugin = None,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    rtol: f.Rtol = None,
    atol: f.Atol = None,
    onnx: f.Onnx = None,
    onnx_names: f.OnnxNames = None,
    litert: f.LiteRt = None,
    litert_names: f.LiteRtNames = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    opset: f.Opset = None,
    suite: f.SuiteFile = None,
    out: f.VerifyOut = None,
    stored: f.From = None,
    power: f.Power = False,
    json: f.Json = False,
) -> int:
    """Say whether outputs are the model's, and whose error it is: exit 0 agrees, 3 disagrees, 5 cannot tell."""
    flags = asked_flags(locals())
    if stored is not None:
        from bench.commands.verify_stored import judge_again

        return judge_again(stored, flags, beside=bool(suite or out or power), as_json=json, console=make_console())
    if power and out is not None:
        raise UsageError(f"--power keeps no outputs: leave -o {out} out (--json prints everything that was found)")
    with shown_progress() as progress:
        if power:
            from bench.commands.verify_power import measure_power

            return measure_power(flags, suite_file=suite, as_json=json, console=make_console(), progress=progress)
        from bench.commands.verify import verify_models

        return verify_models(flags, suite_file=suite, out=out, as_json=json, console=make_console(), progress=progress)


@guarded
def bisect(
    model: f.OneModel,
    runtime: f.Runtimes = None,
    threads: f.Threads = None,
    time_limit: f.TimeLimit = None,
    plugin: f.Plugin = None,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    onnx: f.Onnx = None,
    onnx_names: f.OnnxNames = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    opset: f.Opset = None,
    out: f.BisectOut = None,
    every: f.EveryLayer = False,
    json: f.Json = False,
) -> int:
    """Name the first layer whose tensor leaves its budget: exit 3 with its name, 0 where none does."""
    flags = asked_flags({**locals(), "model": (model,)})
    from bench.commands.bisect import bisect_model

    with shown_progress() as progress:
        return bisect_model(flags, out=out, every_layer=every, as_json=json, console=make_console(), progress=progress)


@guarded
def export(
    model: f.OneModel,
    out: f.ExportOut = None,
    opset: f.Opset = None,
    seed: f.Seed = None,
    input_shapes: f.InputShapes = None,
    input_range: f.InputRange = None,
    load_inputs: f.LoadInputs = None,
    custom_objects: f.CustomObjects = None,
    unsafe: f.Unsafe = False,
    signature: f.Signature = None,
    threads: f.Threads = None,
    test_data: f.TestData = False,
    all_exporters: f.AllExporters = False,
    opsets: f.Opsets = None,
    json: f.Json = False,
) -> int:
    """Write a model as ONNX: converted, checked, loaded, run and compared before the file appears."""
    flags = asked_flags({**locals(), "model": (model,)})
    if test_data and all_exporters:
        raise UsageError("--test-data is written beside one file: leave --all-exporters out")
    with shown_progress() as progress:
        if all_exporters:
            from bench.commands.export_all import compare_exporters

            return compare_exporters(
                flags, opsets=opsets, out=out, as_json=json, console=make_console(), progress=progress
            )
        from bench.commands.export import export_model, export_test_data

        return (export_test_data if test_data else export_model)(flags, out, console=make_console(), progress=progress)
