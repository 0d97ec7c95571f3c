"""A bisection in words: the verdict first, then what is known around it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.bisected import Bisected, Depth, Nearby
from bench.units import UNKNOWN

_NAMED = 3  # layers or outputs in one sentence


def verdict_sentence(found: Bisected) -> str:
    """What was found, in one sentence."""
    judge = f"{found.reference}" if found.reference else "the truth"
    if found.verdict == "failed":
        return f"{found.model} on {found.runtime}: {found.reason}"
    runs = f"{found.runs} run{'s' * (found.runs != 1)} of at most {found.most_runs}"
    if found.verdict == "nothing differs":
        return (
            f"Nothing differs: every output of {found.model} on {found.runtime} is within its budget of {judge}; {runs}"
        )
    ran = f"; {runs}" if found.runs else ""
    if found.verdict == "the file as a whole":
        return f"No layer of {found.model} is wrong alone: {found.reason}{ran}"
    if found.verdict == "cannot tell":
        return f"Cannot tell which layer of {found.model} is wrong on {found.runtime}: {found.reason}{ran}"
    what = f"tensor {found.tensor}" if found.tensor else "no tensor of its own can be judged"
    if len(found.candidates) > 1:
        shown = listed(found.candidates)
        return f"The first layer that leaves its budget is one of {shown}: {_error(found)}; {what}; {runs}"
    return f"The first layer that leaves its budget is {found.layer} ({found.kind}): {_error(found)}; {what}; {runs}"


def lines_of(found: Bisected) -> list[str]:
    """The verdict, then what came before, whose error it is, and how it is reproduced."""
    lines = [verdict_sentence(found)]
    if found.verdict == "found":
        lines += _around(found)
    lines += [f"caution: {text}" for text in found.cautions]
    if found.part is not None:
        lines += _repro(found)
    return lines


def _around(found: Bisected) -> list[str]:
    lines = []
    if found.fused:
        lines.append(f"In the same tensor: the work of {listed(found.fused)}")
    if found.before:
        worst = max(found.before, key=lambda one: (one.error or 0.0) / (one.tolerance or 1.0))
        what = listed([one.name for one in found.before])
        lines.append(
            f"Right before it: {what}, error at most {_number(worst.error)} where {_number(worst.tolerance)} is allowed"
        )
    elif len(found.candidates) <= 1 and found.tensor:
        lines.append("Nothing before it: it reads the model's inputs")
    if found.file_error is not None and found.reference is None and found.tolerance is not None:
        lines.append(_whose(found.file_error, found.tolerance, found.runtime))
    if found.outputs:
        lines.append(f"Wrong outputs: {', '.join(_spelt(one) for one in found.outputs[:_NAMED])}{_more(found.outputs)}")
    return lines


def _whose(file_error: float, allowed: float, runtime: str) -> str:
    if file_error > allowed:
        return f"The file itself computes it so: unoptimised on the CPU its error is {_number(file_error)}"
    return f"The file is right: unoptimised on the CPU its error is {_number(file_error)}; {runtime} is not"


def _repro(found: Bisected) -> list[str]:
    part = found.part
    assert part is not None
    size = "from the model's inputs on" if part.from_inputs else "the layer alone"
    note = f" ({part.note})" if part.note else ""
    lines = [f"Reproduced by a part, {size}{note}: error {_number(part.error)}"]
    if part.folder is None:
        lines.append("-o DIR keeps it as an ONNX file with inputs and expected outputs")
    else:
        lines.append(f"kept in {part.folder}; {command_of(found, part.folder)} exits with 3")
    return lines


def command_of(found: Bisected, folder: str) -> str:
    """What shows the fault again."""
    runtimes = found.runtime if found.reference is None else f"{found.reference},{found.runtime}"
    return f"`bench verify {folder}/model.onnx -e {runtimes}`"


def readme_of(found: Bisected) -> str:
    """What lies beside the part, for whoever gets it."""
    part = found.part
    assert part is not None
    version = f" {found.runtime_version}" if found.runtime_version else ""
    truth = found.reference or f"the model in {found.truth}"
    size = "from its inputs on" if part.from_inputs else "alone"
    return "\n".join(
        [
            f"# {found.layer} ({found.kind}) of {found.model} on {found.runtime}{version}",
            "",
            f"`model.onnx` is this layer {size}, cut out of the whole file. With the inputs in `test_data_set_0`",
            f"`{found.tensor}` is {_number(part.error)} of its spread over inputs away from `output_K.pb`, which hold",
            f"what {truth} gives; {_number(part.tolerance)} is allowed.",
            *([f"It is longer than the layer: {part.note}."] if part.note else []),
            "",
            f"To see it: {command_of(found, '.')} exits with 3.",
            "",
        ]
    )


def depth_cells(row: Depth) -> tuple[str, ...]:
    """A line of the table of layers."""
    numbers = (row.yardstick, row.file_error, row.error, row.budget)
    verdict = f"{row.verdict}: {row.reason}" if row.reason else row.verdict
    return (str(row.place), row.layer, row.kind, *(_number(number) for number in numbers), verdict)


def listed(names: Sequence[str]) -> str:
    """A few names and how many more there are."""
    return f"{', '.join(names[:_NAMED])}{_more(names)}"


def _more(names: Sequence[object]) -> str:
    return f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""


def _spelt(one: Nearby) -> str:
    return f"{one.name} ({_number(one.error)})"


def _error(found: Bisected) -> str:
    if found.tensor is not None and found.tolerance is None:
        return "nothing runs that ends there, and all before it is right"
    if found.error is None:
        return f"NaN, infinities or another shape where {_number(found.tolerance)} is allowed"
    return f"error {_number(found.error)} where {_number(found.tolerance)} is allowed"


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2g}"
