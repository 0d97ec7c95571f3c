"""What the tests of attribution share: a model with made truth, its cases, and the references that they need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bench.attributing import reference_cases
from bench.cases import make_case
from bench.prepare.arrays import save_arrays
from bench.records import Case, MeasureSettings, ModelSpec, Prepared, PrepareSettings, Suite
from bench.specs import parse_runtimes
from report_fakes import prepared as prepared_of_report

NET = ModelSpec(text="net.keras", kind="keras_file", name="net", display="net")
TRUTH = np.random.default_rng(0).normal(size=(8, 10))


def cases_of(*runtimes: str, batch: int = 1) -> list[Case]:
    return [make_case(NET, runtime, batch, 1) for runtime in parse_runtimes(runtimes)]


def suite(*runtimes: str) -> Suite:
    return Suite(
        models=(NET,),
        runtimes=parse_runtimes(runtimes),
        batch_sizes={"net": (4, 1)},
        threads=2,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )


def prepared(folder: Path, **changes: Any) -> Prepared:
    made = msgspec.structs.replace(
        prepared_of_report(),
        pool=save_arrays(folder / "pool.npz", {"image": np.arange(16.0).reshape(8, 2)}),
        truth_file=save_arrays(folder / "truth.npz", {"probabilities": TRUTH}),
        yardstick={"probabilities": 1e-4},
    )
    return msgspec.structs.replace(made, **changes)


def references(model: Prepared, cases: list[Case], ran: Mapping[str, object] | None = None) -> dict[Any, Case]:
    ids = {case.case_id for case in cases} if ran is None else ran
    return reference_cases(NET, suite("cpu"), model, cases, ids)
