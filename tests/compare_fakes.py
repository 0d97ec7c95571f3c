"""Stored reports for the tests of ``bench compare``, as they are after loading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bench.check.compare import compare
from bench.check.compare_records import Compared, Comparison, Side
from bench.records import Environment
from bench.rows import Row
from report_fakes import environment, reference, row

LETTERS = "ABCDE"


def env(**changes: Any) -> Environment:
    """The environment of a run; ``machine`` and ``suite`` may be dicts of what differs."""
    usual = environment()
    for name in ("machine", "suite"):
        if isinstance(changes.get(name), dict):
            changes[name] = msgspec.structs.replace(getattr(usual, name), **changes[name])
    return msgspec.structs.replace(usual, **changes)


def ort(**changes: Any) -> Row:
    """ONNX Runtime with everything known that comparability asks for."""
    known = {
        "runtime_spec": "onnxruntime-cpu",
        "runtime_version": "1.32.0",
        "provider": "CPUExecutionProvider",
        "runtime_options": "arena=on,fixed_shapes=image=[1, 8, 8, 3],optimization=all",
        "call_path": "InferenceSession.run",
        "batch_axis": "symbolic in the file, fixed by the runtime",
        "model_digest": "ab" * 32,
        "artifact_digest": "cd" * 32,
        "input_digest": "ef" * 32,
    }
    return row("onnxruntime-cpu", 0.5, **(known | changes))


def tf(**changes: Any) -> Row:
    return reference(
        **({"runtime_spec": "tensorflow", "runtime_version": "2.21.0", "input_digest": "ef" * 32} | changes)
    )


def sides(*reports: Sequence[Row], environments: Sequence[Environment] = ()) -> list[Side]:
    """A letter each; environments differ in their time alone unless they are given."""
    given = environments or [env(started=f"2026-11-25T0{number}:00:00+00:00") for number in range(len(reports))]
    return [
        Side(letter=letter, path=f"reports/{letter.lower()}", environment=one, rows=tuple(rows))
        for letter, rows, one in zip(LETTERS, reports, given, strict=False)
    ]


def compared(*reports: Sequence[Row], environments: Sequence[Environment] = (), **settings: Any) -> Comparison:
    return compare(sides(*reports, environments=environments), **settings)


def only(comparison: Comparison) -> Compared:
    """The one case that there is."""
    (one,) = comparison.cases
    return one


def standings(comparison: Comparison) -> dict[str, str]:
    return {f"{one.report} {one.runtime}": one.standing for one in comparison.cases}
