"""A model and a runtime -> the first layer that leaves its budget: prepared, taken apart, searched, cut out.

Joins prepare, measure and analysis, as ``pipeline.py`` does for a run. Decides nothing about numbers itself.
"""

from __future__ import annotations

from pathlib import Path

from bench.analysis.bisection import make_chain
from bench.bisect_hunt import Hunt
from bench.bisect_probes import Prober, links_of
from bench.bisect_runs import Cutter, Runner
from bench.bisected import Bisected
from bench.errors import BenchError, UsageError
from bench.measure import launch
from bench.measure.lock import machine_lock
from bench.pinning import Pinner
from bench.prepare.dissection import dissect
from bench.preparing import prepare_models
from bench.progress import Progress
from bench.records import Artifact, Failure, Prepared, RuntimeSpec, Suite
from bench.runtimes.table import RUNTIMES, artifact_kind, precision_of
from bench.specs import parse_runtimes
from bench.stages import Stages

UNOPTIMISED = "onnxruntime-cpu:optimization=off"  # what a file computes as it is written
NONDETERMINISTIC = "non-deterministic model"  # code of the caution that prepare gives
_MEANINGLESS = "no comparison of it means anything"


def check_runtimes(suite: Suite) -> None:
    """UsageError for runtimes that can't be given a part of a model, and for more than two."""
    for runtime in suite.runtimes:
        if artifact_kind(runtime.name, runtime.options) != "onnx":
            fit = ", ".join(name for name in RUNTIMES if artifact_kind(name, {}) == "onnx")
            raise UsageError(
                f"-e {runtime.text}: a bisection runs parts of an ONNX file, which {runtime.name} does not load; "
                f"these do: {fit}"
            )
        if precision_of(runtime.options) != "float32":
            raise UsageError(
                f"-e {runtime.text}: a layer's budget is that of float32, so every layer would be beyond it; "
                "leave precision= away"
            )
    if len(suite.runtimes) > 2:
        raise UsageError("bisecting: give one runtime, or two (-e REFERENCE,RUNTIME) to judge the second by the first")


def bisect_suite(suite: Suite, *, every_layer: bool, progress: Progress, keep: Path | None = None) -> Bisected:
    """Find the first layer of the suite's model that leaves its budget on its (last) runtime.

    With ``keep`` the part that is wrong alone goes into a new folder there. UsageError is raised, any other failure is
    the answer's.
    """
    check_runtimes(suite)
    spec, runtime = suite.models[0], suite.runtimes[-1]
    reference = suite.runtimes[0] if len(suite.runtimes) == 2 else None
    with machine_lock(progress.note), launch.run_folder() as folder:
        prepared = prepare_models(suite, progress, Stages())[spec.display]
        random = _random(prepared)
        if random:
            return Bisected(verdict="cannot tell", model=spec.display, runtime=runtime.display, reason=random)
        source = _source(prepared)
        if isinstance(source, Failure) or isinstance(prepared, Failure):
            reason = source.reason if isinstance(source, Failure) else ""
            return Bisected(verdict="failed", model=spec.display, runtime=runtime.display, reason=reason)
        progress.stage(f"taking {spec.display} apart")
        try:
            taken = dissect(prepared, spec, suite.prepare, source, folder / "dissection", on_stage=progress.stage)
        except UsageError:
            raise
        except BenchError as error:
            return Bisected(verdict="failed", model=spec.display, runtime=runtime.display, reason=str(error))
        launcher, pinner = launch.ProcessLauncher(folder), Pinner(progress)

        def runner(one: RuntimeSpec) -> Runner:
            return Runner(spec, one, suite, prepared, launcher, pinner, lambda detail: progress.advance(0, detail))

        links, cutter = links_of(taken, source), Cutter(source, folder / "parts")
        other = runner(reference) if reference else None
        plain, users = runner(parse_runtimes((UNOPTIMISED,))[0]), suite.prepare.onnx_file is not None
        prober = Prober(
            prepared, taken, make_chain(links), cutter, runner(runtime), other, folder, plain=plain, is_users_file=users
        )
        return Hunt(prober, links, progress).run(every_layer=every_layer, keep=keep)


def _random(prepared: Prepared | Failure) -> str:
    """What is said of a model whose outputs are others in every run; nothing of any other."""
    cautions = () if isinstance(prepared, Failure) else prepared.cautions
    said = "; ".join(caution.text for caution in cautions if caution.code == NONDETERMINISTIC)
    said = said.removesuffix(f"; {_MEANINGLESS}")
    return f"the model is random: {_MEANINGLESS} ({said})" if said else ""


def _source(prepared: Prepared | Failure) -> Artifact | Failure:
    """The file to look into: also one that was exported and refused because its numbers are wrong."""
    if isinstance(prepared, Failure):
        return prepared
    if "onnx" in prepared.rejected:
        return prepared.rejected["onnx"]
    missing = Failure(status="unsupported", reason="there is no ONNX file of this model")
    return prepared.artifacts.get("onnx") or prepared.failures.get("onnx", missing)
