"""Outputs that come with an ONNX file: ``test_data_set_N/output_K.pb`` beside their inputs. They are its truth then.

ONNX's own layout; ``bench bisect`` writes it for the part that fails alone. Pure but for reading the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from bench.errors import UsageError
from bench.prepare.input_files import Array, data_sets, read_protos
from bench.prepare.tensor_proto import parse_tensor
from bench.records import ModelSpec, PrepareSettings, Tensor

STORED = "stored outputs"  # as ``Prepared.truth``
_LEAST_ITEMS = 8  # agreement needs as many: with fewer, inputs of our own tell more


def with_data_beside(spec: ModelSpec, settings: PrepareSettings) -> PrepareSettings:
    """The settings with the test data beside a bare file as its inputs.

    Only where they have outputs and enough items, and the user named no inputs. UsageError where some sets have
    outputs and others lack them: what is damaged must not pass for what is not there.
    """
    if spec.kind != "onnx" or spec.path is None or settings.load_inputs is not None:
        return settings
    folder = Path(spec.path).absolute().parent
    sets = data_sets(folder)
    lacking = [one for one in sets if not (one / "output_0.pb").is_file()]
    if lacking and len(lacking) < len(sets):
        raise UsageError(
            f"reading the test data beside {spec.name}: {lacking[0].name}/output_0.pb is missing, {len(lacking)} of "
            f"{len(sets)} sets have no outputs; mend it, remove every output_*.pb, or name inputs with --load-inputs"
        )
    if lacking or _items(sets) < _LEAST_ITEMS:
        return settings
    return msgspec.structs.replace(settings, load_inputs=str(folder))


def _items(sets: Sequence[Path]) -> int:
    """How many rows the first inputs have; 0 where they can't be read: then they are not looked at."""
    try:
        arrays = [parse_tensor((one / "input_0.pb").read_bytes())[1] for one in sets]
    except (OSError, ValueError):
        return 0
    return sum(len(array) if array.ndim else 1 for array in arrays)


def expected_outputs(load_inputs: str | None, outputs: Sequence[Tensor], items: int) -> dict[str, Array] | None:
    """Output name -> array [items, ...] of the folder that inputs were loaded from; None where it has no outputs.

    Raises UsageError where they are not the model's.
    """
    folder = Path(load_inputs) if load_inputs is not None else None
    sets = data_sets(folder) if folder is not None and folder.is_dir() else []
    if not sets or not all(any(one.glob("output_*.pb")) for one in sets):
        return None
    found = [read_protos(one, "output", outputs) for one in sets]
    rows = {
        tensor.name: np.concatenate([_rows(one[tensor.name], tensor) for one in found])
        for tensor in outputs
        if all(tensor.name in one for one in found)
    }
    problems = _problems(rows, outputs, items)
    if problems:
        raise UsageError(
            f"outputs of {Path(load_inputs or '').name}: {'; '.join(problems)}; remove output_*.pb or mend them"
        )
    return rows


def _rows(array: Array, tensor: Tensor) -> Array:
    return array if tensor.batched and array.ndim == len(tensor.shape) else array[None]


def _problems(rows: dict[str, Array], outputs: Sequence[Tensor], items: int) -> list[str]:
    problems = []
    for tensor in outputs:
        inner = tensor.shape[1:] if tensor.batched else tensor.shape
        if tensor.name not in rows:
            problems.append(f"{tensor.name!r} is missing")
        elif rows[tensor.name].shape != (items, *inner):
            problems.append(f"expected {tensor.name!r} {[items, *inner]}, seen {list(rows[tensor.name].shape)}")
    return problems
