from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.flags import Flags, parse_batches, parse_flags, parse_names, parse_ranges, parse_shapes, parse_tolerances
from bench.gate_asking import BudgetTable, GateTable
from bench.records import MeasureSettings, PrepareSettings, Suite, Tolerance
from bench.specs import DEFAULT_RUNTIMES, parse_runtimes
from bench.suite import TAIL_CALLS, Asked, BudgetAsked, GateAsked, build_suite, check_tolerance_names, merge
from bench.suite_file import SuiteTable, read_gate_table, read_suite_file

ROOT = Path(__file__).parent.parent

EMPTY_ONNX = b"\x3a\x00"  # a graph with nothing in it
EMPTY_LITERT = b"\x1c\x00\x00\x00TFL3"  # what a .tflite file begins with


def suite_of(asked: Asked, cpus: int = 2) -> Suite:
    return build_suite(asked, cpus=cpus, default_runtimes=parse_runtimes(DEFAULT_RUNTIMES))


def from_file(path: Path, text: str) -> Asked:
    file = path / "bench.toml"
    file.write_text(text)
    return read_suite_file(file)


def mistakes_of(path: Path, text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        from_file(path, text)
    return [line.removeprefix(f"{path}/") for line in str(caught.value).splitlines()]


# --- defaults and flags


def test_a_model_alone_gets_every_default() -> None:
    suite = suite_of(parse_flags(Flags(model=("mobilenet_v1",))))
    assert [runtime.display for runtime in suite.runtimes] == ["tensorflow", "onnxruntime-cpu"]
    assert suite.defaulted_runtimes
    assert suite.batch_sizes == {"mobilenet_v1": (1,)}
    assert suite.threads == 2
    assert suite.prepare == PrepareSettings()
    assert suite.measure == MeasureSettings()
    assert suite.tolerance == Tolerance()


def test_runtimes_that_are_named_are_not_defaulted() -> None:
    assert not suite_of(parse_flags(Flags(model=("mobilenet_v1",), runtime=("tf,cpu",)))).defaulted_runtimes


@pytest.mark.parametrize(("flags", "repetitions"), [(Flags(), 5), (Flags(quick=True), 3), (Flags(thorough=True), 8)])
def test_the_effort_decides_the_repetitions(flags: Flags, repetitions: int) -> None:
    assert suite_of(parse_flags(flags)).measure.repetitions == repetitions


def test_every_flag_arrives_in_the_suite(tmp_path: Path) -> None:
    (tmp_path / "in.npz").touch()
    (tmp_path / "own.onnx").write_bytes(EMPTY_ONNX)
    (tmp_path / "own.tflite").write_bytes(EMPTY_LITERT)
    flags = Flags(
        model=("mobilenet_v1#a",),
        runtime=("cpu:arena=off", "litert"),
        batch="8,1,8",
        threads=1,
        seed=3,
        calls=100,
        seconds=2.5,
        tail=True,
        time_limit=20,
        opset=17,
        input_shapes=("image:[1,3,32,32]",),
        input_range=("0,255", "mask:-1,1"),
        load_inputs=f"{tmp_path}/in.npz",
        onnx=f"{tmp_path}/own.onnx",
        onnx_names=("Identity:0=probabilities",),
        litert=f"{tmp_path}/own.tflite",
        litert_names=("b:0=logits",),
        custom_objects=("package.layers:Own",),
        unsafe=True,
        rtol=("1e-3", "logits:1e-2"),
        atol=("0",),
    )
    suite = suite_of(parse_flags(flags))
    assert suite.batch_sizes == {"mobilenet_v1#a": (8, 1)}
    assert suite.threads == 1
    assert suite.measure == MeasureSettings(
        min_calls=100, min_seconds=2.5, tail_calls=TAIL_CALLS, time_limit_s=20, seed=3
    )
    assert suite.prepare == PrepareSettings(
        seed=3,
        opset=17,
        input_shapes={"image": (1, 3, 32, 32)},
        input_ranges={"": (0, 255), "mask": (-1, 1)},
        load_inputs=f"{tmp_path}/in.npz",
        onnx_file=f"{tmp_path}/own.onnx",
        onnx_names={"Identity:0": "probabilities"},
        litert_file=f"{tmp_path}/own.tflite",
        litert_names={"b:0": "logits"},
        custom_objects=("package.layers:Own",),
        unsafe=True,
    )
    assert suite.tolerance == Tolerance(rtol={"": 1e-3, "logits": 1e-2}, atol={"": 0.0})


def test_every_mistake_in_flags_is_reported_at_once() -> None:
    flags = Flags(
        model=("nope", "mobilenet_v1:alpha"),
        runtime=("nonsense",),
        batch="0",
        threads=0,
        seed=-1,
        seconds=float("nan"),
        quick=True,
        thorough=True,
        input_shapes=("x",),
        input_range=("1,0",),
        rtol=("-1",),
        onnx_names=("x",),
        custom_objects=("Class",),
    )
    with pytest.raises(UsageError) as caught:
        parse_flags(flags)
    starts = [line.split()[0] + " " + line.split()[1] for line in str(caught.value).splitlines()]
    assert starts == [
        "model 'nope'",
        "'mobilenet_v1:alpha': expected",
        "-x 0:",
        "-S -1:",
        "-t nan:",
        "--quick and",
        "unknown runtime",
        "-b 0:",
        "--input-shapes x:",
        "--input-range 1,0:",
        "--onnx-names x:",
        "--custom-objects Class:",
        "--rtol -1:",
    ]


def test_the_same_model_twice_needs_a_label() -> None:
    with pytest.raises(UsageError, match="mobilenet_v1#LABEL"):
        suite_of(parse_flags(Flags(model=("mobilenet_v1", "mobilenet_v1"))))
    assert len(suite_of(parse_flags(Flags(model=("mobilenet_v1", "mobilenet_v1#again")))).models) == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("own.onnx", b"", "the file is empty"),
        ("own.onnx", b"<html></html>", "an HTML page"),
        ("net.py", b"", "expected an .onnx file, seen builder"),
        ("", b"", "expected an .onnx file, seen a folder"),
    ],
)
def test_what_is_given_as_an_onnx_file_must_be_one(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    if name:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=f"^--onnx {path}: .*{says}"):
        suite_of(parse_flags(Flags(model=("mobilenet_v1",), onnx=str(path))))


@pytest.mark.parametrize("opset", [6, 19])
def test_an_operator_set_that_cannot_be_written_is_refused(opset: int) -> None:
    assert parse_flags(Flags(opset=7)).opset == 7
    with pytest.raises(UsageError, match=f"^--opset {opset}: expected 7 to 18"):
        parse_flags(Flags(opset=opset))


def test_an_own_onnx_file_needs_one_keras_model(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(EMPTY_ONNX)
    with pytest.raises(UsageError, match="against one Keras model or SavedModel"):
        suite_of(parse_flags(Flags(model=("mobilenet_v1", "mobilenet_v2"), onnx=f"{tmp_path}/own.onnx")))


def test_an_own_onnx_file_is_judged_against_a_saved_model_too(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(EMPTY_ONNX)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01\x12\x04\x0a\x02\x0a\x00")
    suite = suite_of(parse_flags(Flags(model=(f"{tmp_path}/saved",), onnx=f"{tmp_path}/own.onnx")))
    assert suite.prepare.onnx_file == f"{tmp_path}/own.onnx"
    with pytest.raises(UsageError, match="against one Keras model or SavedModel"):
        suite_of(parse_flags(Flags(model=(f"{tmp_path}/own.onnx",), onnx=f"{tmp_path}/own.onnx")))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"litert": None}, "--litert-names says what the names in --litert FILE mean; there is no --litert"),
        ({"runtime": ("tf,cpu",)}, "LiteRT is none of the runtimes; add -e tensorflow,litert"),
        ({"runtime": ()}, "LiteRT is none of the runtimes"),
        ({"model": ("mobilenet_v1", "mobilenet_v2")}, "name that model, and only that one"),
        ({"litert": "gone.tflite"}, "--litert gone.tflite: there is no such file or folder"),
        ({"litert": "own.onnx"}, "expected a .tflite file, seen another kind of file"),
        ({"litert": "."}, "expected a .tflite file, seen a folder"),
    ],
)
def test_what_is_wrong_about_an_own_litert_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.onnx").write_bytes(EMPTY_ONNX)
    Path("own.tflite").write_bytes(EMPTY_LITERT)
    right = {"model": ("mobilenet_v1",), "runtime": ("litert",), "litert": "own.tflite", "litert_names": ("a=b",)}
    assert suite_of(parse_flags(Flags(**right))).prepare.litert_names == {"a": "b"}  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=re.escape(says)):
        suite_of(parse_flags(Flags(**(right | changes))))


def test_contradictions_are_reported_at_once() -> None:
    flags = Flags(model=("mobilenet_v1",), load_inputs="gone.npz", onnx_names=("a=b",), signature="serve")
    with pytest.raises(UsageError) as caught:
        suite_of(parse_flags(flags))
    assert [line.split(":")[0].split()[0] for line in str(caught.value).splitlines()] == [
        "--load-inputs",
        "--onnx-names",
        "--signature",
    ]


@given(st.lists(st.integers(1, 10**6), min_size=1))
def test_batches_come_back_as_typed(sizes: list[int]) -> None:
    assert parse_batches(",".join(map(str, sizes))) == tuple(sizes)


@pytest.mark.parametrize("text", ["", "1,", "1.5", "-1", "1 8", "²", "1,x"])
def test_a_batch_is_a_whole_number(text: str) -> None:
    with pytest.raises(UsageError, match="-b"):
        parse_batches(text)


def test_a_name_may_hold_a_colon() -> None:
    assert parse_shapes(["input:0:[1, 3]"]) == {"input:0": (1, 3)}
    assert parse_shapes(["scalar:[]"]) == {"scalar": ()}
    assert parse_ranges(["input:0:0,1"]) == {"input:0": (0, 1)}
    assert parse_tolerances("--rtol", ["out:0:1e-3"]) == {"out:0": 1e-3}
    assert parse_names("--onnx-names", ["a=b=c"]) == {"a=b": "c"}
    assert parse_names("--onnx-names", ["a,b=c"]) == {"a,b": "c"}


def test_several_names_in_one_flag_are_told_to_be_several_flags() -> None:
    with pytest.raises(UsageError, match="repeat the flag: --onnx-names p=q --onnx-names q=p"):
        parse_names("--onnx-names", ["p=q, q=p"])


@pytest.mark.parametrize("text", ["x:[1,0]", "x:[1,-1]", "[1,3]", "x:1,3", "x:[1,,3]", "x:[1.5]"])
def test_a_broken_shape_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--input-shapes"):
        parse_shapes([text])


@pytest.mark.parametrize("text", ["1", "1,1", "2,1", "nan,1", "0,inf", "0,1,2", "a,b"])
def test_a_broken_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--input-range"):
        parse_ranges([text])


# --- bench.toml


def test_our_own_suite_is_what_make_bench_promises() -> None:
    suite = suite_of(read_suite_file(ROOT / "bench.toml"))
    assert suite.batch_sizes == {
        "article_cnn": (1,),
        "mobilenet_v1": (1, 8),
        "mobilenet_v1:alpha=0.5,resolution=160": (1,),
        "mobilenet_v2": (1,),
    }
    assert [runtime.name for runtime in suite.runtimes] == ["tensorflow", "onnxruntime-cpu"]
    assert suite.measure.repetitions == 5


def test_every_key_arrives_in_the_suite(tmp_path: Path) -> None:
    (tmp_path / "in.npz").touch()
    asked = from_file(
        tmp_path,
        """
        runtimes = ["cpu:arena=off,tf"]
        batch = [2]
        threads = 1
        effort = "quick"
        calls = 10
        seconds = 1
        tail = true
        time_limit = 9
        seed = 4
        opset = 17
        load_inputs = "in.npz"
        custom_objects = ["a:B"]
        input_range = [0, 255]
        rtol = 1e-3
        atol = {logits = 1e-6}
        [input_shapes]
        image = [1, 3, 8, 8]
        [[models]]
        model = "mobilenet_v1"
        batch = [1, 8]
        [[models]]
        model = "article_cnn"
        """,
    )
    suite = suite_of(asked)
    assert suite.batch_sizes == {"mobilenet_v1": (1, 8), "article_cnn": (2,)}
    assert [runtime.name for runtime in suite.runtimes] == ["onnxruntime-cpu", "tensorflow"]
    assert suite.threads == 1
    assert suite.measure == MeasureSettings(
        repetitions=3, min_calls=10, min_seconds=1, tail_calls=TAIL_CALLS, time_limit_s=9, seed=4
    )
    assert suite.prepare == PrepareSettings(
        seed=4,
        opset=17,
        load_inputs=f"{tmp_path}/in.npz",
        custom_objects=("a:B",),
        input_ranges={"": (0, 255)},
        input_shapes={"image": (1, 3, 8, 8)},
    )
    assert suite.tolerance == Tolerance(rtol={"": 1e-3}, atol={"logits": 1e-6})


def test_every_key_of_the_schema_is_documented() -> None:
    import bench.suite_file

    documented = bench.suite_file.__doc__ or ""
    missing = [field.name for field in msgspec.structs.fields(SuiteTable) if f"{field.name} =" not in documented]
    assert missing == ["input_shapes", "plugins", "gate"]  # tables of their own
    assert "[input_shapes]" in documented
    assert "[plugins]" in documented
    assert "[gate]" in documented
    keys = [field.name for table in (GateTable, BudgetTable) for field in msgspec.structs.fields(table)]
    assert [key for key in keys if f"{key} =" not in documented and key != "budget"] == []
    assert "[[gate.budget]]" in documented


def test_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").touch()
    assert from_file(tmp_path, 'models = ["net.py:build"]').models[0].spec.path == str(tmp_path / "net.py")


def test_every_mistake_in_a_file_is_reported_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
    models = ["mobilenet_v1", {model = "article_cnn", batch = [1, "8"]}, {batch = [1]}, 7]
    runtime = ["tensorflow"]
    threads = 0
    seed = true
    effort = "hard"
    seconds = nan
    nonsense = 1
    """
    keys = ", ".join(field.name for field in msgspec.structs.fields(SuiteTable))
    assert mistakes_of(tmp_path, text) == [
        "bench.toml: runtime: no such key; did you mean runtimes?",
        f"bench.toml: nonsense: no such key; the keys are {keys}",
        "bench.toml: models[1].batch[1]: expected a whole number, got a text",
        "bench.toml: models[2]: it lacks `model`",
        "bench.toml: models[3]: expected a text or a table, got a whole number",
        "bench.toml: threads: expected a whole number >= 1",
        "bench.toml: seed: expected a whole number, got true or false",
        "bench.toml: effort: expected one of quick, normal, thorough, got 'hard'",
        "bench.toml: seconds: expected a number > 0.0",
    ]


def test_every_wrong_spec_in_a_file_is_reported_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
    models = ["mobilenet_v1:alpha", {model = "gone.keras", batch = [0]}, "article_cnn"]
    runtimes = ["nonsense", "tf", "cpu:arena=maybe"]
    threads = "2"
    """
    lines = mistakes_of(tmp_path, text)
    assert [line.split(": ")[1] for line in lines] == [
        "models[1].batch[0]",
        "threads",
        "models[0]",
        "models[1]",
        "runtimes[0]",
        "runtimes[2]",
    ]


def test_all_stands_for_the_usable_runtimes_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text('models = ["mobilenet_v1"]\nruntimes = ["tf", "all"]')
    asked = read_suite_file(tmp_path / "bench.toml", lambda: ("tensorflow", "onnxruntime-cpu"))
    assert [runtime.name for runtime in asked.runtimes] == ["tensorflow", "onnxruntime-cpu"]


def test_a_file_without_models_is_refused(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, "threads = 1") == [
        'bench.toml: models: the key is missing; expected models = ["NAME", ...]'
    ]
    assert mistakes_of(tmp_path, "models = []") == ["bench.toml: models: expected a list of length >= 1"]


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    (line,) = mistakes_of(tmp_path, "threads = 1\nmodels = nothing")
    assert line.startswith(f"reading {tmp_path}/bench.toml: ")
    assert "line 2" in line


def test_a_file_that_cannot_be_read_says_so_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"^reading {tmp_path}: Is a directory; "):
        read_suite_file(tmp_path)


def test_a_missing_file_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bench run mobilenet_v1"):
        read_suite_file(tmp_path / "bench.toml")


def test_what_runs_code_of_a_file_is_never_switched_on_by_a_file(tmp_path: Path) -> None:
    (line,) = mistakes_of(tmp_path, 'models = ["mobilenet_v1"]\nunsafe = true')
    assert line.startswith("bench.toml: unsafe: no such key")


# --- both


def test_a_flag_wins_over_the_file(tmp_path: Path) -> None:
    file = from_file(tmp_path, 'models = ["mobilenet_v1"]\nthreads = 1\nseed = 5\neffort = "quick"')
    asked = merge(parse_flags(Flags(seed=0, thorough=True)), file)
    assert (asked.seed, asked.effort, asked.threads) == (0, "thorough", 1)
    assert asked.models == file.models


def test_batch_sizes_by_flag_are_those_of_every_model(tmp_path: Path) -> None:
    file = from_file(tmp_path, 'models = ["article_cnn", {model = "mobilenet_v1", batch = [1, 8]}]')
    suite = suite_of(merge(parse_flags(Flags(batch="2")), file))
    assert suite.batch_sizes == {"article_cnn": (2,), "mobilenet_v1": (2,)}


# --- numbers and names of tolerances


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "-1", "o:inf", "o:-1e-3", "o:nan"])
@pytest.mark.parametrize("flag", ["rtol", "atol"])
def test_a_tolerance_is_a_finite_number_of_at_least_0(flag: str, text: str) -> None:
    asked: dict[str, tuple[str, ...]] = {flag: (text,)}
    with pytest.raises(UsageError, match=rf"^--{flag} {text}: expected \[OUTPUT:\]NUMBER, at least 0, such as 1e-3$"):
        parse_flags(Flags(model=("mobilenet_v1",), **asked))  # type: ignore[arg-type]  # two fields of this type


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rtol = inf", "rtol of every output: inf; expected a finite number, at least 0"),
        ("atol = {o = inf}", "atol o: inf; expected a finite number, at least 0"),
        ("input_range = [-inf, 1]", "input_range of every input: -inf,1; expected finite lo below hi"),
        ("input_range = {x = [2, 1]}", "input_range x: 2,1; expected finite lo below hi"),
        ("time_limit = inf", "time_limit: inf; expected a finite number"),
        ("seconds = inf", "seconds: inf; expected a finite number"),
    ],
)
def test_a_number_of_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, line: str, expected: str) -> None:
    asked = from_file(tmp_path, f'models = ["mobilenet_v1"]\n{line}')
    with pytest.raises(UsageError) as caught:
        suite_of(asked)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("written", "share"), [('"90%"', 0.9), ('"0.9"', 0.9), ("0.9", 0.9), ("1", 1.0), ("0", 0.0), ('"100 %"', 1.0)]
)
def test_a_least_placement_is_written_in_a_file_as_by_flag(tmp_path: Path, written: str, share: float) -> None:
    asked = from_file(tmp_path, f'models = ["mobilenet_v1"]\nmin_placement = {written}')
    assert suite_of(asked).measure.min_placement == share
    assert parse_flags(Flags(min_placement=written.strip('"'))).min_placement == share


@pytest.mark.parametrize("written", ["90", "-0.1", "nan", "inf", '"101%"', '"most"', '""', '"%"'])
def test_a_share_that_is_none_is_told_with_its_key(tmp_path: Path, written: str) -> None:
    (said,) = mistakes_of(tmp_path, f'models = ["mobilenet_v1"]\nmin_placement = {written}')
    assert said.startswith("bench.toml: min_placement ")
    assert said.endswith(": expected a share such as 95% or 0.95")


def test_a_tolerance_for_an_output_that_is_not_there_names_those_that_are() -> None:
    tolerance = Tolerance(rtol={"": 0.1, "logits": 0.2, "nope": 0.3}, atol={"neither": 0.0})
    with pytest.raises(UsageError) as caught:
        check_tolerance_names(tolerance, ["logits", "probabilities", "logits"])
    assert str(caught.value).splitlines() == [
        "--rtol nope: no output is called so; outputs are logits, probabilities",
        "--atol neither: no output is called so; outputs are logits, probabilities",
    ]
    check_tolerance_names(Tolerance(rtol={"": 0.1, "logits": 0.2}), ["logits"])


# --- [gate]


def test_every_key_of_a_gate_arrives(tmp_path: Path) -> None:
    asked = from_file(
        tmp_path,
        """
        models = ["mobilenet_v1"]
        [gate]
        delta = "10%"
        alpha = 0.02
        beta = "10%"
        max_pairs = 20
        time_limit = 60
        metrics = ["latency", "size"]
        inconclusive = "fail"
        [[gate.budget]]
        model = "mobilenet_v1"
        runtime = "cpu"
        batch = 8
        delta = 0.2
        """,
    )
    (runtime,) = parse_runtimes(["cpu"])
    assert asked.gate == GateAsked(
        delta=0.1,
        alpha=0.02,
        beta=0.1,
        max_pairs=20,
        time_limit=60,
        metrics=("latency", "size"),
        inconclusive="fail",
        budgets=(BudgetAsked(delta=0.2, model="mobilenet_v1", runtime=runtime, batch=8),),
    )


def test_every_wrong_value_of_a_gate_is_reported_at_once_with_its_key(tmp_path: Path) -> None:
    text = """
    models = ["mobilenet_v1"]
    [gate]
    delta = "5"
    time_limit = -1
    metrics = ["speed"]
    inconclusive = "maybe"
    [[gate.budget]]
    delta = "5%"
    [[gate.budget]]
    runtime = "nonsense"
    delta = "5%"
    """
    assert [line.split(": ")[1] for line in mistakes_of(tmp_path, text)] == [
        "gate.budget[0]",
        "gate.budget[1]",
        "gate.delta",
        "gate.time_limit",
        "gate.inconclusive",
        "gate.metrics",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[gate]\ndleta = 1", "bench.toml: gate: no such key: `dleta`"),
        ("[gate]\nmax_pairs = 'many'", "bench.toml: gate.max_pairs: expected a whole number, got a text"),
        ("[[gate.budget]]\nbatch = 1", "bench.toml: gate.budget[0]: it lacks `delta`"),
    ],
)
def test_a_gate_that_is_written_wrongly_names_the_key(text: str, mistake: str, tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, f'models = ["mobilenet_v1"]\n{text}') == [mistake]


def test_a_gate_s_table_is_read_alone_whatever_else_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    assert read_gate_table(file) is None
    file.write_text('models = ["gone.onnx"]\nnonsense = 1\n[gate]\ndelta = "10%"')
    assert read_gate_table(file) == GateAsked(delta=0.1)
    file.write_text('models = ["mobilenet_v1"]')
    assert read_gate_table(file) is None


def write_suite(folder: Path, text: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(text)
    return path


def test_braces_in_a_suite_file_are_several_with_the_same_batches(tmp_path: Path) -> None:
    path = write_suite(
        tmp_path,
        'models = ["article_cnn", {model = "mobilenet_v1:alpha={0.25,0.5}", batch = [4]}]\n'
        'runtimes = ["cpu@{1.30.0,1.32.0}", "tf"]\n',
    )
    asked = read_suite_file(path)
    assert [(model.spec.display, model.batch) for model in asked.models] == [
        ("article_cnn", ()),
        ("mobilenet_v1:alpha=0.25", (4,)),
        ("mobilenet_v1:alpha=0.5", (4,)),
    ]
    assert [spec.display for spec in asked.runtimes] == [
        "onnxruntime-cpu@1.30.0",
        "onnxruntime-cpu@1.32.0",
        "tensorflow",
    ]


def test_wrong_braces_in_a_suite_file_are_told_with_their_key(tmp_path: Path) -> None:
    path = write_suite(tmp_path, 'models = ["mobilenet_v1:alpha={0.25"]\nruntimes = ["tf", "cpu@{}"]\n')
    with pytest.raises(UsageError) as told:
        read_suite_file(path)
    first, second = str(told.value).splitlines()
    assert first.startswith(f"{path}: models[0]: model 'mobilenet_v1:alpha={{0.25': a {{ without its }}")
    assert second.startswith(f"{path}: runtimes[1]: runtime 'cpu@{{}}': empty braces")


def test_plugin_libraries_of_a_suite_file_are_meant_from_its_folder(tmp_path: Path) -> None:
    path = write_suite(tmp_path, 'models = ["article_cnn"]\n[plugins]\nwebgpu = "lib.so"\n')
    assert read_suite_file(path).plugins == {"onnxruntime-webgpu": str(tmp_path / "lib.so")}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('cpu = "lib.so"', "plugins: cpu: expected a runtime that comes as a plugin library: "),
        ('webgqu = "lib.so"', "plugins: unknown runtime 'webgqu'"),
        ("webgpu = 3", "plugins[...]: expected a text, got a whole number"),
    ],
)
def test_a_plugin_that_is_none_is_told_with_its_key(tmp_path: Path, line: str, told: str) -> None:
    path = write_suite(tmp_path, f'models = ["article_cnn"]\n[plugins]\n{line}\n')
    with pytest.raises(UsageError) as error:
        read_suite_file(path)
    assert str(error.value).startswith(f"{path}: {told}")


def test_streams_and_minutes_of_a_soak_arrive_in_the_suite() -> None:
    suite = suite_of(parse_flags(Flags(model=("mobilenet_v1",), streams="4,1,4", soak=0.5)))
    assert (suite.streams, suite.measure.soak_s) == ((4, 1), 30)
    usual = suite_of(parse_flags(Flags(model=("mobilenet_v1",))))
    assert (usual.streams, usual.measure.soak_s) == ((1,), 0)


@pytest.mark.parametrize(("streams", "soak"), [("0", None), ("two", None), ("1,-2", None), (None, 0.0), (None, -1.0)])
def test_no_callers_and_no_minutes_are_mistakes(streams: str | None, soak: float | None) -> None:
    with pytest.raises(UsageError, match="--streams" if streams else "--soak"):
        parse_flags(Flags(model=("mobilenet_v1",), streams=streams, soak=soak))
