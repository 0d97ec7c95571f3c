"""A convolution with a folded batch norm that is wrong: is it the kernel or the norm? Pure. In the child.

The file holds one kernel and one bias for both. Let z be what the norm should give, t what the file gives, and for
each channel t = a z + k the line through them. A wrong offset (beta, mean) shifts: a = 1. A wrong scale (gamma,
variance) stretches about beta: k = (1 - a) beta. A wrong kernel that is stretched does so about beta - mean x scale,
and any other gives no line at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
_LINE = 0.01  # of the difference: so little is left of it where it is a line
_SAME = 1e-3  # of a stretch
_CLEARLY = 0.5


def is_norm_wrong(truth: Array, value: Array, norm: Any, *, has_bias: bool) -> bool:
    """Whether the difference of two arrays [..., channels] is one that the batch norm's weights make.

    ``has_bias``: of the convolution, whose error would be an offset as well.
    """
    truth, value = (rows.reshape(-1, rows.shape[-1]).astype(np.float64) for rows in (truth, value))
    if not np.isfinite(value).all():
        return False
    centre = truth.mean(axis=0)
    spread = np.square(truth - centre).sum(axis=0)
    stretch = ((truth - centre) * (value - value.mean(axis=0))).sum(axis=0) / np.where(spread > 0, spread, 1.0)
    offset = value.mean(axis=0) - stretch * centre
    left = np.linalg.norm(value - stretch * truth - offset)
    if left > _LINE * np.linalg.norm(value - truth):
        return False
    if np.abs(stretch - 1.0).max() < _SAME:
        return not has_bias
    beta, shift = _about(norm)
    by_norm = np.linalg.norm(offset - (1.0 - stretch) * beta)
    by_kernel = np.linalg.norm(offset - (1.0 - stretch) * (beta - shift))
    return bool(by_norm < _CLEARLY * by_kernel)


def _about(norm: Any) -> tuple[Array, Array]:
    """Beta, and mean times scale, of each channel."""
    mean, variance = (np.asarray(one, np.float64) for one in (norm.moving_mean, norm.moving_variance))
    gamma = 1.0 if norm.gamma is None else np.asarray(norm.gamma, np.float64)
    beta = np.zeros_like(mean) if norm.beta is None else np.asarray(norm.beta, np.float64)
    return beta, mean * gamma / np.sqrt(variance + norm.epsilon)
