"""Seeded weights with which a network's outputs depend on its inputs. Runs in a child process.

A freshly initialised MobileNet answers 1/1000 for every image: any comparison passes. Here one float64 pass over a pool
of inputs sets the layers one by one, each from what really arrives there, in inference mode:

- batch norm: random gamma and beta, moving statistics those of the activations, variance at least ``LEAST_VARIANCE``;
- other kernels: He-scaled, then scaled to outputs of unit size; biases give each channel a mean of its own;
- the last kernel and bias: logits with a standard deviation of ``LOGIT_DEVIATION``, a part of it over inputs.

Every value is rounded to ``MANTISSA_BITS``, so that the last bits of a sum, which differ between machines and thread
counts, do not reach the weights. Scales of kernels are powers of two for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from bench.prepare.child.twin import float64_twin
from bench.prepare.child.watching import LayerCall, watched_calls

RECIPE_VERSION = 1  # part of a model's digest: raise it with any change of a weight
MANTISSA_BITS = 10
LEAST_VARIANCE = 1e-3
LOGIT_DEVIATION = 2.7
LOGIT_DEVIATION_OVER_INPUTS = 1.2  # the rest is a different bias for each class

Array = np.ndarray[Any, np.dtype[Any]]

_GAMMA_SPREAD = 0.4  # of its logarithm: some channels are large enough for the cap of a ReLU6 to matter
_SHIFT = 1.0  # mean of biases and betas: ReLUs mostly open, or rounding errors and unusual inputs grow layer by layer
_SHIFT_SPREAD = 0.25  # where activations have unit size
_FACTOR_BITS = 5
_LEAST_DEVIATION = 1e-3  # of a layer's outputs: what hardly varies is not blown up
_KERNEL_LAYERS = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)


def calibrated_weights(model: keras.Model, pool: Array | Sequence[Array], seed: int) -> list[Array]:
    """Weights for ``model.set_weights``, float64 values rounded to ``MANTISSA_BITS``; ``model`` is not touched.

    ``pool`` holds the inputs, [items, ...] each. Raises UnsupportedError where no float64 twin can be made.
    """
    twin = float64_twin(model)
    calibration = _Calibration(twin, seed)
    with watched_calls(calibration.watch):
        twin(pool, training=False)
    calibration.scale_logits()
    return [np.asarray(value) for value in twin.get_weights()]


def rounded(values: Array, bits: int = MANTISSA_BITS) -> Array:
    """Values with ``bits`` stored mantissa bits, round half to even; zero and signs are kept."""
    mantissa, exponent = np.frexp(values)  # mantissa in [0.5, 1): its first bit is not stored
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits + 1)), exponent - (bits + 1)))


class _Calibration:
    """One pass over a twin whose weights are drawn; remembers the layer that gives the logits."""

    def __init__(self, twin: keras.Model, seed: int) -> None:
        self._waiting: set[int] = set()  # layers that are set when their first input arrives
        self._last: tuple[Any, Array] | None = None  # kernel layer without a batch norm behind it, its outputs
        for place, layer in enumerate(twin._flatten_layers(include_self=False)):
            _draw(layer, np.random.default_rng([RECIPE_VERSION, seed, place]))
            if isinstance(layer, (*_KERNEL_LAYERS, keras.layers.BatchNormalization)):
                self._waiting.add(id(layer))

    def watch(self, call: LayerCall, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The layer's outputs; at its first call with the weights set from what arrives."""
        if id(layer) not in self._waiting or not (args and hasattr(args[0], "numpy")):  # a trace has no numbers
            return call(layer, *args, **kwargs)
        self._waiting.remove(id(layer))
        if isinstance(layer, keras.layers.BatchNormalization):
            self._last = None
            _set_statistics(layer, np.asarray(args[0]))
            return call(layer, *args, **kwargs)
        outputs = _set_kernel(call, layer, args, kwargs)
        self._last = (layer, np.asarray(outputs))
        return layer.activation(outputs)

    def scale_logits(self) -> None:
        """Give the last layer's outputs their size, unless a batch norm behind it was calibrated for the old one."""
        if self._last is None or not np.std(self._last[1]) > 0:
            return
        layer, outputs = self._last
        kernel = _last_kernel(layer)
        if layer.bias is None:
            factor = rounded(np.asarray(LOGIT_DEVIATION / np.std(outputs)), _FACTOR_BITS)
            kernel.assign(rounded(np.asarray(kernel) * factor))
            return
        mean = _channel_means(outputs, _bias_shape(layer, outputs.ndim))
        factor = rounded(np.asarray(LOGIT_DEVIATION_OVER_INPUTS / np.std(outputs - mean)), _FACTOR_BITS)
        offset = np.sqrt(LOGIT_DEVIATION**2 - LOGIT_DEVIATION_OVER_INPUTS**2) / _SHIFT_SPREAD
        kernel.assign(rounded(np.asarray(kernel) * factor))
        bias, drawn = np.asarray(layer.bias), mean.reshape(layer.bias.shape)
        layer.bias.assign(rounded(factor * (bias - drawn) + offset * (drawn - _SHIFT)))


def _draw(layer: Any, rng: np.random.Generator) -> None:
    """Random values for the layer's own trainable variables, by what their names say they are."""
    for variable in layer._trainable_variables:
        noise = rng.standard_normal(variable.shape)
        name, shape = variable.name, variable.shape
        if "gamma" in name or "scale" in name:
            values = np.exp(_GAMMA_SPREAD * noise)
        elif "embeddings" in name:
            values = noise
        elif "bias" in name or "beta" in name or len(shape) < 2:
            values = _SHIFT + _SHIFT_SPREAD * noise
        else:
            depthwise = "depthwise" in f"{type(layer).__name__} {name}".lower()
            values = noise * np.sqrt(2.0 / max(1, int(np.prod(shape[:-2] if depthwise else shape[:-1]))))  # He et al.
        variable.assign(rounded(values))


def _set_statistics(layer: Any, inputs: Array) -> None:
    """Moving mean and variance of a batch norm: those of its inputs, by channel."""
    axes = tuple(axis for axis in range(inputs.ndim) if axis != layer.axis % inputs.ndim)
    layer.moving_mean.assign(rounded(inputs.mean(axes)))
    layer.moving_variance.assign(rounded(np.maximum(inputs.var(axes), LEAST_VARIANCE)))


def _set_kernel(call: LayerCall, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Outputs before the activation: of about unit size, about channel means that are the biases drawn."""
    drawn = None if layer.bias is None else np.asarray(layer.bias)
    if drawn is not None:
        layer.bias.assign(np.zeros_like(drawn))
    outputs = _without_activation(call, layer, args, kwargs)
    raw, shape = np.asarray(outputs), _bias_shape(layer, outputs.ndim)
    means: Any = 0.0 if drawn is None else _channel_means(raw, shape)
    scale = _power_of_two(1.0 / max(float(np.std(raw - means)), _LEAST_DEVIATION))
    kernel = _last_kernel(layer)
    kernel.assign(np.asarray(kernel) * scale)
    outputs = outputs * scale  # exactly what the scaled kernel gives: the scale is a power of two
    if drawn is None:
        return outputs
    bias = rounded(drawn - (means * scale).reshape(drawn.shape))
    layer.bias.assign(bias)
    return outputs + bias.reshape(shape)


def _without_activation(call: LayerCall, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    activation = layer.activation
    object.__setattr__(layer, "activation", keras.activations.linear)  # Keras would track a layer as activation
    try:
        return call(layer, *args, **kwargs)
    finally:
        object.__setattr__(layer, "activation", activation)


def _last_kernel(layer: Any) -> Any:
    return getattr(layer, "pointwise_kernel", None) if _is_separable(layer) else layer.kernel


def _is_separable(layer: Any) -> bool:
    return isinstance(layer, keras.layers.SeparableConv1D | keras.layers.SeparableConv2D)


def _bias_shape(layer: Any, rank: int) -> tuple[int, ...]:
    """The bias's shape as it is added to outputs of this rank; of no use without a bias."""
    if layer.bias is None:
        return ()
    if getattr(layer, "data_format", None) == "channels_first":
        return (1, layer.bias.shape[0], *(1,) * (rank - 2))
    return (*(1,) * (rank - len(layer.bias.shape)), *layer.bias.shape)


def _channel_means(outputs: Array, shape: tuple[int, ...]) -> Array:
    """Means over all axes along which a bias of this shape is the same; those axes have length 1."""
    return np.asarray(outputs.mean(tuple(axis for axis, size in enumerate(shape) if size == 1), keepdims=True))


def _power_of_two(value: float) -> float:
    """The nearest power of two by ratio."""
    return float(2.0 ** round(float(np.log2(value))))
