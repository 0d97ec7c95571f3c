"""What can be wrong with a node that slides or resizes: convolutions, poolings, Resize. As in ``nodes``."""

from __future__ import annotations

from collections.abc import Callable

from onnx import ModelProto, NodeProto

from bench.prepare.child.mutants import places
from bench.prepare.child.mutants import surgery as graph

_POOLS = {"ReduceMean": "ReduceMax", "GlobalAveragePool": "GlobalMaxPool", "AveragePool": "MaxPool"}
_OWN = {"count_include_pad", "storage_order", "dilations", "ceil_mode"}  # attributes that not both poolings have


def sides_exchanged(_: ModelProto, node: NodeProto) -> bool:
    """Pads of a convolution: what was below and right goes above and left."""
    pads = graph.attribute(node, "pads", [])
    half = len(pads) // 2
    if pads[:half] == pads[half:]:
        return False
    graph.set_attribute(node, "pads", [*pads[half:], *pads[:half]])
    return True


def padding_moved(_: ModelProto, node: NodeProto) -> bool:
    """One row of padding goes to the other side; automatic padding to the other side altogether."""
    automatic = graph.attribute(node, "auto_pad", b"NOTSET")
    other = {b"SAME_UPPER": "SAME_LOWER", b"SAME_LOWER": "SAME_UPPER"}
    if automatic in other:
        graph.set_attribute(node, "auto_pad", other[automatic])
        return True
    pads = graph.attribute(node, "pads", [])
    half = len(pads) // 2
    axis = next((axis for axis in range(half) if pads[axis] + pads[axis + half] > 0), None)
    if axis is None:
        return False
    step = 1 if pads[axis] else -1
    pads[axis], pads[axis + half] = pads[axis] - step, pads[axis + half] + step
    graph.set_attribute(node, "pads", pads)
    return True


def dilated(model: ModelProto, node: NodeProto) -> bool:
    """Dilation 2, or 1 where there was one, padded so that the output's shape stays."""
    size = places.kernel_size(model, node)
    old = graph.attribute(node, "dilations") or [1] * len(size)
    new = [2 if step == 1 else 1 for step in old]
    more = [(after - before) * (k - 1) for before, after, k in zip(old, new, size, strict=True)]
    extra = [*(m // 2 for m in more), *(m - m // 2 for m in more)]
    pads = [pad + e for pad, e in zip(graph.attribute(node, "pads") or [0] * (2 * len(size)), extra, strict=True)]
    automatic = graph.attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"")
    if not any(more) or (min(pads) < 0 and not automatic):
        return False
    graph.set_attribute(node, "dilations", new)
    if not automatic:
        graph.set_attribute(node, "pads", pads)
    return True


def strides(step: int) -> Callable[[ModelProto, NodeProto], None]:
    """The node with this step along every axis."""

    def change(model: ModelProto, node: NodeProto) -> None:
        graph.set_attribute(node, "strides", [step] * len(places.kernel_size(model, node)))

    return change


def other_pooling(_: ModelProto, node: NodeProto) -> None:
    """The maximum for the mean, or the mean for the maximum."""
    others = _POOLS | {maximum: mean for mean, maximum in _POOLS.items()}
    node.op_type = others[node.op_type]
    kept = [found for found in node.attribute if found.name not in _OWN]
    del node.attribute[:]
    node.attribute.extend(kept)


def padding_counted(_: ModelProto, node: NodeProto) -> None:
    """A mean over a window counts the padding where it did not, or the other way round."""
    graph.set_attribute(node, "count_include_pad", 1 - graph.attribute(node, "count_include_pad", 0))


def resized_otherwise(_: ModelProto, node: NodeProto) -> None:
    """The nearest value for an interpolated one, or the other way round."""
    old = graph.attribute(node, "mode", b"nearest")
    graph.set_attribute(node, "mode", "linear" if old == b"nearest" else "nearest")


def corners_aligned(_: ModelProto, node: NodeProto) -> None:
    """Coordinates from corner to corner, or half a pixel in where they were so."""
    name = "coordinate_transformation_mode"
    aligned = graph.attribute(node, name, b"half_pixel") == b"align_corners"
    graph.set_attribute(node, name, "half_pixel" if aligned else "align_corners")
