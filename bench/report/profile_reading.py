"""How the numbers of a profile are to be read: the machine's roofs, brackets and words of the tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.doubts import INTERVAL_LEVEL
from bench.analysis.operators import LAYOUT
from bench.analysis.profiled import Profile
from bench.analysis.roofline import FAR_BELOW, roof_of
from bench.report.profile_cells import WHY_ABOVE, CaseView, giga, percent


def roof_sentences(profile: Profile) -> list[str]:
    """What this machine can do at most, and whether it stayed so."""
    roof = roof_of(profile.roofs)
    if roof is None:
        why = f": {profile.roofs_reason}" if profile.roofs_reason else ""
        return [f"The roofs of this machine were not measured{why}."]
    threads = profile.roofs[0].threads
    said = [
        f"Roofs of this machine with {threads} thread{'s' * (threads > 1)}: {giga(roof.flops_per_s)} GFLOP/s by a "
        f"matrix product, {giga(roof.bytes_per_s)} GB/s by a copy (float32; the best trial"
        f"{'' if roof.is_steady is None else ' of before and after'})."
    ]
    if roof.is_steady is None:
        why = f" ({profile.roofs_reason})" if profile.roofs_reason else ""
        said.append(f"They were measured once{why}: whether the machine stayed as fast is not known.")
    elif not roof.is_steady:
        said.append(
            "The machine was not as fast at the end as at the beginning: before and after, the matrix product differs "
            f"by {percent(roof.flops_differ)}, the copy by {percent(roof.bytes_differ)}. Measure again when it is "
            "quiet."
        )
    return said


def legend(profile: Profile, views: Sequence[CaseView]) -> list[str]:
    """How the numbers are to be read."""
    said = [
        "Times are of profiled calls, medians over repetitions of means over the usual calls (the middle half by wall "
        "time, of three the middle one); they are not scaled to the plain latency. Lines add up to the wall time, "
        "unless kernels take more than it together: outside kernels is what no kernel explains (Python, dispatch, "
        "waiting)."
    ]
    if any(line.kind == LAYOUT and not line.layers for view in views for line in view.lines):
        said.append(
            "Layout: kernels that only lay numbers out otherwise or convert them, and that no layer was found to ask "
            "for. They are no layer's work; where the runtime tells it, the layers around them are named."
        )
    if any(view.case.rounding_ns for view in views):
        said.append(
            "ONNX Runtime, OpenVINO and LiteRT cut the time of a kernel to whole microseconds: what it lacks stands "
            "outside kernels, and a short kernel looks faster than it is."
        )
    if levels := _levels(views):
        said.append(f"In brackets: {levels} over repetitions.")
    if roof_of(profile.roofs) is not None:
        said.append(
            "Bytes are a lower bound, and GB/s with them: activations that must come into the layers and leave them if "
            "what is between them stays there, and weights, once. Of the roof: the time that these products or these "
            "bytes take at least, over the time taken. Bound by compute or memory: whichever takes longer; overhead: "
            f"below {percent(FAR_BELOW)} of the roof, so that "
            f"neither explains the time; above the roof: {WHY_ABOVE}."
        )
    return said


def _levels(views: Sequence[CaseView]) -> str:
    """``"intervals of 93.75 %"``; of several levels each with its cases; "" where nothing has bounds."""
    found: dict[float, list[str]] = {}
    for view in views:
        for level in dict.fromkeys(line.time.level for line in view.lines if line.time.level is not None):
            found.setdefault(level, []).append(view.name)
    words = {one: f"{'intervals' if one >= INTERVAL_LEVEL else 'ranges'} of {units.percent(one)}" for one in found}
    if len(found) == 1:
        return "".join(words.values())
    return ", ".join(f"{words[one]} ({'; '.join(names)})" for one, names in found.items())
