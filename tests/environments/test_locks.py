from __future__ import annotations

import pytest

from bench.environments.locks import moved_pins, normalised, pin_line, pins_of, title_of
from bench.errors import BenchError

HASH = f"--hash=sha256:{'0f' * 32}"
LOCK = f"numpy==2.4.6 \\\n    {HASH} \\\n    {HASH}\nOnnxRuntime==1.30.0 \\\n    {HASH}\n"


def test_a_lock_is_its_pins_by_normalised_name() -> None:
    assert pins_of(LOCK) == {"numpy": "2.4.6", "onnxruntime": "1.30.0"}


def test_a_requirement_of_another_system_is_not_installed_here() -> None:
    elsewhere = f"pywin32==1.0 ; sys_platform == 'nowhere' \\\n    {HASH}\n"
    here = f"a_b==1.0 ; python_version >= '3' \\\n    {HASH}\n"
    assert pins_of(LOCK + elsewhere + here) == {"a-b": "1.0", "numpy": "2.4.6", "onnxruntime": "1.30.0"}


@pytest.mark.parametrize(
    "line",
    [
        "numpy==2.4.6",
        "numpy==2.4.6 \\\n    --hash=md5:00",
        f"numpy>=2.4.6 \\\n    {HASH}",
        f"--index-url https://elsewhere.invalid/simple {HASH}",
        f"--extra-index-url=https://elsewhere.invalid {HASH}",
        f"-e . {HASH}",
        f"numpy @ file:///numpy.whl {HASH}",
        f"./numpy.whl {HASH}",
        f"numpy==2.4.6 --index-url=https://elsewhere.invalid {HASH}",
        f"numpy==2.4.6 {HASH} --index-url=https://elsewhere.invalid",
        "-r other.txt",
    ],
)
def test_whatever_is_no_pin_with_hashes_is_refused(line: str) -> None:
    with pytest.raises(BenchError, match="expected name==version with hashes"):
        pins_of(f"{LOCK}{line}\n")


def test_an_empty_lock_is_refused() -> None:
    with pytest.raises(BenchError, match="no requirement"):
        pins_of("\n\n")


def test_a_condition_that_is_none_is_refused() -> None:
    with pytest.raises(BenchError, match="no condition"):
        pins_of(f"numpy==2.4.6 ; nonsense \\\n    {HASH}\n")


def test_a_pin_is_written_with_its_normalised_name() -> None:
    assert pin_line("Ai_Edge.Litert", "1.0+cpu") == "ai-edge-litert==1.0+cpu"
    assert normalised("A__b") == "a-b"


@pytest.mark.parametrize(("name", "version"), [("numpy", "new"), ("numpy", "1.0\n-e ."), ("a b", "1.0"), ("-e .", "1")])
def test_what_is_no_name_or_version_is_no_line(name: str, version: str) -> None:
    with pytest.raises(BenchError, match="pinning"):
        pin_line(name, version)


def test_a_title_names_the_runtimes_else_how_many_there_are() -> None:
    assert title_of({"numpy": "2", "onnxruntime-gpu": "1.30.0"}) == "onnxruntime-gpu 1.30.0"
    assert title_of({"numpy": "2", "psutil": "7"}) == "2 packages"


def test_moved_pins_are_those_that_both_have_otherwise() -> None:
    assert moved_pins({"a": "2", "b": "1", "c": "1"}, {"a": "1", "b": "1", "d": "1"}) == {"a": ("1", "2")}
