"""A function of an ONNX file's own, written as text: operations that no single operator is. In the child."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper, parser

DOMAIN = "bench.emulation"
_FUNCTIONS = 8  # first IR version with functions


def add_function(model: Any, signature: str, body: str) -> None:
    """Add ``signature { body }`` ("name (x) => (y)") in the file's own opset."""
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    text = f'<domain: "{DOMAIN}", opset_import: ["" : {opset}]> {signature} {{ {body} }}'
    model.functions.append(parser.parse_function(text))
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    model.ir_version = max(model.ir_version, _FUNCTIONS)


def replace_nodes(model: Any, nodes: list[Any]) -> None:
    """Give the main graph these nodes, some of which it may have already; what was known of shapes is forgotten."""
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    del model.graph.value_info[:]
