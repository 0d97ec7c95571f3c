"""How the numbers of a profile are to be read: the machine's roofs, brackets and words of the tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench import units
from bench.analysis.profiled import Profile
from bench.analysis.roofline import FAR_BELOW, roof_of
from bench.report.profile_cells import CaseView, giga, percent


def roof_sentences(profile: Profile) -> list[str]:
    """What this machine can do at most, and whether it stayed so."""
    roof = roof_of(profile.roofs)
    if roof is None:
        why = f": {profile.roofs_reason}" if profile.roofs_reason else ""
        return [f"The roofs of this machine were not measured{why}."]
    threads = profile.roofs[0].threads
    said = [
        f"Roofs of this machine with {threads} thread{'s' * (threads > 1)}: {giga(roof.flops_per_s)} GFLOP/s by a "
        f"matrix product, {giga(roof.bytes_per_s)} GB/s by a copy (float32; the best trial of before and after)."
    ]
    if not roof.is_steady:
        said.append(
            "The machine was not as fast at the end as at the beginning: before and after, the matrix product differs "
            f"by {percent(roof.flops_differ)}, the copy by {percent(roof.bytes_differ)}. Measure again when it is "
            "quiet."
        )
    return said


def legend(profile: Profile, views: Sequence[CaseView]) -> list[str]:
    """How the numbers are to be read."""
    level = next((line.time.level for view in views for line in view.lines if line.time.level), None)
    said = [
        "Times are of profiled calls, medians over repetitions of medians over calls; they are not scaled to the plain "
        "latency. Lines add up to the wall time: outside kernels is what no kernel explains (Python, dispatch, "
        "waiting)."
    ]
    if level is not None:
        word = "intervals" if level > 0.9 else "ranges"
        said.append(f"In brackets: {word} of {units.percent(level)} over repetitions.")
    if roof_of(profile.roofs) is not None:
        said.append(
            "Bytes: activations into and out of the layers and weights, each once, so that GB/s is a lower bound. Of "
            "the roof: the time that these products or these bytes take at least, over the time taken. Bound by "
            f"compute or memory: whichever takes longer; overhead: below {percent(FAR_BELOW)} of the roof, so that "
            "neither explains the time; above the roof: data that stay in caches, or fewer products than are counted "
            "(Winograd)."
        )
    return said
