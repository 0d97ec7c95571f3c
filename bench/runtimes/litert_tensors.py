"""Inputs and outputs of a LiteRT interpreter by name, never by position: it lists them in an order of its own.

Imports no runtime: LiteRT's interpreter and TensorFlow's are asked alike, by a worker and by prepare's child.
"""

from __future__ import annotations

from typing import Any

SIGNATURE = "serving_default"


def details_by_name(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the inputs and outputs are: by the names of the signature, of tensors where the file is too old for one."""
    signatures = interpreter.get_signature_list()
    if not signatures:
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        return {details["name"]: details for details in inputs}, {details["name"]: details for details in outputs}
    key = SIGNATURE if SIGNATURE in signatures else next(iter(signatures))
    runner = interpreter.get_signature_runner(key)
    return dict(runner.get_input_details()), dict(runner.get_output_details())
