"""Operators of a ``.tflite`` file and the names of what they give; read with the schema that LiteRT's wheel brings."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

from bench.errors import UnavailableError


class FileOperator(NamedTuple):
    """One operator of the main graph."""

    kind: str  # "CONV_2D"
    outputs: tuple[str, ...]  # names of tensors; a fused one has the names of all its parts


def file_operators(path: Path) -> list[FileOperator]:
    """In the order of the file, which is that in which they run."""
    try:
        schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        raise UnavailableError(f"reading {path.name}: LiteRT's wheel has no schema ({error})") from error
    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    found = []
    for place in range(graph.OperatorsLength()):
        operator = graph.Operators(place)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = kinds.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "CUSTOM")
        tensors = [graph.Tensors(operator.Outputs(i)) for i in range(operator.OutputsLength())]
        found.append(FileOperator(kind, tuple(tensor.Name().decode() for tensor in tensors)))
    return found
