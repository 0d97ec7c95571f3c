"""A file of outputs -> the checks of a case: what a run and a verification call for each file that a worker wrote.

Reads arrays of ours; judges nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bench.analysis.agreement import check_outputs, worst_check
from bench.analysis.budget import Budget, artifact_of, budget_of
from bench.analysis.distance import Array, distinct_items
from bench.prepare.arrays import load_arrays
from bench.records import ArrayFile, Case, OutputCheck, Prepared, Tolerance


def make_checker(
    prepared: Prepared,
    tolerance: Tolerance,
    budgets: Mapping[str, Budget] | None = None,
    names_flags: Mapping[str, str] | None = None,
) -> Callable[[str, ArrayFile], list[OutputCheck]]:
    """The function that judges outputs of this model: case id and file in, one check an output out.

    ``budgets`` are those of the cases that are not float32, by case id; see ``budgets_of``. ``names_flags`` are the
    flags that give names to outputs, where that is not ``--onnx-names``; see ``names_flags_of``.

    Truth and pool are read once, here. A file holds whole passes over the pool, row ``p * items + i`` being item i as
    it came the p-th time; each output gets the worst check of its passes.
    """
    truth = load_arrays(prepared.truth_file)
    items = prepared.truth_file.items
    distinct = distinct_items(load_arrays(prepared.pool))
    dtypes = {tensor.name: tensor.dtype for tensor in prepared.outputs}

    def check(case_id: str, file: ArrayFile) -> list[OutputCheck]:
        return check_passes(
            truth,
            split_passes(load_arrays(file), file.items, items),
            prepared.yardstick,
            tolerance,
            budget=(budgets or {}).get(case_id),
            distinct_inputs=distinct,
            dtypes=dtypes,
            names_flag=(names_flags or {}).get(case_id, "--onnx-names"),
        )

    return check


def check_passes(
    truth: Mapping[str, Array],
    passes: Iterable[Mapping[str, Array]],
    yardstick: Mapping[str, float | None],
    tolerance: Tolerance,
    **judging: Any,
) -> list[OutputCheck]:
    """The worst check of each output over passes; ``judging`` is what else ``check_outputs`` takes."""
    return worst_of_passes(check_outputs(truth, one, yardstick, tolerance, **judging) for one in passes)


def budgets_of(cases: Iterable[Case], prepared: Prepared) -> dict[str, Budget]:
    """The budget of each case of this model that is not float32, by case id."""
    found = {case.case_id: budget_of(case, artifact_of(case, prepared)) for case in cases}
    return {case_id: budget for case_id, budget in found.items() if budget is not None}


def names_flags_of(cases: Iterable[Case]) -> dict[str, str]:
    """The flag that says what a file's names mean, by id of each case that runs a LiteRT file."""
    return {case.case_id: "--litert-names" for case in cases if case.runtime.name == "litert"}


def split_passes(outputs: Mapping[str, Array], rows: int, items: int) -> list[dict[str, Array]]:
    """The outputs pass by pass, ``items`` rows each; a rest is a pass of its own, so that no row goes unseen."""
    starts = range(0, max(rows, 1), items)
    return [{name: array[start : start + items] for name, array in outputs.items()} for start in starts]


def worst_of_passes(passes: Iterable[Sequence[OutputCheck]]) -> list[OutputCheck]:
    """The worst check of each output; the first of equals."""
    found: dict[str, list[OutputCheck]] = {}
    for checks in passes:
        for check in checks:
            found.setdefault(check.output, []).append(check)
    return [worst for checks in found.values() if (worst := worst_check(checks)) is not None]
