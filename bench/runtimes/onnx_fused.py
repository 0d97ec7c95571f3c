"""Whose work kernels do that name nodes of an ONNX file, but not all of those that were fused into them. Pure.

A convolution that a multiplication was folded into may only name the multiplication. The convolution is then a node
that no kernel names, and all that it gives goes into that kernel: its work is done there, for it is done nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from bench.runtimes.onnx_graph import Graph, Node


def fused_origins(
    file: Graph, told: Sequence[Sequence[str]], closed: AbstractSet[int] = frozenset()
) -> list[tuple[str, ...]]:
    """Of each kernel, names of the nodes whose work it does, what they give and their weights, the last first.

    ``told``: by kernel, names of nodes, or of tensors for nodes without a name, and others that the file lacks.
    ``closed``: places of kernels that take something from a kernel that names nothing: no node is given to those.
    """
    by_name = {name: node for node in file.nodes for name in (*node.outputs, node.name) if name}
    owner: dict[tuple[str, ...], int] = {}
    for kernel, names in enumerate(told):
        for node in (by_name[name] for name in names if name in by_name):
            owner.setdefault(node.outputs, kernel)
    users, constant = _users(file), constants(file)
    for node in reversed(file.nodes):
        owners = {owner.get(user.outputs) for name in node.outputs for user in users.get(name, ())}
        if node.outputs not in owner and not constant.issuperset(node.outputs) and len(owners) == 1:
            [kernel_of] = owners
            if kernel_of is not None and kernel_of not in closed:
                owner[node.outputs] = kernel_of
    found: list[list[str]] = [[] for _ in told]
    for node in reversed(file.nodes):
        if node.outputs in owner:
            weights = [name for name in node.inputs if name in constant and len(users[name]) == 1]
            found[owner[node.outputs]] += [name for name in (*node.outputs, node.name, *weights) if name]
    return [tuple(dict.fromkeys(names)) for names in found]


def constants(file: Graph) -> set[str]:
    """Tensors that no input has a part in."""
    known = set(file.initializers)
    for node in file.nodes:
        inputs = [name for name in node.inputs if name]
        if node.operator == "Constant" or (inputs and known.issuperset(inputs)):
            known.update(node.outputs)
    return known


def _users(file: Graph) -> dict[str, list[Node]]:
    users: dict[str, list[Node]] = {}
    for node in file.nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    return users
