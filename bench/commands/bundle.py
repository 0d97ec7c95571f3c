"""``bench bundle``."""

from __future__ import annotations

from pathlib import Path

from bench import units
from bench.check.records import Bundle, BundledCase
from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.sides import MakeBundle
from bench.commands.tables import draw_table
from bench.errors import EXIT_CANNOT_TELL, EXIT_DISAGREE, EXIT_OK, UsageError
from bench.flags import Flags
from bench.progress import Progress
from bench.records import Suite

_HEADER = ("case", "version", "agreement", "size", "environment")
_KEY_LENGTH = 12


def bundle_models(
    flags: Flags,
    *,
    suite_file: Path | None,
    out: Path,
    replacing: bool,
    console: Console,
    progress: Progress,
    make: MakeBundle | None = None,
) -> int:
    """Write the suite as a bundle and print what is in it; returns 3 where a case's outputs disagree, 5 vacuous."""
    suite = resolve_suite(flags, suite_file, console, default_threads=1)
    refuse_place(out, replacing=replacing)
    bundle = (make or load_make_bundle())(suite, out, origin=origin_of(suite), replacing=replacing, progress=progress)
    progress.done()
    console.say(bundle_text(bundle))
    console.warn(f"bundle: {out}")
    wrong = [case.name for case in bundle.cases if case.verdict == "disagrees"]
    if wrong:
        console.warn(f"outputs disagree: {'; '.join(wrong)}; the bundle is written, no gate can pass on it")
        return EXIT_DISAGREE
    return EXIT_OK if all(case.verdict == "agrees" for case in bundle.cases) else EXIT_CANNOT_TELL


def load_make_bundle() -> MakeBundle:
    """``bundling.make_bundle``, which loads much."""
    from bench.bundling import make_bundle

    return make_bundle


def refuse_place(out: Path, *, replacing: bool) -> None:
    """UsageError where a bundle could not be written in the end; told before the work is done."""
    from bench.check.bundle import is_bundle

    if out.exists() and not is_bundle(out):
        raise UsageError(f"-o {out}: something is there that is no bundle; name another folder")
    if out.exists() and not replacing:
        raise UsageError(
            f"-o {out}: a bundle is there; name another folder, give --replace, "
            f"or let `bench gate --baseline {out} --refresh` replace it once head passes"
        )


def origin_of(suite: Suite) -> str:
    """What a bundle of the suite was made from, for a person."""
    models = ", ".join(model.display for model in suite.models)
    return f"{models} on {', '.join(runtime.display for runtime in suite.runtimes)}"


def bundle_text(bundle: Bundle) -> str:
    """Cases, then models with their files' digests, then how the bundle was made."""
    cases = draw_table(_HEADER, [_cells(one) for one in bundle.cases], numeric=(3,))
    models = [
        f"{name} {kind}: {units.size(artifact.size_bytes)}, sha256 {artifact.digest[:_KEY_LENGTH]}; "
        f"inputs {model.pool.digest[:_KEY_LENGTH]}"
        for name, model in bundle.models.items()
        for kind, artifact in model.artifacts.items()
    ]
    facts = f"seed {bundle.seed}, made {bundle.made} by bench {bundle.bench_version} on {bundle.machine.cpu}"
    return "\n".join([cases, *models, facts])


def _cells(one: BundledCase) -> tuple[str, ...]:
    verdict = one.verdict if one.relative_error is None else f"{one.verdict} ({units.error(one.relative_error)})"
    place = "that of bench" if one.lock is None else one.lock
    return one.name, one.info.runtime_version, verdict, units.size(one.artifact_bytes), place
