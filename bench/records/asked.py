"""What people ask for, parsed."""

from __future__ import annotations

from bench.records.base import ModelKind, Record


class ModelSpec(Record, frozen=True):
    """A model as asked for: ``NAME[:key=value,...][#LABEL]``, already parsed."""

    text: str  # as typed
    kind: ModelKind
    name: str  # zoo name, application name, or the file's base name; never a folder
    display: str  # canonical text for tables and reports: no folder of this machine in it
    path: str | None = None  # file or folder, for the kinds that have one
    function: str | None = None  # builder's function name, kind "builder" only
    options: dict[str, str] = {}
    label: str | None = None


class RuntimeSpec(Record, frozen=True):
    """A runtime as asked for: ``NAME[@VERSION][:key=value,...][#LABEL]``, its name canonical."""

    text: str
    name: str  # a key of the runtimes' table, for example "onnxruntime-cpu"
    display: str  # canonical text, unique within a run
    version: str | None = None
    options: dict[str, str] = {}
    label: str | None = None


class Tolerance(Record, frozen=True):
    """What a user allows instead of our own rule: elementwise ``|y - truth| <= atol + rtol * |truth|``.

    Keys are output names; the key ``""`` is every output that is not named.
    """

    rtol: dict[str, float] = {}
    atol: dict[str, float] = {}


class PrepareSettings(Record, frozen=True):
    """Everything besides the model that decides what prepare makes."""

    seed: int = 0
    opset: int = 18
    pool_size: int = 8  # distinct inputs
    input_shapes: dict[str, tuple[int, ...]] = {}  # whole shapes, batch included, by input name
    input_ranges: dict[str, tuple[float, float]] = {}  # lo, hi by input name; "" is every other input
    load_inputs: str | None = None  # .npz, .npy, folder of images, or folder of ONNX .pb files
    onnx_file: str | None = None  # a user's own ONNX file to judge against the Keras model or SavedModel
    onnx_names: dict[str, str] = {}  # name in that file -> name in the model, inputs and outputs
    litert_file: str | None = None  # a user's own .tflite file to judge against the model
    litert_names: dict[str, str] = {}  # as onnx_names
    custom_objects: tuple[str, ...] = ()  # "module:Class"
    unsafe: bool = False  # allow Lambda layers and the like
    signature: str | None = None  # of a SavedModel


class MeasureSettings(Record, frozen=True):
    """How a group is measured; see the contract for the meaning of each."""

    repetitions: int = 5
    min_rounds: int = 10
    min_calls: int | None = None  # -r: timed calls per case over all repetitions
    min_seconds: float | None = None  # -t: timed seconds per case over all repetitions
    tail_calls: int = 0  # calls of the one uninterrupted block per repetition, 0 for none
    time_limit_s: float = 300.0  # bound on any one reply of a worker
    seed: int = 0  # of the order in which workers start and take turns
    soak_s: float = 0.0  # --soak: seconds of calls after the rounds in which memory is watched, 0 for none
    min_placement: float = 0.95  # least share of kernel time on the provider asked for; below it a row is partial
    require_placement: bool = False  # a row below it fails


class Suite(Record, frozen=True):
    """One run as asked for: every model meets every runtime at every batch size."""

    models: tuple[ModelSpec, ...]
    runtimes: tuple[RuntimeSpec, ...]
    batch_sizes: dict[str, tuple[int, ...]]  # by ModelSpec.display
    threads: int
    prepare: PrepareSettings
    measure: MeasureSettings
    tolerance: Tolerance = Tolerance()
    streams: tuple[int, ...] = (1,)  # concurrent callers of one session
    plugins: dict[str, str] = {}  # runtime name -> file of its plugin library, in place of the package's
    defaulted_runtimes: bool = False  # nobody asked for these runtimes: an .onnx then runs on ONNX Runtime alone
    is_grid: bool = False  # models are points of a sweep: measured pass by pass, one that can't be built is a row
