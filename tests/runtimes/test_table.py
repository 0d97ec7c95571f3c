from __future__ import annotations

import subprocess
import sys

import pytest

from bench.errors import UsageError
from bench.records import Artifact, SessionSettings
from bench.runtimes.loading import import_runtime, open_session
from bench.runtimes.table import RUNTIMES, canonical_name, check_options

ONNX = Artifact(kind="onnx", path="nowhere.onnx", digest="", size_bytes=1, inputs=(), outputs=())
SETTINGS = SessionSettings(threads=1, batch_size=1, inputs=(), outputs=())


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("tf", "tensorflow"),
        ("tensorflow", "tensorflow"),
        ("cpu", "onnxruntime-cpu"),
        ("onnxruntime-cpu", "onnxruntime-cpu"),
        ("cuda", "onnxruntime-cuda"),
        ("tensorrt", "onnxruntime-tensorrt"),
        ("nvtensorrtrtx", "onnxruntime-nvtensorrtrtx"),
        ("ort-openvino", "onnxruntime-openvino"),
        ("webgpu", "onnxruntime-webgpu"),
        ("xnnpack", "onnxruntime-xnnpack"),
        ("dnnl", "onnxruntime-dnnl"),
        ("coreml", "onnxruntime-coreml"),
        ("directml", "onnxruntime-directml"),
        ("migraphx", "onnxruntime-migraphx"),
        ("rocm", "onnxruntime-rocm"),
        ("qnn", "onnxruntime-qnn"),
        ("cann", "onnxruntime-cann"),
    ],
)
def test_a_short_name_means_one_runtime(short: str, name: str) -> None:
    assert canonical_name(short) == name


def test_no_two_runtimes_share_a_name() -> None:
    names = [name for key, entry in RUNTIMES.items() for name in (key, *entry.short_names)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["azure", "onnxruntime-azure", "ort-azure", "AzureExecutionProvider"])
def test_azure_is_left_out_with_its_reason_and_the_way_on(name: str) -> None:
    assert not any("azure" in (entry.provider or "").lower() for entry in RUNTIMES.values())
    with pytest.raises(UsageError, match=f"^runtime '{name}' is left out on purpose: .*; ask for onnxruntime-cpu$"):
        canonical_name(name)


def test_what_is_not_known_at_all_is_not_said_to_be_left_out() -> None:
    with pytest.raises(UsageError, match=r"^unknown runtime 'azur'; the runtimes are: "):
        canonical_name("azur")


def test_plain_openvino_is_openvino_itself_and_not_the_provider() -> None:
    assert RUNTIMES[canonical_name("openvino")].provider is None
    assert RUNTIMES[canonical_name("ort-openvino")].provider == "OpenVINOExecutionProvider"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("tensorflw", "tensorflow"), ("CUDA", "cuda"), ("onnxruntime-gpu", "onnxruntime-cpu"), ("Cpu", "cpu")],
)
def test_a_wrong_name_lists_the_right_ones_the_closest_in_front(wrong: str, meant: str) -> None:
    with pytest.raises(UsageError, match="the runtimes are: ") as raised:
        canonical_name(wrong)
    listed = str(raised.value).partition("are: ")[2].split(", ")
    assert meant in listed[:3]
    assert len(listed) == 7
    assert listed[-1] == "...: `bench runtimes` lists all"


@pytest.mark.parametrize("wrong", ["", "[]", "CUDAExecutionProvider", "cpuexecutionprovider", " cpu", "cpu,cuda"])
def test_what_is_not_quite_a_name_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        canonical_name(wrong)


def test_known_options_pass() -> None:
    check_options("onnxruntime-cpu", {"optimization": "basic", "arena": "off", "spinning": "off", "denormal": "zero"})
    check_options("cuda", {"device_id": "1", "use_tf32": "0", "optimization": "extended"})
    check_options("tensorflow", {"onednn": "off"})


def test_all_mistakes_in_options_are_told_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        check_options("onnxruntime-cpu", {"optimisation": "all", "arena": "maybe", "spinning": "on"})
    first, second = str(raised.value).splitlines()
    assert first.startswith("runtime onnxruntime-cpu: unknown option 'optimisation'; it knows: optimization, ")
    assert second == "runtime onnxruntime-cpu: arena='maybe' is not a value of it; allowed: on, off"


@pytest.mark.parametrize(
    ("runtime", "key"),
    [("cpu", "device_id"), ("tensorflow", "arena"), ("cuda", "device_type"), ("xnnpack", "use_tf32")],
)
def test_an_option_of_another_runtime_is_refused(runtime: str, key: str) -> None:
    with pytest.raises(UsageError, match=f"unknown option '{key}'"):
        check_options(runtime, {key: "0"})


@pytest.mark.parametrize("name", ["onnxruntime-openvino", "onnxruntime-xnnpack"])
def test_a_providers_own_thread_pool_gets_the_budget_and_no_option(name: str) -> None:
    key = RUNTIMES[name].threads_key
    assert key
    with pytest.raises(UsageError, match="unknown option"):
        check_options(name, {key: "8"})


def test_an_option_of_a_provider_needs_a_value() -> None:
    with pytest.raises(UsageError, match="device_id=VALUE"):
        check_options("cuda", {"device_id": ""})


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_runtime_says_how_to_get_it_without_naming_a_host(name: str) -> None:
    install = RUNTIMES[name].install
    assert any(words in install for words in ("pip install", "build ONNX Runtime", "bench env build"))
    assert "://" not in install
    assert ".com" not in install


def test_an_onnx_file_does_not_go_to_tensorflow() -> None:
    with pytest.raises(UsageError, match="tensorflow loads saved_model artifacts, this one is onnx"):
        open_session("tf", ONNX, SETTINGS)


def test_options_are_checked_before_a_runtime_is_imported() -> None:
    with pytest.raises(UsageError, match="unknown option 'nonsense'"):
        import_runtime("tensorflow", {"nonsense": "1"})


def test_the_table_imports_no_runtime_and_no_numpy() -> None:
    code = (
        "import sys, bench.runtimes.table, bench.runtimes.probing;"
        "print([m for m in ('numpy', 'tensorflow', 'onnxruntime') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
