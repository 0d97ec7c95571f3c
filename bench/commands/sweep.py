"""``bench sweep``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.commands.asking import resolve_suite
from bench.commands.console import Console
from bench.commands.report_folder import claimed_folder
from bench.commands.run import interrupted_suite, refuse_other_system, stage_text
from bench.commands.tables import draw_table
from bench.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_TERMINATED, UsageError
from bench.flags import Flags
from bench.progress import Progress, spell_seconds
from bench.records import Suite, SweepAxis, SweepPlan, SweepPoint
from bench.specs import parse_model
from bench.sweep_axes import MOST_CASES, Typed, grid_models, parse_axes

_PREPARE_S = 12.0  # of a model that is not in the cache, as seen on two CPUs
_PROCESS_S, _TENSORFLOW_S = 1.0, 6.0  # of one fresh process with its rounds, likewise


@dataclass(frozen=True)
class SweepAsked:
    """What is asked of a sweep besides what a run takes."""

    swept: Sequence[Typed] = ()  # the flags that are arguments of the model
    axes: Sequence[str] = ()  # --axis NAME=V1,V2
    accuracy: Path | None = None
    yes: bool = False
    out: Path | None = None
    resume: Path | None = None
    stored: Path | None = None  # --from

    @property
    def is_of_a_grid(self) -> bool:
        """Whether something was said that only a new sweep takes."""
        return bool(self.swept or self.axes or self.yes or self.out)


def sweep_models(
    flags: Flags,
    asked: SweepAsked,
    *,
    command: str,
    console: Console,
    progress: Progress,
    platform: str = sys.platform,
) -> int:
    """Measure a grid of models, or draw a stored one again; returns the exit code of its rows."""
    if asked.stored is not None:
        _refuse_more(f"--from {asked.stored}", flags, asked, asked.resume)
        _redraw(asked.stored, asked.accuracy, console)
        return EXIT_OK
    refuse_other_system("bench sweep", platform)
    if asked.resume is not None:
        _refuse_more(f"--resume {asked.resume}", flags, asked, asked.accuracy)

        from bench.report.sweep_store import read_plan

        plan, suite = read_plan(asked.resume), interrupted_suite(asked.resume)
        claim: AbstractContextManager[Path] = nullcontext(asked.resume)
    else:
        plan, suite = _grid(flags, asked, console)
        claim = claimed_folder(asked.out, [parse_model(flags.model[0])], datetime.now(UTC), prefix="sweep-")
    with claim as folder:
        return _measured(plan, suite, folder, asked.resume is not None, command, console, progress)


def _refuse_more(flag: str, flags: Flags, asked: SweepAsked, also: Path | None) -> None:
    if flags != Flags() or asked.is_of_a_grid or also:
        more = " or with --accuracy" if flag.startswith("--from") else ""
        raise UsageError(f"{flag} takes what was asked for then; give it alone{more}")


def _grid(flags: Flags, asked: SweepAsked, console: Console) -> tuple[SweepPlan, Suite]:
    """The points and their suite; said and counted, too many refused."""
    if len(flags.model) != 1:
        said = f"{len(flags.model)} models: {', '.join(flags.model)}" if flags.model else "no model"
        raise UsageError(f"bench sweep takes one model, got {said}; such as bench sweep mobilenet_v1 --alpha 0.25,0.5")
    axes = parse_axes(asked.swept, asked.axes)
    models = grid_models(flags.model[0], axes)
    texts = tuple(spec.text for spec, _ in models)
    suite = resolve_suite(msgspec.structs.replace(flags, model=texts), None, console)
    suite = msgspec.structs.replace(suite, is_grid=True)
    plan = SweepPlan(
        schema_version=_version(),
        base=parse_model(flags.model[0]).display,
        axes=axes,
        points=tuple(SweepPoint(model=spec.display, values=values) for spec, values in models),
    )
    plan = _with_accuracy(plan, suite, asked.accuracy)
    _announce(suite, axes, asked.yes, console)
    return plan, suite


def _version() -> int:
    from bench.report.sweep_store import SWEEP_VERSION

    return SWEEP_VERSION


def _with_accuracy(plan: SweepPlan, suite: Suite, file: Path | None) -> SweepPlan:
    """The plan with published accuracy: of the user's file, else of the one that comes with the model."""
    from bench.sweep_accuracy import read_accuracy, shipped_accuracy, with_accuracy

    specs = {model.display: model for model in suite.models}
    plain = msgspec.structs.replace(
        plan,
        points=tuple(msgspec.structs.replace(point, published={}) for point in plan.points),
        accuracy_file="",
        accuracy_sources=(),
        notes=(),
    )
    if file is not None:
        return with_accuracy(plain, specs, read_accuracy(file))
    shipped = shipped_accuracy(suite.models[0])
    if shipped is None:
        return plain
    try:
        return with_accuracy(plain, specs, read_accuracy(shipped))
    except UsageError as error:  # nobody asked for it
        return msgspec.structs.replace(plain, notes=(str(error),))


def _announce(suite: Suite, axes: Sequence[SweepAxis], yes: bool, console: Console) -> None:
    """The grid's size and about how long it takes; UsageError where that is more than anybody means by chance."""
    groups = sum(len(sizes) for sizes in suite.batch_sizes.values())
    cases = groups * len(suite.runtimes)
    processes = cases * suite.measure.repetitions
    each = (_TENSORFLOW_S if one.name.startswith(("tensorflow", "keras")) else _PROCESS_S for one in suite.runtimes)
    seconds = groups * suite.measure.repetitions * sum(each)
    preparing = len(suite.models) * _PREPARE_S
    grid = " x ".join(f"{axis.name} {len(axis.values)}" for axis in axes)
    said = (
        f"{grid}: {len(suite.models)} models, {cases} cases, {processes} fresh processes; roughly "
        f"{spell_seconds(seconds)}, and up to {spell_seconds(preparing)} to prepare models that are not in the cache"
    )
    if cases > MOST_CASES and not yes:
        raise UsageError(f"{said}; more than {MOST_CASES} cases: sweep fewer values, or add --yes")
    console.warn(said)


def _measured(
    plan: SweepPlan,
    suite: Suite,
    folder: Path,
    resume: bool,
    command: str,
    console: Console,
    progress: Progress,
) -> int:
    """Run the grid into the folder, and draw what came of it, whole or interrupted; then the way on is told."""
    from bench.pipeline import run_suite
    from bench.report.sweep_store import PLAN_FILE, write_plan

    write_plan(folder, plan)
    try:
        result = run_suite(suite, folder, resume=resume, command=command, progress=progress)
        progress.done()
        _draw(plan, folder, console)
    except KeyboardInterrupt:  # while preparing or drawing
        progress.done()
        _tell_way_on(folder, console)
        raise
    finally:
        if [path.name for path in folder.iterdir()] == [PLAN_FILE]:  # refused before anything was measured
            (folder / PLAN_FILE).unlink()
    if result.environment is not None:
        console.warn(stage_text(result.environment.stages_s))
    console.warn(f"report: {folder}")
    if result.exit_code in (EXIT_INTERRUPTED, EXIT_TERMINATED):
        _tell_way_on(folder, console)
    return result.exit_code


def _tell_way_on(folder: Path, console: Console) -> None:
    """The command that goes on with an interrupted sweep, where there is something to go on with."""
    from bench.report.journal import has_journal
    from bench.report.not_reports import way_on

    if has_journal(folder):
        console.warn(f"interrupted; go on with: {way_on(folder)}")


def _redraw(folder: Path, accuracy: Path | None, console: Console) -> None:
    from bench.report.store import load_report
    from bench.report.sweep_store import read_plan, write_plan

    plan = read_plan(folder)
    if accuracy is not None:
        plan = _with_accuracy(plan, load_report(folder).environment.suite, accuracy)
        write_plan(folder, plan)
    _draw(plan, folder, console)
    console.warn(f"sweep: {folder}")


def _draw(plan: SweepPlan, folder: Path, console: Console) -> None:
    """Every file of the sweep from what is stored, and its words."""
    from bench.report.store import load_report
    from bench.report.sweep_costs import along_text, memory_text
    from bench.report.sweep_files import write_sweep
    from bench.report.sweep_tables import points_table
    from bench.report.sweep_text import doubts, sentences
    from bench.report.text import visible
    from bench.sweeping import sweep_of_report

    report = load_report(folder)
    swept = sweep_of_report(plan, report)
    write_sweep(folder, swept, report.environment)
    header, rows = points_table(swept)
    table = draw_table(header, [[visible(cell) for cell in row] for row in rows])
    texts = [*sentences(swept), *along_text(swept), *memory_text(swept), *doubts(swept)]
    console.say("\n".join([table, "", *map(visible, texts)]))
