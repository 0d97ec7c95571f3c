"""What judging a run's outputs again needs: ``outputs/`` with arrays, and ``outputs.json`` that says what they are.

Of each case the outputs of its worst check are kept, of each model its truth. A file of arrays is named by its digest,
so that outputs.json and the arrays fit one another however a run ends. No path of this machine is in them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench import __version__, units
from bench.analysis.agreement import badness, worst_check
from bench.analysis.budget import Budget
from bench.analysis.distance import distinct_items
from bench.errors import UsageError
from bench.prepare.arrays import load_arrays
from bench.records import ArrayFile, OutputCheck, Prepared, Record, Status, Tolerance, Verdict
from bench.report import atomic, scrub
from bench.report.versioned import read_versioned
from bench.rows import Row

FOLDER, FILE = "outputs", "outputs.json"
MOST_BYTES = 256 << 20  # of all arrays together; a run that has more keeps none
SCHEMA_VERSION = 1
Check = Callable[[str, ArrayFile], list[OutputCheck]]


class KeptModel(Record, frozen=True):
    """What outputs of a model are judged by."""

    truth: str  # as ``Prepared.truth``
    truth_file: ArrayFile  # its path is relative to the folder of outputs.json
    yardstick: dict[str, float | None]
    dtypes: dict[str, str]  # numpy's names, by output
    distinct_inputs: int


class KeptCase(Record, frozen=True):
    """One case with its verdict, and the outputs that it is of."""

    case_id: str
    model: str
    runtime: str  # as asked for
    batch_size: int
    status: Status
    status_reason: str
    verdict: Verdict
    reason: str
    file: ArrayFile | None = None  # relative likewise; None where it gave no outputs
    checks: tuple[OutputCheck, ...] = ()  # of that file
    budget: Budget | None = None  # of a precision other than float32


class KeptOutputs(Record, frozen=True):
    """``outputs.json``."""

    schema_version: int
    bench_version: str
    tolerance: Tolerance  # the user's own that was in force
    models: dict[str, KeptModel]
    cases: tuple[KeptCase, ...]
    reason: str = ""  # why there are no arrays


class OutputsKeeper:
    """Keeps outputs as they are judged, and writes ``outputs.json`` when told to."""

    def __init__(self, folder: Path, note: Callable[[str], None], *, most_bytes: int = MOST_BYTES) -> None:
        """``note`` tells people that nothing is kept."""
        self._folder, self._note, self._most_bytes = folder, note, most_bytes
        self._models: dict[str, KeptModel] = {}
        self._budgets: dict[str, Budget] = {}
        self._files: dict[str, tuple[ArrayFile, list[OutputCheck]]] = {}
        self._reason = ""

    def resume(self) -> None:
        """Go on with what an interrupted run kept, where it did."""
        if not (self._folder / FILE).is_file():
            return
        kept = read_kept(self._folder)
        self._models, self._reason = dict(kept.models), kept.reason
        self._budgets = {case.case_id: case.budget for case in kept.cases if case.budget}
        self._files = {case.case_id: (case.file, list(case.checks)) for case in kept.cases if case.file}

    def watched(self, check: Check, prepared: Prepared, budgets: Mapping[str, Budget]) -> Check:
        """``check``, and what it judged is kept; ``budgets`` are those of the model's cases."""
        self._budgets |= budgets
        if prepared.model not in self._models:
            self._models[prepared.model] = KeptModel(
                truth=prepared.truth,
                truth_file=self._copied(prepared.truth_file),
                yardstick=prepared.yardstick,
                dtypes={tensor.name: tensor.dtype for tensor in prepared.outputs},
                distinct_inputs=distinct_items(load_arrays(prepared.pool)),
            )

        def watching(case_id: str, file: ArrayFile) -> list[OutputCheck]:
            checks = check(case_id, file)
            self.keep(case_id, file, checks)
            return checks

        return watching

    def keep(self, case_id: str, file: ArrayFile, checks: list[OutputCheck]) -> None:
        """Keep the outputs, where they are worse than what is there of the case."""
        before, now = worst_check(self._files[case_id][1]) if case_id in self._files else None, worst_check(checks)
        if self._reason or now is None or (before is not None and badness(now) <= badness(before)):
            return
        copied = self._copied(file)
        if not self._reason:
            self._files[case_id] = (copied, checks)

    def save(self, rows: Sequence[Row], tolerance: Tolerance, private: scrub.Private | None = None) -> None:
        """Write ``outputs.json`` for these rows; arrays that nothing names any more are removed."""
        private = private or scrub.this_machine()
        kept = KeptOutputs(
            schema_version=SCHEMA_VERSION,
            bench_version=__version__,
            tolerance=tolerance,
            models={} if self._reason else self._models,
            cases=tuple(self._case(row, private) for row in rows),
            reason=self._reason,
        )
        atomic.write_bytes(self._folder / FILE, msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
        named = {Path(file.path).name for file in self._kept_files()}
        for path in (self._folder / FOLDER).glob("*"):
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _case(self, row: Row, private: scrub.Private) -> KeptCase:
        file, checks = self._files.get(row.case_id, (None, []))
        return KeptCase(
            case_id=row.case_id,
            model=row.model,
            runtime=row.runtime_spec or row.runtime,
            batch_size=row.batch_size,
            status=row.status,
            status_reason=scrub.scrub_text(row.status_reason, private),
            verdict=row.agreement,
            reason=scrub.scrub_text(row.agreement_reason, private),
            file=file,
            checks=tuple(scrub.scrub_check(check, private) for check in checks),
            budget=self._budgets.get(row.case_id),
        )

    def _copied(self, file: ArrayFile) -> ArrayFile:
        """The file in our folder; everything is given up where it would be too much."""
        name = f"{FOLDER}/{file.digest[:32]}.npz"
        target = self._folder / name
        size = Path(file.path).stat().st_size
        if size + sum((self._folder / one.path).stat().st_size for one in self._kept_files()) > self._most_bytes:
            self._give_up()
        elif not target.is_file():
            atomic.write_with(target, lambda unfinished: _copy(Path(file.path), unfinished))
        return msgspec.structs.replace(file, path=name)

    def _give_up(self) -> None:
        if not self._reason:
            self._reason = f"they take more than {units.size(self._most_bytes)}"
            self._note(f"outputs are not kept, so they can't be judged again with --from: {self._reason}")
        self._files.clear()

    def _kept_files(self) -> list[ArrayFile]:
        if self._reason:
            return []
        files = [model.truth_file for model in self._models.values()] + [file for file, _ in self._files.values()]
        return list({file.path: file for file in files}.values())


def read_kept(folder: Path) -> KeptOutputs:
    """What was kept in a folder; UsageError where there is none, or it is damaged or too new."""
    path = folder / FILE
    if not path.is_file():
        state = "no such folder" if not folder.exists() else f"no {FILE} in it"
        raise UsageError(f"judging {folder} again: {state}. Name a folder made by `bench run` or `bench verify -o DIR`")
    return read_versioned(path, KeptOutputs, SCHEMA_VERSION, doing=f"judging {folder} again", restore=_ANEW)


_ANEW = "Take the folder from where it was copied, or verify again with `bench verify -o DIR`"


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
