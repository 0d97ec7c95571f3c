"""The flags of the command line, each with its one line of help; ``cli.py`` gives them to the verbs that take them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Models = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="MODEL...",
        help="Zoo name, keras:NAME, FILE.py:FUNCTION, .keras, .h5, SavedModel folder or .onnx, with :key=value,... "
        "and #LABEL. None: the models of ./bench.toml.",
    ),
]
OneModel = Annotated[str, typer.Argument(metavar="MODEL", help="The model, as in `bench run`.")]
SuiteFile = Annotated[Path | None, typer.Option("--suite", metavar="FILE", help="Suite file instead of ./bench.toml.")]
Runtimes = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        "-e",
        metavar="NAME[@VERSION][:key=value,...][#LABEL]",
        help="Runtimes, repeatable or a comma list; `all` is every usable one, '{a,b}' in quotes several of one kind.",
        show_default="tensorflow,onnxruntime-cpu",
    ),
]
Batch = Annotated[str | None, typer.Option("--batch", "-b", metavar="1,8,32", help="Batch sizes.", show_default="1")]
Threads = Annotated[
    int | None, typer.Option("--threads", "-x", metavar="N", help="Threads of every runtime.", show_default="CPUs free")
]
Streams = Annotated[
    str | None,
    typer.Option("--streams", metavar="1,2,4", help="Callers of one session at the same time.", show_default="1"),
]
Soak = Annotated[
    float | None,
    typer.Option("--soak", metavar="MINUTES", help="Watch each case's memory so long, after the rounds."),
]
MinPlacement = Annotated[
    str | None,
    typer.Option(
        "--min-placement",
        metavar="SHARE",
        help="Least share of kernel time on the provider; below it a row is partial and cannot win.",
        show_default="95%",
    ),
]
RequirePlacement = Annotated[bool, typer.Option("--require-placement", help="A row that is partial: exit 6.")]
Plugin = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="NAME=PATH", help="Library of a plugin provider, in place of its package's."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", "-S", metavar="N", help="Of weights, inputs and the order of turns.", show_default="0"),
]
Seconds = Annotated[float | None, typer.Option("-t", metavar="SECONDS", help="Timed seconds per case, at least.")]
Calls = Annotated[int | None, typer.Option("-r", metavar="CALLS", help="Timed calls per case, at least.")]
Quick = Annotated[bool, typer.Option("--quick", help="3 repetitions instead of 5.")]
Thorough = Annotated[bool, typer.Option("--thorough", help="8 repetitions instead of 5.")]
Tail = Annotated[bool, typer.Option("--tail", help="One more block of 500 calls per repetition, for p99.")]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", metavar="SECONDS", help="Bound on any one answer of a worker.", show_default="300"),
]
InputShapes = Annotated[
    list[str] | None,
    typer.Option("--input-shapes", metavar="NAME:[1,3,224,224]", help="Shape of an input, batch first; repeatable."),
]
InputRange = Annotated[
    list[str] | None,
    typer.Option("--input-range", metavar="[NAME:]lo,hi", help="Range of inputs that are made; repeatable."),
]
LoadInputs = Annotated[
    str | None,
    typer.Option("--load-inputs", metavar="PATH", help="Own inputs: .npz, .npy, images or ONNX .pb files."),
]
Rtol = Annotated[
    list[str] | None,
    typer.Option("--rtol", metavar="[OUTPUT:]V", help="Own relative tolerance instead of the measured one."),
]
Atol = Annotated[list[str] | None, typer.Option("--atol", metavar="[OUTPUT:]V", help="Own absolute tolerance.")]
Onnx = Annotated[str | None, typer.Option("--onnx", metavar="FILE", help="Own ONNX file, judged against the model.")]
OnnxNames = Annotated[
    list[str] | None,
    typer.Option("--onnx-names", metavar="FILE_NAME=MODEL_NAME", help="What a name in it is called in the model."),
]
LiteRt = Annotated[
    str | None, typer.Option("--litert", metavar="FILE", help="Own .tflite file, judged against the model.")
]
LiteRtNames = Annotated[
    list[str] | None,
    typer.Option("--litert-names", metavar="FILE_NAME=MODEL_NAME", help="What a name in it is called in the model."),
]
CustomObjects = Annotated[
    list[str] | None,
    typer.Option("--custom-objects", metavar="MODULE:CLASS", help="Keras classes to import: this runs their code."),
]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Load Lambda layers and the like: this runs the file's code.")]
Signature = Annotated[str | None, typer.Option("--signature", metavar="NAME", help="Signature of a SavedModel.")]
Opset = Annotated[int | None, typer.Option("--opset", metavar="N", help="ONNX opset to export.", show_default="18")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder of the report.", show_default="reports/TIME-MODELS"),
]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="DIR", help="Measure what an interrupted report still misses.")
]
ExportOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Where the ONNX file goes; with --all-exporters a folder."),
]
VerifyOut = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Keep outputs and verdicts, for --from.")
]
BisectOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Where the part that fails alone goes, with table and picture."),
]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="DIR", help="Judge stored outputs again, by --rtol and --atol; nothing is run."),
]
Power = Annotated[
    bool, typer.Option("--power", help="Plant faults in this very model: how many does the check call out?")
]
EveryLayer = Annotated[bool, typer.Option("--all", help="Every layer in a table, one run a layer.")]
TestData = Annotated[
    bool,
    typer.Option("--test-data", help="A folder with ONNX's test_data_set_N of inputs and outputs beside the file."),
]
AllExporters = Annotated[
    bool, typer.Option("--all-exporters", help="Every exporter at several opsets, compared in one table.")
]
Opsets = Annotated[str | None, typer.Option("--opsets", metavar="13,15,18", help="Opsets of --all-exporters.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Why = Annotated[
    str | None,
    typer.Option("--why", metavar="RUNTIME[@VERSION]", help="Only this runtime, and what its state is read from."),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a report, or a JSON file of benchmarks.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="text, md, csv, json, pytest-benchmark, github-action-benchmark, bencher, junit or github-summary; "
        "html, png or svg write files.",
    ),
]
ReportOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="PATH", help="The file to write; of png and svg the folder."),
]
