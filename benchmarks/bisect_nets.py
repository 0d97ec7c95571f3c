"""Names of the thirty models of ``bisect_faults.py``; how they are built is in ``bisect_models.py``."""

from __future__ import annotations

from typing import NamedTuple


class Net(NamedTuple):
    """A model: a kind that is drawn to a number of layers, or one of the zoo."""

    kind: str
    layers: int = 0
    zoo: str | None = None


_DRAWN = {
    "dense": (5, 20, 60, 150),
    "conv2d": (8, 30, 80, 150),
    "residual": (14, 42, 91, 147),
    "branching": (20, 60, 120),
    "several inputs": (12, 40, 90),
    "nested": (24, 60, 120),
    "recurrent": (6, 10),
    "attention": (14, 42),
    "conv1d": (30,),
    "conv3d": (20,),
    "u-net": (40,),
}
NETS = {f"{kind} {layers}": Net(kind, layers) for kind, depths in _DRAWN.items() for layers in depths} | {
    "mobilenet_v1": Net("zoo", zoo="mobilenet_v1:alpha=0.25,resolution=96"),
    "mobilenet_v3": Net("zoo", zoo="mobilenet_v3_small:resolution=96"),
}
QUICK = ("dense 5", "conv2d 30", "several inputs 12", "nested 24", "recurrent 6", "attention 14")
