"""The fixture ``runtime_benchmark``, from the installed entry point: pytest is run as its users run it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from bench.report.pytest_benchmark_file import read_pytest_benchmark

pytest_plugins = ["pytester"]

QUICK = ("--benchmark-max-time=0.001", "--benchmark-min-rounds=3", "--benchmark-json=out.json")
WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) - 5
ONE_TEST = "def test_latency(runtime_benchmark):\n    runtime_benchmark()\n"
PLANTED = """
    import bench.pytest_fixture as fixture

    opening = fixture.open_case

    def open_planted(*arguments):
        opened = opening(*arguments)
        call, calls = opened.session.call, []

        def wrong(feed):
            calls.append(1)
            return [output * 1.1 if len(calls) > {sound} else output for output in call(feed)]

        opened.session.call = wrong
        return opened

    fixture.open_case = open_planted
"""


def write_net(path: Path, weights: Any = WEIGHTS) -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with ``net.onnx`` in it."""
    write_net(pytester.path / "net.onnx")
    return pytester


def run(project: pytest.Pytester, source: str, *options: str, conftest: str = "") -> pytest.RunResult:
    project.makepyfile(test_net=textwrap.dedent(source))
    project.makeconftest(textwrap.dedent(conftest))
    return project.runpytest_subprocess(*options)


def benchmarks_of(project: pytest.Pytester) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((project.path / "out.json").read_text())["benchmarks"]
    return found


def marked(arguments: str, body: str = "runtime_benchmark()") -> str:
    return f"""
        import pytest

        @pytest.mark.bench_model({arguments})
        def test_latency(runtime_benchmark):
            {body}
    """


# --- what is timed


@pytest.mark.slow
def test_a_test_of_one_line_is_verified_timed_and_says_what_it_timed(project: pytest.Pytester) -> None:
    result = run(project, ONE_TEST, "--bench-models=net.onnx", *QUICK)
    result.assert_outcomes(passed=1)
    (one,) = benchmarks_of(project)
    assert one["name"] == "test_latency[net.onnx-onnxruntime-cpu]"
    assert one["group"] == "net.onnx | batch 1 | threads 1"
    assert one["params"] == {"bench_model": "net.onnx", "bench_runtime": "onnxruntime-cpu", "bench_batch": 1}
    info = one["extra_info"]
    assert {
        name: info[name] for name in ("agreement", "provider", "node_share", "call_path", "threads", "batch_size")
    } == {
        "agreement": "agrees",
        "provider": "CPUExecutionProvider",
        "node_share": 1.0,
        "call_path": "InferenceSession.run",
        "threads": 1,
        "batch_size": 1,
    }
    assert info["relative_error"] <= info["tolerance"] == 5e-5
    assert [len(info[name]) for name in ("model_digest", "artifact_digest", "input_digest")] == [64, 64, 64]
    assert info["runtime_version"] == __import__("onnxruntime").__version__
    assert info["bench_version"] == __import__("bench").__version__
    assert str(project.path) not in json.dumps(benchmarks_of(project))


@pytest.mark.slow
def test_what_was_timed_comes_back_as_a_row(project: pytest.Pytester) -> None:
    run(project, ONE_TEST, "--bench-models=net.onnx", *QUICK).assert_outcomes(passed=1)
    (one,) = benchmarks_of(project)
    (row,) = read_pytest_benchmark(project.path / "out.json").rows
    assert row.case_id == "net.onnx | onnxruntime-cpu | batch 1 | threads 1"
    assert row.calls == one["stats"]["rounds"] * one["stats"]["iterations"] >= 3
    assert row.latency_ns_mean == round(one["stats"]["mean"] * 1e9, 3)
    assert row.reproduce == "bench run net.onnx -e onnxruntime-cpu -b 1 -x 1"


@pytest.mark.slow
def test_disabled_benchmarks_verify_and_call_once_and_time_nothing(project: pytest.Pytester) -> None:
    body = """before = runtime_benchmark.row
            call, calls = runtime_benchmark.session.call, []
            runtime_benchmark.session.call = lambda feed: calls.append(1) or call(feed)
            row = runtime_benchmark()
            assert (row.agreement, row.latency_ns_mean, row.calls, len(calls)) == ("agrees", None, 0, 1)
            assert row == before"""
    run(project, marked("'net.onnx'", body), "--benchmark-disable").assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_test_may_ask_for_rounds_and_gets_a_row(project: pytest.Pytester) -> None:
    body = """row = runtime_benchmark(rounds=4, iterations=5)
            assert (row.calls, row.latency_ns_min) == (20, None)
            assert row.latency_ns_mean > 0"""
    run(project, marked("'net.onnx'", body), *QUICK).assert_outcomes(passed=1)
    assert [one["stats"]["rounds"] for one in benchmarks_of(project)] == [4]


@pytest.mark.slow
def test_every_runtime_and_batch_is_a_test_of_its_own_with_a_readable_name(project: pytest.Pytester) -> None:
    options = ("--bench-models=net.onnx", "--bench-runtimes=cpu,cpu:arena=off", "--bench-batch=1,8")
    result = run(project, ONE_TEST, *options, "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [
        "test_net.py::test_latency[net.onnx-onnxruntime-cpu]",
        "test_net.py::test_latency[net.onnx-onnxruntime-cpu-batch8]",
        "test_net.py::test_latency[net.onnx-onnxruntime-cpu:arena=off]",
        "test_net.py::test_latency[net.onnx-onnxruntime-cpu:arena=off-batch8]",
    ]
    run(project, ONE_TEST, *options, "--benchmark-disable").assert_outcomes(passed=4)


@pytest.mark.slow
def test_a_session_is_closed_after_its_test(project: pytest.Pytester) -> None:
    source = """
        import pytest
        kept = []

        @pytest.mark.bench_model("net.onnx", runtime="cpu")
        def test_first(runtime_benchmark):
            kept.append((runtime_benchmark.session, runtime_benchmark.feeds[0]))
            assert runtime_benchmark.session.call(kept[0][1])[0].shape == (1, 3)

        def test_second():
            session, feed = kept[0]
            with pytest.raises(RuntimeError, match="closed"):
                session.call(feed)
    """
    run(project, source, "--benchmark-disable").assert_outcomes(passed=2)


# --- what is not


@pytest.mark.slow
def test_wrong_outputs_fail_the_test_before_anything_is_timed(project: pytest.Pytester) -> None:
    result = run(project, ONE_TEST, "--bench-models=net.onnx", *QUICK, conftest=PLANTED.format(sound=0))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*net.onnx | onnxruntime-cpu*: disagrees: *"])
    result.stdout.no_fnmatch_line("*Benchmark fixture was not used*")
    assert not (project.path / "out.json").exists() or benchmarks_of(project) == []


@pytest.mark.slow
def test_outputs_that_go_wrong_while_they_are_timed_fail_the_test(project: pytest.Pytester) -> None:
    result = run(project, ONE_TEST, "--bench-models=net.onnx", *QUICK, conftest=PLANTED.format(sound=10))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*disagrees: *"])
    assert not (project.path / "out.json").exists() or benchmarks_of(project) == []


@pytest.mark.slow
def test_the_same_plant_that_never_strikes_passes(project: pytest.Pytester) -> None:
    conftest = PLANTED.format(sound=10**9)
    run(project, ONE_TEST, "--bench-models=net.onnx", *QUICK, conftest=conftest).assert_outcomes(passed=1)


@pytest.mark.slow
def test_outputs_that_tell_nothing_fail_with_the_reason(project: pytest.Pytester) -> None:
    write_net(project.path / "still.onnx", np.zeros((4, 3), np.float32))
    result = run(project, ONE_TEST, "--bench-models=still.onnx", "--benchmark-disable")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: vacuous: *"])


@pytest.mark.slow
def test_a_runtime_that_is_not_there_is_skipped_with_its_reason_or_fails_where_it_is_required(
    project: pytest.Pytester,
) -> None:
    options = ("--bench-models=net.onnx", "--bench-runtimes=cuda", "--benchmark-disable")
    result = run(project, ONE_TEST, *options, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*SKIPPED*CUDAExecutionProvider*pip install onnxruntime-gpu*"])
    result = run(project, ONE_TEST, *options, "--bench-require")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*CUDAExecutionProvider*(--bench-require)*"])


@pytest.mark.slow
def test_a_version_that_is_not_this_process_s_is_skipped(project: pytest.Pytester) -> None:
    result = run(project, marked("'net.onnx', runtime='cpu@1.2.3'"), "--benchmark-disable", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*1.2.3 asked for, this process has*"])


def test_a_test_without_a_model_is_skipped_and_says_how_to_name_one(project: pytest.Pytester) -> None:
    result = run(project, ONE_TEST, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no model: name one with --bench-models*"])


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--bench-models=gone.onnx", "*--bench-models: model 'gone.onnx': there is no file*"),
        ("--bench-runtimes=cpuu", "*--bench-runtimes: unknown runtime 'cpuu'*"),
        ("--bench-batch=0", "*--bench-batch: -b 0: expected whole numbers*"),
        ("--bench-threads=0", "*--bench-threads 0: expected a number of at least 1*"),
    ],
)
def test_a_mistake_in_an_option_ends_pytest_at_once_with_one_line(
    project: pytest.Pytester, option: str, line: str
) -> None:
    result = run(project, ONE_TEST, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([line])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_a_mistake_in_a_mark_is_an_error_of_its_file_alone(project: pytest.Pytester) -> None:
    result = run(project, marked("'net.onnx', threds=2"))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bench_model(threds=...): expected one of runtime, batch, threads*"])


def test_without_pytest_benchmark_the_fixture_says_so(project: pytest.Pytester) -> None:
    result = run(project, ONE_TEST, "--bench-models=net.onnx", "-p", "no:benchmark")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*runtime_benchmark times with pytest-benchmark's fixture, which is not loaded*"])


# --- other people's tests


def test_loading_the_plugin_imports_nothing_and_changes_no_test(project: pytest.Pytester) -> None:
    source = """
        import sys

        def test_other(request):
            loaded = {name.split(".")[0] for name in sys.modules}
            assert request.config.pluginmanager.hasplugin("onnx-crossbench")
            assert not loaded & {"numpy", "pandas", "msgspec", "onnxruntime", "tensorflow", "scipy"}
            assert {name for name in sys.modules if name.split(".")[0] == "bench"} == {"bench", "bench.pytest_plugin"}
    """
    run(project, source).assert_outcomes(passed=1)


def test_the_mark_and_the_options_are_in_pytest_s_own_help(project: pytest.Pytester) -> None:
    run(project, ONE_TEST, "--markers").stdout.fnmatch_lines(["@pytest.mark.bench_model(*"])
    run(project, ONE_TEST, "--help").stdout.fnmatch_lines(["*--bench-models=MODELS*", "*--bench-require*"])


@pytest.mark.slow
def test_benchmark_skip_and_only_see_the_fixture(project: pytest.Pytester) -> None:
    source = ONE_TEST + "\ndef test_other():\n    pass\n"
    run(project, source, "--bench-models=net.onnx", "--benchmark-skip").assert_outcomes(passed=1, skipped=1)
    result = run(project, source, "--bench-models=net.onnx", "--benchmark-only", *QUICK)
    result.assert_outcomes(passed=1, skipped=1)


# --- Keras models, in TensorFlow too


@pytest.mark.slow
def test_a_keras_model_on_tensorflow_with_one_thread_count_and_a_wrong_file_of_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        net="""
        import keras

        def build():
            return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, name="y")])
        """
    )
    source = """
        import pytest

        @pytest.mark.bench_model("net.py")
        def test_both(runtime_benchmark):
            assert runtime_benchmark().truth == "float64"

        @pytest.mark.bench_model("net.py", runtime="tensorflow", threads=2)
        def test_more_threads(runtime_benchmark):
            runtime_benchmark()

        @pytest.mark.bench_model("net.py", runtime="cpu", onnx="net.onnx")
        def test_wrong_file(runtime_benchmark):
            runtime_benchmark()
    """
    result = run(project, source, *QUICK, "-v")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_both?net.py:build-tensorflow? PASSED*",
            "*test_both?net.py:build-onnxruntime-cpu? PASSED*",
            "*test_more_threads* FAILED*",
            "*test_wrong_file* FAILED*",
            "*setting 2 threads: TensorFlow has already run in this process with 1; open it in a fresh process*",
            "*: disagrees: *",
        ]
    )
    assert [one["param"] for one in benchmarks_of(project)] == [
        "net.py:build-tensorflow",
        "net.py:build-onnxruntime-cpu",
    ]
