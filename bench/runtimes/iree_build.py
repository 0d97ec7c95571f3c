"""Compiles an ONNX file for IREE. A script of its own process, started by path and never imported.

The compiler takes hundreds of megabytes that are no part of running the model, so it never enters the worker. Takes one
JSON argument: ``source``, ``target``, ``shapes`` (input -> sizes) and ``flags`` of iree-compile. Writes the module to
``target`` and prints JSON: the function's name, and names and numpy's types of what it takes and gives.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import onnx
from iree.compiler import ir, tools
from iree.compiler.extras import onnx_importer


def main(request: dict[str, Any]) -> None:
    """Fix the shapes, import, compile."""
    model = fix_shapes(onnx.load(request["source"]), request["shapes"])
    module = to_mlir(model)
    tools.compile_str(
        module,
        input_type="onnx",
        target_backends=["llvm-cpu"],
        output_file=request["target"],
        extra_args=request["flags"],
    )
    sys.stdout.write(json.dumps(described(model)) + "\n")


def fix_shapes(model: Any, shapes: dict[str, list[int]]) -> Any:
    """The model with these sizes at its inputs, and the shapes of everything else inferred from them anew."""
    for value in taken(model):
        dims = value.type.tensor_type.shape.dim
        for dim, size in zip(dims, shapes[value.name], strict=True):
            dim.dim_value = size
    del model.graph.value_info[:]  # inferred from a free batch
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def to_mlir(model: Any) -> str:
    """The model as text of MLIR; verified."""
    info = onnx_importer.ModelInfo(model)
    module = info.create_module(context=ir.Context()).operation
    onnx_importer.NodeImporter.define_function(info.main_graph, module).import_all()
    module.verify()
    return str(module.get_asm(assume_verified=True))


def described(model: Any) -> dict[str, Any]:
    """What the compiled module will be called by, and takes and gives in this order."""
    return {
        "function": model.graph.name,
        "inputs": [[value.name, numpy_type(value)] for value in taken(model)],
        "outputs": [[value.name, numpy_type(value)] for value in model.graph.output],
    }


def taken(model: Any) -> list[Any]:
    """Inputs that are no initialisers with a default."""
    given = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in given]


def numpy_type(value: Any) -> str:
    """Numpy's name of a tensor's type; strings are "string"."""
    kind = value.type.tensor_type.elem_type
    return "string" if kind == onnx.TensorProto.STRING else str(onnx.helper.tensor_dtype_to_np_dtype(kind))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
