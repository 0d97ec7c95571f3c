"""What XLA made of a function, read from its text: each instruction, what it writes, what it is made from. Pure.

The text is that of ``experimental_get_compiler_ir(stage="optimized_hlo")``: computations of instructions, each with the
names of TensorFlow's operations in ``op_name``; a fusion calls a computation of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_COMPUTATION = re.compile(r"^(?:ENTRY )?%(\S+) \(")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%(\S+) = (\([^=]*?\)|\S+) ([\w-]+)\(")
_CALLS = re.compile(r"calls=%(\S+?)[,\s]|calls=%(\S+)$")
_FROM = re.compile(r'op_name="([^"]*)"')
_SHAPE = re.compile(r"(pred|[a-z]+(\d+)\w*)\[([\d,]*)\]")
_NO_WORK = {"parameter", "constant", "broadcast", "bitcast", "tuple", "get-tuple-element"}
_ARGUMENTS = "XLA_Args"  # in place of an operation's name


class Instruction(NamedTuple):
    """One kernel or a part of one."""

    operations: tuple[str, ...]  # names of TensorFlow's, the one that it ends with first
    output_bytes: int | None


def instructions(text: str) -> dict[str, Instruction]:
    """Every instruction by its name, a fusion with all that it fuses."""
    lines = list(_lines(text))
    inside: dict[str, list[str]] = {}
    for computation, line in lines:
        if (found := _INSTRUCTION.match(line)) and found[3] not in _NO_WORK:
            inside.setdefault(computation, []).extend(_operations(line))
    return dict(_made(lines, inside))


def _made(lines: Iterable[tuple[str, str]], inside: Mapping[str, list[str]]) -> Iterator[tuple[str, Instruction]]:
    for _, line in lines:
        if found := _INSTRUCTION.match(line):
            called = _CALLS.search(line)
            fused = reversed(inside.get(called[1] or called[2], [])) if called else ()
            yield found[1], Instruction(tuple(dict.fromkeys([*_operations(line), *fused])), _bytes_of(found[2]))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line with the name of the computation that it is in."""
    computation = ""
    for line in text.splitlines():
        if found := _COMPUTATION.match(line):
            computation = found[1]
        yield computation, line


def _operations(line: str) -> list[str]:
    found = _FROM.search(line)
    return [name for name in found[1].split(";") if name and name != _ARGUMENTS] if found else []


def _bytes_of(shape: str) -> int | None:
    """Of ``f32[1,8]{1,0}``, or of several in brackets; None where nothing tells."""
    parts = _SHAPE.findall(shape)
    sizes = [math.prod(int(n) for n in dims.split(",") if n) * max(1, int(bits or 8) // 8) for _, bits, dims in parts]
    return sum(sizes) if parts else None
