from __future__ import annotations

import os
import shlex
import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from bench import cases
from bench.cli import app
from bench.flags import Flags, parse_flags
from bench.records import Case, MeasureSettings, ModelSpec, PrepareSettings, Record, RuntimeSpec, Suite, Tolerance
from bench.reproduce import reproduce_command
from bench.specs import DEFAULT_RUNTIMES, parse_runtimes
from bench.suite import build_suite

GROUP: Any = typer.main.get_command(app)
CPUS = 2
NO_FLAG = {"pool_size", "min_rounds"}  # the same in every run: no flag, no key of a suite file


def suite_of(flags: Flags) -> Suite:
    return build_suite(parse_flags(flags), cpus=CPUS, default_runtimes=parse_runtimes(DEFAULT_RUNTIMES))


def read_back(command: str) -> Suite:
    """The suite of a line, read as the command line reads it."""
    program, verb, *rest = shlex.split(command)
    assert (program, verb) == ("bench", "run")
    given = GROUP.commands["run"].make_context("run", rest).params
    said = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    asked: dict[str, Any] = {name: said[name] for name in Flags.__struct_fields__ if said[name] is not None}
    return suite_of(Flags(**asked))


def commands_of(suite: Suite) -> list[tuple[Case, ModelSpec, str]]:
    made = [
        (cases.make_case(model, runtime, batch, suite.threads), model)
        for model in suite.models
        for runtime in suite.runtimes
        for batch in suite.batch_sizes[model.display]
    ]
    return [(case, model, reproduce_command(case, model, suite)) for case, model in made]


def by_base_name(settings: PrepareSettings) -> PrepareSettings:
    names: dict[str, Any] = {
        key: Path(path).name for key in ("load_inputs", "onnx_file") if (path := getattr(settings, key))
    }
    return msgspec.structs.replace(settings, **names)


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder in which the models lie and every line is read back."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "own.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3")
    for name in ("in put.npz", "own's.onnx", "net.py"):
        (folder / name).write_bytes(b"\x3a\x00" if name.endswith(".onnx") else b"")  # an ONNX graph with nothing in it
    for name in ("saved", "mobilenet_v1", "keras:saved", "-saved"):
        (folder / name).mkdir()
        (folder / name / "saved_model.pb").write_bytes(b"\x08\x01\x12\x04\x0a\x02\x0a\x00")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


NAMES = st.text(string.ascii_letters + "/:._ $'\"", min_size=1, max_size=6)
NUMBERS = st.floats(0.001, 1e6) | st.integers(1, 1000).map(float)
RUNTIMES = st.sampled_from(
    ["tf", "cpu", "cpu@1.2.3#x", "cpu#a,cpu:arena=off#b", 'ort-openvino:device_type="HETERO:GPU,CPU"#y', "tf,cuda"]
)


def named(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    one = st.builds(lambda name, value: f"{name}:{value}" if name else value, NAMES | st.just(""), values)
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def asked(draw: st.DrawFn) -> Flags:
    keras = ["mobilenet_v1", "mobilenet_v1:alpha=0.5,weights=random#l", "keras:ResNet50", "./net.py:make:b=2,a=x/y#z"]
    saved = ["./saved#m", "./mobilenet_v1#n", "./keras:saved", "./-saved"]
    own = draw(st.booleans())
    models = draw(st.lists(st.sampled_from(keras if own else keras + saved), min_size=1, max_size=1 if own else 3))
    models = list(dict.fromkeys(models))
    effort = draw(st.sampled_from(["", "quick", "thorough"]))
    ranges = st.tuples(st.floats(-1e6, 0), st.floats(0.5, 1e6)).map(lambda pair: f"{pair[0]!r},{pair[1]!r}")
    shapes = st.lists(st.integers(1, 999), max_size=4).map(lambda shape: f"[{','.join(map(str, shape))}]")
    pairs = st.tuples(NAMES, NAMES).map("=".join)
    return Flags(
        model=tuple(models),
        runtime=(draw(RUNTIMES),),
        batch=draw(st.none() | st.sampled_from(["1", "8,1,32"])),
        threads=draw(st.none() | st.integers(1, 64)),
        seed=draw(st.none() | st.integers(0, 2**40)),
        quick=effort == "quick",
        thorough=effort == "thorough",
        calls=draw(st.none() | st.integers(1, 9999)),
        seconds=draw(st.none() | NUMBERS),
        tail=draw(st.booleans()),
        time_limit=draw(st.none() | NUMBERS),
        opset=draw(st.none() | st.integers(7, 18)),
        input_shapes=draw(st.lists(st.tuples(NAMES, shapes).map(":".join), max_size=2).map(tuple)),
        input_range=draw(named(ranges)),
        load_inputs=draw(st.sampled_from([None, "in put.npz", f"{Path.cwd()}/in put.npz"])),
        onnx=draw(st.sampled_from(["own's.onnx", "./own's.onnx"])) if own else None,
        onnx_names=draw(st.lists(pairs, max_size=2).map(tuple)) if own else (),
        custom_objects=draw(st.sampled_from([(), ("a.b:C", "d:E")])),
        unsafe=draw(st.booleans()),
        signature=draw(st.none() | NAMES) if any(model in saved for model in models) else None,
        rtol=draw(named(NUMBERS.map(repr))),
        atol=draw(named(st.just("0") | NUMBERS.map(repr))),
    )


@given(st.data())
def test_the_line_asks_for_the_very_case(data: st.DataObject) -> None:
    suite = suite_of(data.draw(asked()))
    for case, model, command in commands_of(suite):
        again = read_back(command)
        prepare = by_base_name(suite.prepare)
        if model.kind != "saved_model":
            prepare = msgspec.structs.replace(prepare, signature=None)
        assert (again.prepare, again.measure, again.tolerance) == (prepare, suite.measure, suite.tolerance)
        assert [made.case_id for made, _, _ in commands_of(again)] == [case.case_id]
        assert [m.kind for m in again.models] == [model.kind]


def test_defaults_are_not_in_the_line() -> None:
    suite = suite_of(Flags(model=("mobilenet_v1",)))
    assert [command for _, _, command in commands_of(suite)] == [
        "bench run mobilenet_v1 -e tensorflow -b 1 -x 2",
        "bench run mobilenet_v1 -e onnxruntime-cpu -b 1 -x 2",
    ]


def test_no_folder_of_this_machine_is_in_the_line(files: Path) -> None:
    flags = Flags(
        model=(f"{files}/net.py:make",),
        runtime=("cpu",),
        load_inputs=f"{files}/in put.npz",
        onnx=f"{files}/own's.onnx",
    )
    ((_, _, command),) = commands_of(suite_of(flags))
    assert command == (
        "bench run net.py:make -e onnxruntime-cpu -b 1 -x 2 --load-inputs 'in put.npz' --onnx 'own'\"'\"'s.onnx'"
    )


def test_tolerances_of_another_model_are_left_out_where_the_outputs_are_known() -> None:
    suite = suite_of(Flags(model=("mobilenet_v1",), runtime=("cpu",), rtol=("1e-3", "a:0.1", "b:0.2"), atol=("b:0",)))
    ((case, model, command),) = commands_of(suite)
    assert command.endswith("--rtol 0.001 --rtol a:0.1 --rtol b:0.2 --atol b:0")
    assert reproduce_command(case, model, suite, outputs=["a"]).endswith("--rtol 0.001 --rtol a:0.1")


EXAMPLES: dict[type[Record], dict[str, tuple[Any, str]]] = {
    PrepareSettings: {
        "opset": (17, "--opset 17"),
        "input_shapes": ({"x": (1, 3)}, "--input-shapes 'x:[1,3]'"),
        "input_ranges": ({"": (0.0, 255.0), "y": (-0.5, 1.0)}, "--input-range 0,255 --input-range y:-0.5,1"),
        "load_inputs": ("a/in.npz", "--load-inputs in.npz"),
        "onnx_file": ("a/own.onnx", "--onnx own.onnx"),
        "onnx_names": ({"a:0": "b"}, "--onnx-names a:0=b"),
        "litert_file": ("a/own.tflite", "--litert own.tflite"),
        "litert_names": ({"a:0": "b"}, "--litert-names a:0=b"),
        "custom_objects": (("a:B", "c:D"), "--custom-objects a:B,c:D"),
        "unsafe": (True, "--unsafe"),
        "signature": ("other", "--signature other"),
    },
    MeasureSettings: {
        "repetitions": (8, "--thorough"),
        "min_calls": (7, "-r 7"),
        "min_seconds": (2.5, "-t 2.5"),
        "tail_calls": (500, "--tail"),
        "time_limit_s": (7.0, "--time-limit 7"),
        "soak_s": (90.0, "--soak 1.5"),
        "min_placement": (0.5, "--min-placement 0.5"),
        "require_placement": (True, "--require-placement"),
        "seed": (3, "-S 3"),
    },
    Tolerance: {"rtol": ({"o": 0.1}, "--rtol o:0.1"), "atol": ({"": 1e-7}, "--atol 1e-07")},
}
PLACES: dict[type[Record], str] = {PrepareSettings: "prepare", MeasureSettings: "measure", Tolerance: "tolerance"}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_no_field_of_the_settings_is_forgotten(kind: type[Record]) -> None:
    fields = set(kind.__struct_fields__) - NO_FLAG
    if kind is PrepareSettings:
        fields -= {"seed"}  # said once, as that of the measuring: both come from -S
    assert set(EXAMPLES[kind]) == fields


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in EXAMPLES.items() for field in fields])
def test_every_field_of_the_settings_is_in_the_line(kind: type[Record], field: str) -> None:
    value, words = EXAMPLES[kind][field]
    model = ModelSpec(text="./saved", kind="saved_model", name="saved", display="saved", path="saved")
    name = "litert" if field.startswith("litert") else "onnxruntime-cpu"
    runtime = RuntimeSpec(text=name, name=name, display=name)
    suite = Suite(
        models=(model,),
        runtimes=(runtime,),
        batch_sizes={"saved": (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    place = PLACES[kind]
    suite = msgspec.structs.replace(suite, **{place: msgspec.structs.replace(getattr(suite, place), **{field: value})})
    ((_, _, command),) = commands_of(suite)
    assert command == f"bench run ./saved -e {name} -b 1 -x 1 {words}"


def test_a_litert_file_is_in_the_line_of_litert_alone(files: Path) -> None:
    flags = Flags(model=("mobilenet_v1",), runtime=("cpu,litert",), litert=f"{files}/own.tflite", litert_names=("a=b",))
    first, second = (command for _, _, command in commands_of(suite_of(flags)))
    assert "litert" not in first
    assert second.endswith("-e litert -b 1 -x 2 --litert own.tflite --litert-names a=b")
    assert read_back(second).prepare.litert_names == {"a": "b"}


def test_a_case_of_several_callers_is_reproduced_with_its_number_alone_and_its_soak() -> None:
    suite = suite_of(Flags(model=("mobilenet_v1",), runtime=("cpu",), streams="1,4", soak=1.5))
    for streams in suite.streams:
        case = cases.make_case(suite.models[0], suite.runtimes[0], 1, suite.threads, streams)
        again = read_back(reproduce_command(case, suite.models[0], suite))
        assert (again.streams, again.measure.soak_s) == ((streams,), 90)
