"""Pictures with the statistics that matter of photographs, from a random generator alone. Pure.

Not white noise: neighbouring pixels are alike, power falls with frequency, there are edges, textures and a few
objects, channels are correlated, and pictures differ in brightness, contrast and colour. A fault such as a shifted
window, swapped channels or a wrong resize then shows, and real kernels meet realistic activations.
Values are 8-bit levels, as in real pictures: rounding them makes a picture the same on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_COARSEST = 3  # cells of the coarsest noise along the longer side
_FALLOFF = 0.55  # amplitude from one octave to the next: about 1/f
_FINEST_TINT = 24  # colour varies more slowly than light
_SHAPES = (3, 7)


def natural_image(rng: np.random.Generator, height: int, width: int, channels: int) -> Array:
    """Levels uint8 [height, width, channels], darkest 0 and brightest 255; a fourth channel is a soft mask."""
    colours = min(channels, 3)
    light = _octaves(rng, height, width)
    tint = np.stack([_octaves(rng, height, width, finest=_FINEST_TINT) for _ in range(colours)], axis=-1)
    picture = light[..., None] + 0.45 * tint + _gradient(rng, height, width)[..., None] * rng.normal(0, 1.2, colours)
    picture = picture + rng.normal(0, 0.5, colours)
    for _ in range(int(rng.integers(*_SHAPES))):
        _paint_shape(rng, picture)
    picture += 0.06 * rng.standard_normal((height, width, 1))  # grain
    levels = _full_range(picture, exposure=rng.uniform(0.6, 1.6))
    if channels == 4:
        levels = np.concatenate([levels, _full_range(_octaves(rng, height, width)[..., None], 1.0)], axis=-1)
    return levels


def _octaves(rng: np.random.Generator, height: int, width: int, finest: int | None = None) -> Array:
    """Smooth noise [height, width] of about unit size: bilinear random grids, each finer and weaker."""
    limit = min(finest or max(height, width), max(height, width))
    total: Array = np.zeros((height, width))
    cells, amplitude = _COARSEST, 1.0
    while True:
        rows = max(1, round(cells * height / max(height, width)))
        columns = max(1, round(cells * width / max(height, width)))
        grid = rng.standard_normal((rows + 1, columns + 1))
        total += amplitude * (_hats(height, rows) @ grid @ _hats(width, columns).T)
        if cells * 2 > limit:
            return total
        cells, amplitude = cells * 2, amplitude * _FALLOFF


def _hats(pixels: int, cells: int) -> Array:
    """Weights [pixels, cells + 1] of linear interpolation from grid points to pixel centres."""
    position = (np.arange(pixels) + 0.5) * cells / pixels
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(cells + 1)[None, :])))


def _gradient(rng: np.random.Generator, height: int, width: int) -> Array:
    """A slope [height, width] from about -1 to 1 in a random direction."""
    down, right = rng.uniform(-1, 1, 2)
    slope = down * np.linspace(-1, 1, height)[:, None] + right * np.linspace(-1, 1, width)[None, :]
    return np.asarray(slope)


def _paint_shape(rng: np.random.Generator, picture: Array) -> None:
    """Lay an ellipse, a box or a striped box of some colour over the picture, with a hard edge."""
    height, width, colours = picture.shape
    centre = rng.uniform(0, 1, 2)
    reach = rng.uniform(0.06, 0.35, 2)
    rows = ((np.arange(height) + 0.5) / height - centre[0])[:, None] / reach[0]
    columns = ((np.arange(width) + 0.5) / width - centre[1])[None, :] / reach[1]
    kind = rng.integers(3)
    inside = rows**2 + columns**2 < 1 if kind == 0 else np.maximum(np.abs(rows), np.abs(columns)) < 1
    if kind == 2:
        inside &= np.floor((rows + columns) * rng.uniform(2, 6)).astype(int) % 2 == 0
    opacity = rng.uniform(0.5, 1.0)
    colour = rng.normal(0, 1.6, colours)
    picture[inside] = (1 - opacity) * picture[inside] + opacity * colour


def _full_range(picture: Array, exposure: float) -> Array:
    """Stretched to the levels 0 to 255; an exposure above 1 darkens the middle, one below brightens it."""
    low, high = picture.min(), picture.max()
    share = (picture - low) / max(high - low, 1e-12)
    return np.asarray(np.rint(255 * share**exposure), np.uint8)
