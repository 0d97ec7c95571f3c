"""Outputs that are not the model's, and whether a re-run of the model under some hypothesis gives them. In the child.

Pure: arrays in, findings out. Errors are in units of the spread, the largest over all float outputs.
"""

from __future__ import annotations

import numpy as np

from bench.analysis import distance as far
from bench.analysis.hypotheses.trial import LEAST_ENTRIES, explains
from bench.prepare.child.reference import Array, Arrays
from bench.records import Finding

_ALIKE = 0.9  # correlation of two errors from which on the one is said to be the other's
_FACTOR = 2.0  # and their sizes are at most so far apart
_LEAST_SPREAD = 1e-3  # of the truth's: a re-run of zeros has a spread of rounding noise, or none
_LEAST_ROUNDED = 16  # entries: fewer correlate by chance


class Suspect:
    """A runtime's outputs beside the truth and what the file gives when it is run exactly.

    Where the file gives them as well it is at fault, not who ran it (``is_files``): then a re-run of the file explains
    them by giving the truth, else by giving them.
    """

    def __init__(self, truth: Arrays, outputs: Arrays, as_it_is: Arrays) -> None:
        self._spreads = {
            name: spread
            for name, array in truth.items()
            if name in outputs and _is_comparable(array, outputs[name]) and (spread := far.spread(array)) > 0
        }
        self.truth, self.outputs, self.as_it_is = truth, outputs, as_it_is
        self.before = self.error(truth)
        files = self.error(as_it_is)
        self.is_files = files is not None and self.before is not None and explains(self.before, files)

    def error(self, other: Arrays, target: Arrays | None = None) -> float | None:
        """The largest difference of other outputs of the model to these (or ``target``); None where there is none.

        In units of their spread where it is less than the truth's: outputs that are all small are not near one another.
        """
        target = self.outputs if target is None else target
        if not self._spreads or any(not _is_comparable(other.get(n), target[n]) for n in self._spreads):
            return None
        return max(
            float(np.abs(far.as_float64(target[name]) - far.as_float64(other[name])).max())
            / min(spread, max(far.spread(other[name]), _LEAST_SPREAD * spread))
            for name, spread in self._spreads.items()
        )

    def difference(self, outputs: Arrays) -> Array:
        """All differences to the file run exactly, over the spread, as one vector."""
        parts = [
            (far.as_float64(outputs[name]) - far.as_float64(self.as_it_is[name])).ravel() / spread
            for name, spread in self._spreads.items()
        ]
        return np.concatenate(parts)


def by_undoing(suspect: Suspect, code: str, said: str, outputs: Arrays, *, of_file: bool = True) -> Finding | None:
    """The finding where the re-run's outputs are the suspect's, or undo what the file does; ``of_file``: it was run."""
    undone = of_file and suspect.is_files
    error = suspect.error(outputs, suspect.truth if undone else None)
    if error is None or suspect.before is None or not explains(suspect.before, error):
        return None
    gives = "the file gives the truth" if undone else "the model gives this"
    text = f"with {said} {gives}: the error falls from {suspect.before:.2g} to {error:.2g}"
    return Finding(code=code, text=text, error=error)


def by_rounding(suspect: Suspect, code: str, said: str, outputs: Arrays) -> Finding | None:
    """The finding where the re-run is off in the suspect's own direction and by as much.

    Kernels that round add up in other orders, so the error need not vanish.
    """
    error = suspect.error(outputs)
    if error is None or suspect.before is None or suspect.error(suspect.as_it_is) is None or error >= suspect.before:
        return None
    if suspect.is_files:
        return None
    ours, theirs = suspect.difference(outputs), suspect.difference(suspect.outputs)
    sizes = float(np.linalg.norm(ours)), float(np.linalg.norm(theirs))
    if len(ours) < _LEAST_ROUNDED or min(sizes) == 0 or max(sizes) > _FACTOR * min(sizes):
        return None
    alike = float(np.vdot(ours, theirs)) / (sizes[0] * sizes[1])
    if alike < _ALIKE:
        return None
    text = (
        f"{said}: emulated, the error falls from {suspect.before:.2g} to {error:.2g} "
        f"and the differences correlate by {alike:.3f}"
    )
    return Finding(code=code, text=text, error=error)


def _is_comparable(array: Array | None, output: Array) -> bool:
    """Finite floats of one shape, enough of them."""
    return (
        array is not None
        and array.shape == output.shape
        and array.size >= LEAST_ENTRIES
        and all(far.dtype_class(side) == "float" and not far.nonfinite_count(side) for side in (array, output))
    )
