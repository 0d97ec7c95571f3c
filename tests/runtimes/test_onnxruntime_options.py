from __future__ import annotations

from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

from bench.errors import UnavailableError, UnsupportedError, UsageError
from bench.records import SessionSettings, Tensor
from bench.runtimes import onnxruntime_options
from bench.runtimes.onnxruntime_options import effective_options, fixed_dimensions, make_session_options
from bench.runtimes.options import ONNXRUNTIME_OPTIONS, with_defaults


class ExecutionMode(Enum):
    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class FakeOptions:
    """A SessionOptions of ONNX Runtime that keeps what it is told."""

    def __init__(self) -> None:
        self.intra_op_num_threads = 0
        self.inter_op_num_threads = 0
        self.execution_mode = ExecutionMode.ORT_PARALLEL
        self.enable_cpu_mem_arena = True
        self.enable_mem_pattern = True
        self.graph_optimization_level: Any = None
        self.config: dict[str, str] = {}
        self.overrides: dict[str, int] = {}

    def add_session_config_entry(self, key: str, value: str) -> None:
        self.config[key] = value

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        self.overrides[name] = size


LEVELS = SimpleNamespace(ORT_DISABLE_ALL=0, ORT_ENABLE_BASIC=1, ORT_ENABLE_EXTENDED=2, ORT_ENABLE_ALL=99)
FAKE_ORT = SimpleNamespace(
    SessionOptions=FakeOptions, ExecutionMode=ExecutionMode, GraphOptimizationLevel=LEVELS, __version__="1.18.1"
)


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime_options, "_decided", {})


def _make(threads: int = 2, fixed: dict[str, int] | None = None, **given: str) -> FakeOptions:
    chosen = with_defaults(ONNXRUNTIME_OPTIONS, given)
    made: FakeOptions = make_session_options(FAKE_ORT, chosen, threads, fixed or {})
    return made


def _inputs(**shapes: tuple[int, ...]) -> SessionSettings:
    tensors = tuple(Tensor(name=name, shape=shape, dtype="float32") for name, shape in shapes.items())
    return SessionSettings(threads=1, batch_size=1, inputs=tensors, outputs=())


def test_nothing_that_changes_the_number_is_left_to_a_default() -> None:
    options = _make(threads=3)
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
    assert options.execution_mode is ExecutionMode.ORT_SEQUENTIAL
    assert options.graph_optimization_level == LEVELS.ORT_ENABLE_ALL
    assert options.config == {
        "session.intra_op.allow_spinning": "1",
        "session.inter_op.allow_spinning": "1",
        "session.set_denormal_as_zero": "0",
        "session.x64quantprecision": "0",
        "session.record_ep_graph_assignment_info": "1",
    }


def test_each_option_reaches_its_setting() -> None:
    options = _make(
        optimization="off", arena="off", memory_pattern="off", spinning="off", denormal="zero", quantprecision="exact"
    )
    assert options.graph_optimization_level == LEVELS.ORT_DISABLE_ALL
    assert not options.enable_cpu_mem_arena
    assert not options.enable_mem_pattern
    assert options.config["session.intra_op.allow_spinning"] == "0"
    assert options.config["session.set_denormal_as_zero"] == "1"
    assert options.config["session.x64quantprecision"] == "1"


def test_what_is_recorded_is_read_back() -> None:
    options = _make(threads=2, arena="off")
    options.intra_op_num_threads = 7  # as if ONNX Runtime had its own mind
    recorded = effective_options(options, with_defaults(ONNXRUNTIME_OPTIONS, {"arena": "off"}), {"N": 8, "H": 32})
    assert recorded["intra_op_threads"] == "7"
    assert recorded["arena"] == "off"
    assert recorded["optimization"] == "all"
    assert recorded["execution"] == "sequential"
    assert recorded["fixed_dimensions"] == "H=32,N=8"


def test_a_level_that_this_version_lacks_is_not_available() -> None:
    with pytest.raises(UnavailableError, match=r"onnxruntime 1\.18\.1 has no optimization=layout"):
        _make(optimization="layout")


def test_denormals_are_settled_once_a_process() -> None:
    _make(denormal="zero")
    _make(denormal="zero")
    with pytest.raises(UsageError, match="fresh process"):
        _make(denormal="keep")


def test_named_dimensions_take_the_sizes_of_the_case() -> None:
    found: dict[str, tuple[int | str | None, ...]] = {"x": ("N", 224, "W", None), "y": ("N",)}
    assert fixed_dimensions(found, _inputs(x=(8, 224, 64, 3), y=(8,))) == {"N": 8, "W": 64}
    assert make_session_options(FAKE_ORT, with_defaults(ONNXRUNTIME_OPTIONS, {}), 1, {"N": 8}).overrides == {"N": 8}


def test_two_sizes_for_one_name_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="dimension 'N' would be 4 here and is 8"):
        fixed_dimensions({"x": ("N",), "y": ("N",)}, _inputs(x=(8,), y=(4,)))


def test_a_batch_that_the_file_fixes_is_not_overridden() -> None:
    with pytest.raises(UnsupportedError, match=r"\[8, 3\] was asked for, the file fixes 1 in place of 8"):
        fixed_dimensions({"x": (1, 3)}, _inputs(x=(8, 3)))


def test_another_number_of_dimensions_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="the file has 2 dimensions"):
        fixed_dimensions({"x": ("N", 3)}, _inputs(x=(8, 3, 1)))
