"""A user's own inputs: ``.npz``, ``.npy``, a folder of images, or ONNX test data (``test_data_set_N/input_K.pb``).

Every mistake is one UsageError that names what the model expects and what the file has. Nothing is pickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.prepare.layout import ImageLayout, Range, image_layout, item_shape, numpy_dtype, place_image, value_range
from bench.prepare.tensor_proto import parse_tensor
from bench.records import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

_IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def load_pool(
    path: str | Path, tensors: Sequence[Tensor], ranges: Mapping[str, Range] | None = None
) -> dict[str, Array]:
    """Input name -> array [items, *item_shape], checked against the model's inputs.

    Images are resized to the input's height and width (bilinear) and scaled to its range in ``ranges``; everything
    else is taken as it is. Raises UsageError.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"--load-inputs {path.name}: no such file or folder")
    if path.is_dir():
        return _from_folder(path, tensors, ranges or {})
    suffix = path.suffix.lower()
    if suffix not in {".npz", ".npy", ".pb"}:
        raise UsageError(
            f"--load-inputs {path.name}: expected .npz, .npy, .pb, or a folder of images or ONNX test data"
        )
    if suffix == ".pb":
        return _checked(path.name, _from_protos([path], tensors), tensors)
    return _checked(path.name, _from_numpy(path, tensors), tensors)


def takes_ranges(path: str | Path | None) -> bool:
    """Whether inputs are made or scaled by a range: without a path, or of images; other data is taken as it is."""
    return path is None or (Path(path).is_dir() and not data_sets(Path(path)))


def _from_numpy(path: Path, tensors: Sequence[Tensor]) -> dict[str, Array]:
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            named = dict(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else {"arr_0": loaded}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"--load-inputs {path.name}: no numpy file with plain numbers ({error})") from None
    if len(tensors) == 1 and list(named) == ["arr_0"]:  # saved without a name
        return {tensors[0].name: named["arr_0"]}
    return named


def _from_folder(path: Path, tensors: Sequence[Tensor], ranges: Mapping[str, Range]) -> dict[str, Array]:
    sets = data_sets(path)
    if sets:
        loaded = [read_protos(folder, "input", tensors) for folder in sets]
        return _checked(path.name, _joined(loaded, path.name), tensors)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _IMAGES)
    if not files:
        raise UsageError(f"--load-inputs {path.name}: the folder has no images and no test_data_set_N/input_K.pb")
    return _from_images(path.name, files, tensors, ranges)


def data_sets(path: Path) -> list[Path]:
    """The folders of ONNX test data in a folder, in order; itself where it is one, none where it has none."""
    sets = sorted(path.glob("test_data_set_*"), key=lambda folder: _number(folder.name))
    return sets or ([path] if any(path.glob("input_*.pb")) else [])


def read_protos(folder: Path, what: str, tensors: Sequence[Tensor]) -> dict[str, Array]:
    """The ``input_K.pb`` (or output) of one set of test data, by name."""
    files = sorted(folder.glob(f"{what}_*.pb"), key=lambda file: _number(file.stem))
    if not files:
        raise UsageError(f"--load-inputs {folder.name}: no {what}_K.pb in it")
    return _from_protos(files, tensors)


def _from_protos(files: Sequence[Path], tensors: Sequence[Tensor]) -> dict[str, Array]:
    """By the name stored in the file; files without names go by their number."""
    found: dict[str, Array] = {}
    for place, file in enumerate(files):
        try:
            name, array = parse_tensor(file.read_bytes())
        except (ValueError, OSError) as error:
            raise UsageError(f"--load-inputs {file.parent.name}/{file.name}: no ONNX tensor, {error}") from None
        if not name and place < len(tensors):
            name = tensors[place].name
        found[name or file.stem] = array
    return found


def _joined(sets: Sequence[dict[str, Array]], where: str) -> dict[str, Array]:
    try:
        return {name: np.concatenate([one[name] for one in sets]) for name in sets[0]}
    except (KeyError, ValueError) as error:
        raise UsageError(f"--load-inputs {where}: the test data sets do not fit together ({error})") from None


def _from_images(
    where: str, files: Sequence[Path], tensors: Sequence[Tensor], ranges: Mapping[str, Range]
) -> dict[str, Array]:
    layout = image_layout(item_shape(tensors[0])) if len(tensors) == 1 else None
    if layout is None:
        seen = ", ".join(_expected(tensor) for tensor in tensors)
        raise UsageError(f"--load-inputs {where}: a folder of images needs a model with one image input, not {seen}")
    bounds, dtype = value_range(tensors[0], ranges), numpy_dtype(tensors[0])
    return {tensors[0].name: np.stack([place_image(_levels(file, layout), layout, bounds, dtype) for file in files])}


def _levels(file: Path, layout: ImageLayout) -> Array:
    """Levels uint8 [height, width, channels] of an image file, turned upright."""
    from PIL import Image, ImageOps  # only for folders of images

    try:
        with Image.open(file) as opened:
            upright = ImageOps.exif_transpose(opened).convert(_MODES[layout.channels])
            resized = upright.resize((layout.width, layout.height), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"--load-inputs {file.parent.name}/{file.name}: no readable image ({error})") from None
    return np.asarray(resized, np.uint8).reshape(layout.height, layout.width, layout.channels)


def _checked(where: str, found: dict[str, Array], tensors: Sequence[Tensor]) -> dict[str, Array]:
    """The arrays in the model's order of inputs. Raises one UsageError with all that does not fit."""
    problems = []
    if set(found) != {tensor.name for tensor in tensors}:
        problems.append(f"expected inputs {[tensor.name for tensor in tensors]}, seen {sorted(found)}")
    pool = {}
    for tensor in tensors:
        if tensor.name not in found:
            continue
        array = found[tensor.name]
        if array.shape == item_shape(tensor):  # one item without its batch axis
            array = array[None]
        if array.shape[1:] != item_shape(tensor) or array.dtype != numpy_dtype(tensor) or array.shape[0] < 1:
            problems.append(
                f"expected {_expected(tensor)}, seen {array.dtype} {list(array.shape)}" + _cast(array, tensor)
            )
        elif n_bad := _nonfinite(array):
            problems.append(f"input {tensor.name!r} holds {n_bad} NaN or infinite values; remove them")
        pool[tensor.name] = np.ascontiguousarray(array)
    if len({array.shape[:1] for array in pool.values()}) > 1:
        problems.append(f"items differ: { {name: len(array) for name, array in pool.items()} }")
    if problems:
        raise UsageError(f"--load-inputs {where}: " + "; ".join(problems))
    return pool


def _cast(array: Array, tensor: Tensor) -> str:
    """How to turn numbers of another type into the input's, where that is all that is wrong."""
    dtype = numpy_dtype(tensor)
    if array.shape[1:] != item_shape(tensor) or array.dtype == dtype or array.dtype.kind not in "biufc":
        return ""
    return f'; convert it with .astype("{tensor.dtype}")'


def _nonfinite(array: Array) -> int:
    """How many values are NaN or infinite; bfloat16 is no float to numpy, but widens to one."""
    if array.dtype.kind in "biu":
        return 0
    values = array if array.dtype.kind in "fc" else array.astype(np.float32)
    return int(np.count_nonzero(~np.isfinite(values)))


def _expected(tensor: Tensor) -> str:
    return f"{tensor.name!r} {tensor.dtype} [items, {', '.join(str(axis) for axis in item_shape(tensor))}]"


def _number(name: str) -> int:
    tail = name.rpartition("_")[2]
    return int(tail) if tail.isdigit() else 0
