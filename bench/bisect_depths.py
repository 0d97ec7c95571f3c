"""Every step of a model with what a bisection knows of it: the rows of its table."""

from __future__ import annotations

from bench.analysis.bisection import can_be_judged
from bench.bisect_probes import Prober
from bench.bisected import Depth, DepthVerdict
from bench.prepare.steps import tolerance
from bench.records import OutputCheck


def depths(prober: Prober) -> tuple[Depth, ...]:
    """Every step of the model with what is known of it."""
    judged = {place: number for number, place in enumerate(prober.chain.steps)}
    return tuple(_depth(prober, place, judged.get(place)) for place in range(len(prober.dissection.steps)))


def _depth(prober: Prober, place: int, number: int | None) -> Depth:
    step = prober.dissection.steps[place]
    check = _first_seen(prober, prober.chain.tensors[number]) if number is not None else None
    verdict: DepthVerdict = "not judged" if number is None else "not run"
    if check is not None:
        verdict = "beyond" if check.verdict == "disagrees" else "within"
    return Depth(
        place=place + 1,
        layer=step.name,
        kind=step.kind,
        tensor=step.tensor,
        yardstick=step.yardstick,
        file_error=step.file_error,
        error=check.relative_error if check else None,
        budget=tolerance(step.yardstick) if number is not None else None,
        verdict=verdict,
        reason=_why_not_judged(prober, place) if number is None else "",
    )


def _first_seen(prober: Prober, tensor: str) -> OutputCheck | None:
    """The tensor's check in the shortest prefix that was run with it."""
    return next((checks[tensor] for _, checks in sorted(prober.seen.items()) if tensor in checks), None)


def _why_not_judged(prober: Prober, place: int) -> str:
    step = prober.dissection.steps[place]
    if step.tensor is None:
        inside = next((one.name for one in prober.dissection.steps if step.name in one.fused), None)
        return f"fused into {inside}" if inside else "the file has no tensor of it"
    if step.tensor in {tensor.name for tensor in prober.cutter.source.inputs}:
        return "an input"
    if step.tensor in prober.chain.tensors:
        return f"the tensor of {prober.step_of(step.tensor).name}"
    if step.spread is None:
        return "no numbers with a distance"
    return "it hardly varies over inputs" if can_be_judged(step.spread, None) else "the same for every input"
