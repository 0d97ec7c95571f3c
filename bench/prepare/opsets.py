"""The ONNX operator sets that a model can be converted to. Constants only."""

from __future__ import annotations

LEAST_OPSET = 7  # ONNX Runtime implements none before it
GREATEST_OPSET = 18  # tf2onnx refuses later ones
