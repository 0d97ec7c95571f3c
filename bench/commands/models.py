"""``bench models``."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.commands.console import Console
from bench.commands.tables import draw_table
from bench.errors import EXIT_CASE_FAILED, EXIT_OK
from bench.flags import Flags, parse_flags
from bench.records import ModelFacts, PrepareSettings, Tensor
from bench.suite import build_suite

_HEADER = ("model", "input", "parameters", "multiply-adds")


def list_models(texts: Sequence[str], *, as_json: bool, console: Console) -> int:
    """Print input, trainable parameters and multiply-adds of one item, of the zoo or of the models named."""
    import msgspec

    from bench.prepare.prepare import describe_models
    from bench.prepare.zoo import zoo_names

    asked = parse_flags(Flags(model=tuple(texts) or zoo_names()))
    suite = build_suite(asked, cpus=1, default_runtimes=())
    facts = describe_models(suite.models, PrepareSettings())
    console.say(msgspec.json.format(msgspec.json.encode(facts)).decode() if as_json else facts_text(facts))
    return EXIT_CASE_FAILED if any(one.reason for one in facts) else EXIT_OK


def facts_text(facts: Sequence[ModelFacts]) -> str:
    """A line per model, then why some could not be built."""
    rows = [
        (
            one.model,
            ", ".join(_shape(tensor) for tensor in one.inputs) or units.UNKNOWN,
            units.UNKNOWN if one.parameters is None else f"{one.parameters:,}",
            units.count(one.multiply_adds),
        )
        for one in facts
    ]
    reasons = [f"{one.model}: {one.reason}" for one in facts if one.reason]
    return "\n".join([draw_table(_HEADER, rows, numeric=(2, 3)), *reasons])


def _shape(tensor: Tensor) -> str:
    dimensions = tensor.shape[1:] if tensor.batched else tensor.shape
    return f"{tensor.name} {'x'.join('?' if n is None else str(n) for n in dimensions) or 'scalar'} {tensor.dtype}"
