from __future__ import annotations

from types import SimpleNamespace

import pytest

from bench.errors import BenchError, UnavailableError
from bench.runtimes.openvino_properties import as_text, chosen_device, properties, told_in_one_line
from bench.runtimes.table import check_options
from small_onnx import SETTINGS

LATENCY = {"hint": "latency", "pinning": "off"}


@pytest.mark.parametrize("device", ["NPU", "cpu", "CPU.0", "GPU.1"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device: str) -> None:
    with pytest.raises(UnavailableError, match=rf"there is no device {device}; the devices here are: CPU, GPU\.0"):
        chosen_device("openvino", {"device": device}, ["CPU", "GPU.0"])


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", "HETERO:GPU,CPU", "MULTI:CPU", "BATCH:CPU(4)"])
def test_a_device_that_picks_by_itself_is_refused(device: str) -> None:
    with pytest.raises(UnavailableError, match="picks a device by itself, silently; name one of: CPU"):
        chosen_device("openvino", {"device": device}, ["CPU"])


def test_the_cpu_is_the_default_and_a_family_stands_for_its_devices() -> None:
    assert chosen_device("openvino", {}, ["CPU", "GPU.0", "GPU.1"]) == "CPU"
    assert chosen_device("openvino", {"device": "GPU"}, ["CPU", "GPU.0", "GPU.1"]) == "GPU"
    assert chosen_device("openvino", {"device": "GPU.1"}, ["CPU", "GPU.0", "GPU.1"]) == "GPU.1"


def test_threads_are_set_on_a_cpu_alone_and_streams_for_latency_alone() -> None:
    cpu, gpu = (properties(device, LATENCY, SETTINGS) for device in ("CPU", "GPU.0"))
    assert cpu["INFERENCE_NUM_THREADS"] == "2"
    assert "INFERENCE_NUM_THREADS" not in gpu
    assert (cpu["NUM_STREAMS"], gpu["NUM_STREAMS"]) == ("1", "1")
    assert "NUM_STREAMS" not in properties("CPU", LATENCY | {"hint": "throughput"}, SETTINGS)


def test_threads_are_pinned_where_asked_for_alone() -> None:
    assert properties("CPU", LATENCY, SETTINGS)["ENABLE_CPU_PINNING"] == "NO"
    assert properties("CPU", LATENCY | {"pinning": "on"}, SETTINGS)["ENABLE_CPU_PINNING"] == "YES"


def test_values_are_written_as_in_a_configuration() -> None:
    assert as_text(True) == "YES"
    assert as_text(SimpleNamespace(get_type_name=lambda: "bf16")) == "bf16"
    assert as_text("SchedulingCoreType.ANY_CORE") == "ANY_CORE"
    assert as_text(4) == "4"


def test_its_exceptions_lose_the_places_in_its_source() -> None:
    text = (
        "Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'false' failed at src/report.cpp:151:\n"
        "FrontEnd API failed with OpConversionFailure:\nModel wasn't fully converted.\nSummary:\n"
        "-- No conversion rule found for operations: my.ops.Frobnicate, Det-18\n\n\n"
    )
    assert told_in_one_line(RuntimeError(text)) == "No conversion rule found for operations: my.ops.Frobnicate, Det"
    assert told_in_one_line(RuntimeError("Exception from src/a.cpp:1:")) == "Exception from src/a.cpp:1:"
    assert told_in_one_line(RuntimeError()) == "RuntimeError"


def test_a_device_is_free_text_and_other_keys_are_not() -> None:
    check_options("openvino", {"device": "GPU.1", "hint": "throughput", "cache": "on", "precision": "int8"})
    with pytest.raises(BenchError, match="unknown option 'devise'; it knows: device"):
        check_options("openvino", {"devise": "CPU"})
