"""Options and marks of a test -> its cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.errors import UsageError
from bench.pytest_cases import Given, Mark, ask_for, check_given, readable_id, split_models
from bench.runtimes.tiny import write_tiny_onnx

NET = "mobilenet_v1:alpha=0.25,resolution=128"


def ids(*marks: Mark, **given: Any) -> list[str]:
    return [readable_id(case) for case in ask_for(marks, Given(**given))]


def mark(*models: str, **keywords: Any) -> Mark:
    return models, keywords


def test_a_comma_list_of_models_keeps_each_one_s_options() -> None:
    assert split_models([f"article_cnn,{NET}", "dir/a=b.onnx,./c=d.onnx"]) == [
        "article_cnn",
        NET,
        "dir/a=b.onnx",
        "./c=d.onnx",
    ]
    assert split_models(["mobilenet_v1,alpha=0.5,resolution=96"]) == ["mobilenet_v1:alpha=0.5,resolution=96"]


def test_a_test_without_a_mark_takes_the_models_of_the_options_on_both_default_runtimes() -> None:
    assert ids(models=(f"article_cnn,{NET}",)) == [
        "article_cnn-tensorflow",
        "article_cnn-onnxruntime-cpu",
        f"{NET}-tensorflow",
        f"{NET}-onnxruntime-cpu",
    ]


def test_a_mark_s_models_are_the_test_s_own() -> None:
    assert ids(mark(NET), models=("article_cnn",), runtimes=("cpu",)) == [f"{NET}-onnxruntime-cpu"]


def test_a_mark_s_keywords_win_over_options_and_those_of_an_inner_mark_over_an_outer_one() -> None:
    inner, outer = mark(runtime="tf"), mark("article_cnn", runtime="cpu", batch=8)
    assert ids(inner, outer, batch="2", runtimes=("cpu",)) == ["article_cnn-tensorflow-batch8"]
    assert ids(mark(batch=(1, 4)), models=("article_cnn",), runtimes=("cpu",)) == [
        "article_cnn-onnxruntime-cpu",
        "article_cnn-onnxruntime-cpu-batch4",
    ]


def test_nothing_asked_for_is_no_case() -> None:
    assert ids() == []
    assert ids(mark(runtime="cpu")) == []


def test_an_onnx_file_meets_onnx_runtime_alone_unless_tensorflow_is_named(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    Path(write_tiny_onnx(tmp_path).path).rename(file)
    assert ids(mark(str(file))) == ["net.onnx-onnxruntime-cpu"]
    assert ids(mark(str(file), runtime="tf,cpu")) == ["net.onnx-tensorflow", "net.onnx-onnxruntime-cpu"]


def test_one_thread_is_the_default_and_every_flag_reaches_the_suite() -> None:
    (case,) = ask_for([mark("article_cnn", runtime="cpu")], Given())
    assert case.suite.threads == 1
    keywords = {"threads": 2, "seed": 3, "rtol": "1e-2", "atol": ("y:1e-3", "0.5"), "input_range": "0,255", "opset": 17}
    (case,) = ask_for([mark("article_cnn", runtime="cpu", **keywords)], Given(threads=4))
    assert (case.suite.threads, case.suite.prepare.seed, case.suite.prepare.opset) == (2, 3, 17)
    assert case.suite.tolerance.rtol == {"": 0.01}
    assert case.suite.tolerance.atol == {"y": 0.001, "": 0.5}
    assert case.suite.prepare.input_ranges == {"": (0.0, 255.0)}


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([mark("article_cnn", quick=True)], r"bench_model\(quick=...\): pytest-benchmark times here"),
        ([mark("article_cnn", thread=1)], r"bench_model\(thread=...\): expected one of runtime, batch"),
        ([((3,), {})], r"bench_model\(3\): a model is a text"),
        ([mark("article_cn")], "model 'article_cn' is not known"),
        ([mark("article_cnn", threads=0)], "-x 0: expected a number of at least 1"),
        ([mark("article_cnn"), mark("article_cnn")], "article_cnn on tensorflow is asked for twice"),
    ],
)
def test_what_cannot_be_meant_is_one_line(marks: list[Mark], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ask_for(marks, Given())


def test_every_mistake_among_the_options_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        check_given(Given(models=("gone.onnx,article_cn",), runtimes=("cpuu",), batch="x", threads=0))
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        "--bench-models",
        "--bench-models",
        "--bench-runtimes",
        "--bench-batch",
        "--bench-threads 0",
    ]
    check_given(Given(models=(NET,), runtimes=("cpu,all",), batch="1,8", threads=2))
