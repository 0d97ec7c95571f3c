"""The flags of ``gate``, its two sub-verbs and ``bundle``, each with its one line of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Baseline = Annotated[
    str,
    typer.Option(
        "--baseline", metavar="SIDE", help="What is expected: a bundle's folder, RUNTIME[@VERSION][:...] or git:REV."
    ),
]
Head = Annotated[
    str | None,
    typer.Option("--head", metavar="SIDE", help="What is judged.", show_default="MODEL on -e as they are now"),
]
Runtimes = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        "-e",
        metavar="NAME[@VERSION][:key=value,...][#LABEL]",
        help="Runtimes of a side that names none, repeatable or a comma list.",
        show_default="the other side's",
    ),
]
Batch = Annotated[
    str | None,
    typer.Option("--batch", "-b", metavar="1,8,32", help="Batch sizes.", show_default="a bundled side's, else 1"),
]
OneThread = Annotated[
    int | None,
    typer.Option("--threads", "-x", metavar="N", help="Threads of every runtime; leave a CPU free.", show_default="1"),
]
Delta = Annotated[
    str | None,
    typer.Option("--delta", metavar="5%", help="Smallest slowdown that must be caught.", show_default="5%"),
]
Alpha = Annotated[
    str | None,
    typer.Option(
        "--alpha", metavar="1%", help="Chance of any false alarm by latency or load, at most.", show_default="1%"
    ),
]
Beta = Annotated[
    str | None,
    typer.Option("--beta", metavar="5%", help="Chance to pass a slowdown of delta, at most.", show_default="5%"),
]
MaxPairs = Annotated[
    int | None, typer.Option("--max-pairs", metavar="N", help="Pairs of a case, at most.", show_default="16")
]
GateTimeLimit = Annotated[
    float | None, typer.Option("--time-limit", metavar="SECONDS", help="Bound on all pairs together.")
]
Metric = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="latency|load|rss_peak|size|agreement",
        help="What is gated, repeatable or a comma list.",
        show_default="latency,agreement",
    ),
]
Inconclusive = Annotated[
    str | None,
    typer.Option(
        "--inconclusive",
        metavar="pass|fail",
        help="What INCONCLUSIVE and NOT COMPARABLE count as.",
        show_default="exit 5",
    ),
]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Put head in the place of the baseline's bundle if everything passes.")
]
GateOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder of the result.", show_default="reports/gate-TIME-MODELS"),
]
GateFormat = Annotated[str, typer.Option("--format", metavar="text|md|json", help="How to print it.")]
GateJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
GateSuite = Annotated[
    Path | None,
    typer.Option("--suite", metavar="FILE", help="Suite file instead of ./bench.toml; its [gate] has budgets."),
]
BundleOut = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the bundle.")]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of a bundle that is there.")]
OneRuntime = Annotated[str, typer.Option("--runtime", "-e", metavar="NAME", help="The runtime.")]
PlainModel = Annotated[str | None, typer.Argument(metavar="MODEL", help="The model, as in `bench run`.")]
ThreadCounts = Annotated[
    str | None,
    typer.Option("--threads", "-x", metavar="1,2", help="Thread counts to try.", show_default="1 to the CPUs"),
]
Pairs = Annotated[int, typer.Option("--pairs", metavar="N", help="Pairs of each thread count.")]
PlainDelta = Annotated[str, typer.Option("--delta", metavar="5%", help="Smallest slowdown that must be caught.")]
PlainSeed = Annotated[int, typer.Option("--seed", "-S", metavar="N", help="Of the coins for slots and orders.")]
SelftestModel = Annotated[str, typer.Option("--model", metavar="MODEL", help="The model, as in `bench run`.")]
SelftestThreads = Annotated[int, typer.Option("--threads", "-x", metavar="N", help="Threads of the runtime.")]
Trials = Annotated[int, typer.Option("--aa", metavar="N", help="Gates of a bundle against itself.")]
Plant = Annotated[
    tuple[str, int], typer.Option("--plant", metavar="SHARE N", help="Gates of each planted slowdown of that size.")
]
PlantDelta = Annotated[
    str | None, typer.Option("--delta", metavar="5%", help="Of the gates.", show_default="the planted share")
]
Load = Annotated[str, typer.Option("--load", metavar="quiet|burst", help="What else keeps the machine busy.")]
TrialFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Trials are appended to it; the same command goes on.",
        show_default="reports/selftest.jsonl",
    ),
]
