"""What was counted in a model and its inputs -> cautions, where it matters. Pure: counts in, cautions out.

``child/hazards.py`` counts. Every threshold is here. A caution says what, how much, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import units
from bench.records import Caution, Record

DENORMAL = "denormal"  # code: such models are timed once more with denormal=zero
LEAST_SHARE = 0.01  # of one tensor's values, from which denormal numbers are told of
LEAST_COUNT = 16  # of them: a bias of a few values costs nothing
MOST = 0.5  # of a saturated output's entries
COSTLY = 0.1  # of the time that all operations take
_NAMED = 3  # places named in one caution

_DIFFERS = "what comes of them differs between runtimes and number formats"
_BOUNDS = {"Sigmoid": "0 or 1", "HardSigmoid": "0 or 1", "Softmax": "one-hot", "Tanh": "-1 or 1"}


class Seen(Record, frozen=True):
    """What is in one tensor, all looked-at items together."""

    place: str  # "layer conv1 (Conv2D)", "node h (MatMul)", "input x"
    values: int
    denormal: int = 0
    nan: int = 0
    infinite: int = 0
    makes: bool = False  # the NaN or infinity, from numbers alone
    underflowing: float = 0.0  # share of the products made on the way that lie below the least normal number


class Passes(Record, frozen=True):
    """Operations that one could do without."""

    places: tuple[str, ...]
    written_bytes: int  # by them, in a call with one item
    share: float  # of the time of all operations


def denormal_cautions(weights: Sequence[Seen], activations: Sequence[Seen]) -> tuple[Caution, ...]:
    """Denormal numbers in weights, activations, and the products of both; the first of each is named."""
    told = [
        *_told_denormal("the weights of {}", "are", weights),
        *_told_denormal("what {} computes", "is", activations),
        *_told_products(activations),
    ]
    if not told:
        return ()
    text = (
        f"{', '.join(told)}: many processors take far longer for such numbers, TensorFlow takes them as 0; set tiny "
        "weights to 0, or try onnxruntime-cpu:denormal=zero"
    )
    return (Caution(code=DENORMAL, text=text),)


def nonfinite_cautions(
    inputs: Sequence[Seen], weights: Sequence[Seen], activations: Sequence[Seen]
) -> tuple[Caution, ...]:
    """NaN and infinity: in inputs, in weights, and the first operation that makes one from numbers; one caution."""
    told = [f"{_nonfinite(one)} in {one.place}" for one in inputs if one.nan or one.infinite][:1]
    told += [f"{_nonfinite(one)} in the weights of {one.place}" for one in weights if one.nan or one.infinite][:1]
    makers = [one for one in activations if one.makes]
    told += [f"{one.place} is the first to make {_nonfinite(one)}" for one in makers[:1]]
    if not told:
        return ()
    in_weights = any(one.nan or one.infinite for one in weights)  # then no inputs help
    way_on = "mend the weights" if in_weights else "see --input-range and --load-inputs"
    return (Caution(code="not finite", text=f"{', '.join(told)}: {_DIFFERS}, {way_on}"),)


def input_cautions(constant: Sequence[str], flat: Mapping[str, int], items: int) -> tuple[Caution, ...]:
    """Inputs whose items are all alike, and images (``flat``: how many of an input) that are of one value."""
    way_on = "what depends on it is not tested, give varied data with --load-inputs"
    found = [f"all {items} items of input {name} are the same" for name in constant]
    found += [
        f"{count} of {items} images of input {name} are one single value"
        for name, count in flat.items()
        if count > MOST * items and name not in constant
    ]
    return tuple(Caution(code="constant input", text=f"{text}: {way_on}") for text in found)


def saturation_cautions(outputs: Mapping[str, tuple[str, float]]) -> tuple[Caution, ...]:
    """Outputs (name -> operation that makes it, share of entries at its bound) that a check is blind for."""
    return tuple(
        Caution(
            code="saturated output",
            text=f"{_percent(share)} of output {name} is {_BOUNDS[operation]} but for rounding ({operation}), whatever "
            "comes before: differences are not seen there, compare what goes into it (softmax=false in the zoo)",
        )
        for name, (operation, share) in outputs.items()
        if share > MOST
    )


def random_cautions(operations: Sequence[str]) -> tuple[Caution, ...]:
    """Operations of the file that draw random numbers."""
    if not operations:
        return ()
    text = f"the ONNX file draws random numbers: {', '.join(operations)}"
    return (Caution(code="non-deterministic model", text=text),)


def training_cautions(places: Sequence[str]) -> tuple[Caution, ...]:
    """Batch normalisation that takes its statistics from the batch."""
    if not places:
        return ()
    text = (
        f"{_listed(places)} normalises by the statistics of the batch: an item's output depends on its neighbours and "
        "on the batch size, export the model with training=False"
    )
    return (Caution(code="training mode", text=text),)


def operator_cautions(operators: Sequence[str]) -> tuple[Caution, ...]:
    """Operators that are in no operator set of ONNX: ``"com.microsoft.FusedConv"``."""
    if not operators:
        return ()
    only = all(name.startswith("com.microsoft") for name in operators)
    who = "ONNX Runtime alone has them" if only else "a runtime needs a library that brings them"
    text = f"outside ONNX's operator sets: {_listed(operators)}: {who}, convert without them for other runtimes"
    return (Caution(code="operators", text=text),)


def transpose_cautions(found: Passes) -> tuple[Caution, ...]:
    """Transposes that the conversion put in, to channels-first above all, and that ONNX Runtime does not remove."""
    if not found.places or found.share < COSTLY:
        return ()
    count = len(found.places)
    are, take = ("are", "take") if count > 1 else ("is", "takes")
    text = (
        f"{count} transpose{'s' * (count > 1)} {are} of the conversion (to channels-first), not of the model, and "
        f"{take} {_cost(found)}: at {_listed(list(dict.fromkeys(found.places)))}; another exporter may do without, "
        "see bench export --all-exporters"
    )
    return (Caution(code="transposes", text=text),)


def batch_norm_cautions(found: Passes) -> tuple[Caution, ...]:
    """Batch normalisation that stays a pass of its own once ONNX Runtime has fused what it can."""
    if not found.places or found.share < COSTLY:
        return ()
    text = (
        f"batch normalisation is not folded into the weights before it and takes {_cost(found)}: at "
        f"{_listed(list(dict.fromkeys(found.places)))}; it folds right after a convolution, or by hand"
    )
    return (Caution(code="batch norm", text=text),)


def unlooked_cautions(reason: str) -> tuple[Caution, ...]:
    """Activations, or everything, that could not be looked at."""
    return (Caution(code="hazards", text=f"not looked for: {reason}"),)


def _told_denormal(where: str, verb: str, tensors: Sequence[Seen]) -> list[str]:
    found = [one for one in tensors if one.denormal >= LEAST_COUNT and one.denormal >= LEAST_SHARE * one.values]
    if not found:
        return []
    first = found[0]
    more = f" and of {len(found) - 1} more" if len(found) > 1 else ""
    share = _percent(first.denormal / first.values)
    return [f"{share} of {where.format(first.place)}{more} {verb} denormal (below 1.2e-38)"]


def _told_products(tensors: Sequence[Seen]) -> list[str]:
    """Said of operations whose weights and inputs are normal, but not what they multiply to."""
    found = [one for one in tensors if one.underflowing >= LEAST_SHARE]
    return [f"{_percent(one.underflowing)} of the products within {one.place} fall below 1.2e-38" for one in found[:1]]


def _cost(found: Passes) -> str:
    return f"{found.share:.0%} of ONNX Runtime's time for one item, writing {units.size(found.written_bytes)}"


def _nonfinite(one: Seen) -> str:
    kind = "NaN and infinity" if one.nan and one.infinite else "NaN" if one.nan else "infinity"
    return f"{kind} ({_percent((one.nan + one.infinite) / max(1, one.values))} of values)"


def _listed(places: Sequence[str]) -> str:
    more = len(places) - _NAMED
    return " and ".join([", ".join(places[:_NAMED]), *([f"{more} more"] if more > 0 else [])])


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= LEAST_SHARE else f"{100 * share:.2g}%"
