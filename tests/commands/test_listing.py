from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.commands.cache import clear_cache, list_cache
from bench.commands.export import export_model
from bench.commands.models import facts_text, list_models
from bench.commands.report import FORMATS, print_report
from bench.commands.runtimes import list_runtimes
from bench.commands.tables import draw_table
from bench.environments.pinned import pinned_environment
from bench.errors import EXIT_CASE_FAILED, EXIT_OK, UsageError
from bench.flags import Flags
from bench.measure import lock
from bench.prepare import prepare
from bench.prepare.zoo import zoo_names
from bench.progress import Silent
from bench.records import Artifact, ModelFacts, ModelSpec, PrepareSettings, Probe, Tensor
from bench.report import store
from bench.runtimes import probing
from command_fakes import Heard
from fakes import artifact
from report_fakes import ADA, environment, group_repetition, reference, row
from uv_fakes import WORKER_PINS, install_fake_uv

IMAGE = Tensor(name="image", shape=(None, 224, 224, 3), dtype="float32")
FACTS = ModelFacts(model="net", inputs=(IMAGE,), parameters=4_231_976, multiply_adds=568_740_352)


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    assert draw_table(("a", "bb"), [("xyz", "1")], numeric=(1,)) == "a    bb\nxyz   1"


# --- models


def test_a_model_is_a_line() -> None:
    assert facts_text([FACTS]).splitlines()[1].split() == [
        "net",
        "image",
        "224x224x3",
        "float32",
        "4,231,976",
        "569",
        "M",
    ]


def test_unknown_is_a_dash_and_a_free_dimension_a_question_mark() -> None:
    tokens = Tensor(name="tokens", shape=(None, None), dtype="int32")
    lines = facts_text([ModelFacts(model="net", inputs=(tokens,)), ModelFacts(model="bad", reason="no such layer")])
    assert [line.split() for line in lines.splitlines()[1:]] == [
        ["net", "tokens", "?", "int32", "-", "-"],
        ["bad", "-", "-", "-"],
        ["bad:", "no", "such", "layer"],
    ]


def test_without_a_name_the_zoo_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ModelSpec] = []

    def describe(specs: tuple[ModelSpec, ...], _settings: PrepareSettings) -> list[ModelFacts]:
        asked.extend(specs)
        return [FACTS]

    monkeypatch.setattr(prepare, "describe_models", describe)
    heard = Heard()
    assert list_models([], as_json=True, console=heard.console) == EXIT_OK
    assert tuple(spec.name for spec in asked) == zoo_names()
    assert json.loads(heard.text)[0]["multiply_adds"] == 568_740_352


def test_a_model_that_cannot_be_built_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "describe_models", lambda *_: [FACTS, ModelFacts(model="bad", reason="no layer")])
    assert list_models(["article_cnn"], as_json=False, console=Heard().console) == EXIT_CASE_FAILED


# --- runtimes

PROBES = [
    Probe(name="tensorflow", state="usable", detail="tensorflow 2.21.0, CPU", version="2.21.0"),
    Probe(name="onnxruntime-cuda", state="not installed", detail="no CUDA", install="pip install onnxruntime-gpu"),
    Probe(name="onnxruntime-webgpu", state="no device", detail="no adapter", install="pip install it"),
]


def test_each_runtime_shows_its_state_and_the_line_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "probe_all", lambda *_: PROBES)
    heard = Heard()
    assert list_runtimes(as_json=False, console=heard.console) == EXIT_OK
    _, first, second, third = (" ".join(line.split()) for line in heard.text.splitlines())
    assert first == "tensorflow tf usable 2.21.0 ours tensorflow 2.21.0, CPU -"
    assert second == "onnxruntime-cuda cuda not installed - - no CUDA pip install onnxruntime-gpu"
    assert third == "onnxruntime-webgpu webgpu no device - - no adapter pip install it"


def test_devices_and_the_environment_of_a_runtime_are_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(PROBES[0], name="openvino", devices=("CPU", "GPU.0"), environment="0123456789abcdef")
    monkeypatch.setattr(probing, "probe_all", lambda *_: [found])
    heard = Heard()
    list_runtimes(as_json=False, console=heard.console)
    assert " ".join(heard.text.splitlines()[1].split()) == "openvino ov usable 2.21.0 0123456789ab CPU, GPU.0 -"


def test_two_wheels_that_overwrite_each_other_are_told_by_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(PROBES[0], evidence={"caution": "a 1, b 2 overwrite each other here"})
    monkeypatch.setattr(probing, "probe_all", lambda *_: [found, PROBES[1]])
    heard = Heard()
    list_runtimes(as_json=False, console=heard.console)
    assert heard.err == ["tensorflow: a 1, b 2 overwrite each other here"]


def test_why_shows_what_the_state_of_one_runtime_is_read_from(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []
    found = replace(PROBES[1], requirements=("a==1",), evidence={"took": "1 s", "end of its probe": "one\ntwo"})

    def probe(name: str, version: str | None) -> Probe:
        asked.append((name, version))
        return found

    monkeypatch.setattr(probing, "probe_one", probe)
    heard = Heard()
    assert list_runtimes(as_json=False, why="cuda", console=heard.console) == EXIT_OK
    assert asked == [("onnxruntime-cuda", None)]
    assert heard.text.splitlines() == [
        "onnxruntime-cuda",
        "  state: not installed: no CUDA",
        "  what makes it usable: pip install onnxruntime-gpu",
        "  requirements: a==1",
        "  devices: -",
        "  took: 1 s",
        "  end of its probe: one",
        "    two",
    ]


@pytest.mark.parametrize("why", ["cuda@1.30.0", "onnxruntime-cuda@1.30.0:device_id=1#mine"])
def test_why_takes_a_runtime_as_it_is_written_after_e(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    asked: list[tuple[str, str | None]] = []

    def probe(name: str, version: str | None) -> Probe:
        asked.append((name, version))
        return PROBES[1]

    monkeypatch.setattr(probing, "probe_one", probe)
    heard = Heard()
    assert list_runtimes(as_json=False, why=why, console=heard.console) == EXIT_OK
    assert asked == [("onnxruntime-cuda", "1.30.0")]
    assert heard.text.splitlines()[0] == "onnxruntime-cuda@1.30.0"


@pytest.mark.parametrize("why", ["cuda@new", "cude", "cuda:nonsense=1", "azure"])
def test_why_refuses_what_e_refuses(why: str) -> None:
    with pytest.raises(UsageError):
        list_runtimes(as_json=False, why=why, console=Heard().console)


def test_runtimes_as_json_are_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "probe_all", lambda *_: PROBES)
    heard = Heard()
    list_runtimes(as_json=True, console=heard.console)
    assert [probe["state"] for probe in json.loads(heard.text)] == ["usable", "not installed", "no device"]


# --- report


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    store.save_report(tmp_path / "r", environment(), [reference(), row()], [group_repetition()], private=ADA)
    return tmp_path / "r"


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_stored_report_is_printed_in_every_format(format_name: str, stored: Path) -> None:
    heard = Heard()
    assert print_report(stored, format_name, console=heard.console) == EXIT_OK
    assert "onnxruntime-cpu" in heard.text
    if format_name == "json":
        assert [one["runtime"] for one in json.loads(heard.text)["rows"]] == ["tensorflow", "onnxruntime-cpu"]


def test_another_format_lists_the_right_ones(stored: Path) -> None:
    with pytest.raises(UsageError, match="text, md, csv, json"):
        print_report(stored, "xlsx", console=Heard().console)


def test_a_folder_that_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=tmp_path.name):
        print_report(tmp_path, "text", console=Heard().console)


# --- cache


def test_an_empty_cache_is_listed_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    heard = Heard()
    assert list_cache(console=heard.console) == EXIT_OK
    assert clear_cache(console=heard.console) == EXIT_OK
    assert heard.out == [f"0 in {tmp_path}, 0 B", f"freed 0 B in {tmp_path}"]


def test_clearing_says_how_much_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    entry = tmp_path / "models" / "abc"
    entry.mkdir(parents=True)
    (entry / "model.onnx").write_bytes(bytes(2048))
    heard = Heard()
    clear_cache(console=heard.console)
    assert heard.text == f"freed 2 KiB in {tmp_path}"
    assert not entry.exists()


def test_environments_are_listed_and_cleared_beside_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = install_fake_uv(tmp_path, monkeypatch)
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    fake.knows("onnxruntime", "1.30.0")
    made = pinned_environment(["onnxruntime==1.30.0"], like=WORKER_PINS, on_stage=lambda _: None)
    heard = Heard()
    list_cache(console=heard.console)
    assert f"{made.key[:12]}  environment with onnxruntime 1.30.0" in heard.text
    assert f"1 in {tmp_path / 'cache'}, " in heard.text
    clear_cache(console=heard.console)
    assert heard.out[-1].startswith("freed ")
    assert not Path(made.prefix).exists()
    list_cache(console=heard.console)
    assert heard.out[-1] == f"0 in {tmp_path / 'cache'}, 0 B"


def test_clearing_waits_for_a_run_that_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    held = threading.Event()
    heard = Heard()

    def measure() -> None:
        with lock.machine_lock(lambda _: None):
            held.set()
            while not heard.err:
                time.sleep(0.01)
            heard.out.append("measured")

    run = threading.Thread(target=measure)
    run.start()
    held.wait()
    clear_cache(console=heard.console)
    run.join()
    assert "waiting for it to end" in heard.err[0]
    assert [text.split()[0] for text in heard.out] == ["measured", "freed"]


# --- export


def test_an_export_says_what_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[ModelSpec, PrepareSettings, Path]] = []

    def export(spec: ModelSpec, settings: PrepareSettings, output: Path, **_: object) -> Artifact:
        asked.append((spec, settings, output))
        return artifact(opset=17)

    monkeypatch.setattr(prepare, "export_onnx", export)
    heard, out = Heard(), tmp_path / "net.onnx"
    flags = Flags(model=("article_cnn",), opset=17)
    assert export_model(flags, out, console=heard.console, progress=Silent()) == EXIT_OK
    assert (asked[0][0].name, asked[0][1].opset, asked[0][2]) == ("article_cnn", 17, out)
    assert heard.out == [f"{out}: 1000 B, opset 17, sha256 d", "inputs x; outputs y"]


def test_an_export_into_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"model\.onnx"):
        export_model(Flags(model=("article_cnn",)), tmp_path, console=Heard().console, progress=Silent())
