from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.pytest_cases import Given, ask_for, check_given, split_models
from bench.spec_braces import MOST, expand, split_commas
from bench.specs import parse_model, parse_models, parse_runtimes


def runtimes(text: str) -> list[str]:
    return [spec.display for spec in parse_runtimes([text])]


def models(text: str, folder: Path = Path()) -> list[str]:
    return [spec.display for spec in parse_models(text, folder)]


def test_versions_in_braces_are_a_runtime_each() -> None:
    assert runtimes("onnxruntime-cpu@{1.20.1,1.32.0}") == ["onnxruntime-cpu@1.20.1", "onnxruntime-cpu@1.32.0"]


def test_each_expanded_spec_knows_its_own_text_and_version() -> None:
    first, second = parse_runtimes(["cpu@{1.20.1,1.32.0}"])
    assert [(spec.text, spec.version) for spec in (first, second)] == [
        ("cpu@1.20.1", "1.20.1"),
        ("cpu@1.32.0", "1.32.0"),
    ]


def test_other_items_of_the_list_come_once() -> None:
    assert runtimes("tf,cpu@{1.20.1,1.32.0},tensorflow-xla") == [
        "tensorflow",
        "onnxruntime-cpu@1.20.1",
        "onnxruntime-cpu@1.32.0",
        "tensorflow-xla",
    ]


@pytest.mark.parametrize("text", ["cpu:arena={on,off}", "cpu:{arena=on,arena=off}", "cpu,{arena=on,arena=off}"])
def test_values_whole_pairs_and_continued_pairs_expand_alike(text: str) -> None:
    assert runtimes(text) == ["onnxruntime-cpu:arena=on", "onnxruntime-cpu:arena=off"]


def test_several_braces_are_their_product_the_last_varying_fastest() -> None:
    assert runtimes("cpu:arena={on,off},spinning={on,off}") == [
        f"onnxruntime-cpu:arena={arena},spinning={spinning}"
        for arena, spinning in itertools.product(("on", "off"), ("on", "off"))
    ]


def test_names_and_labels_may_stand_in_braces() -> None:
    assert runtimes("{cpu,tf}#{a,b}") == ["onnxruntime-cpu#a", "onnxruntime-cpu#b", "tensorflow#a", "tensorflow#b"]


def test_all_may_stand_in_braces() -> None:
    assert [spec.display for spec in parse_runtimes(["{tf,all}"], lambda: ["onnxruntime-cpu"])] == [
        "tensorflow",
        "onnxruntime-cpu",
    ]


def test_models_expand_too() -> None:
    assert models("mobilenet_v1:alpha={0.25,0.5},resolution={128,160}") == [
        f"mobilenet_v1:alpha={alpha},resolution={side}" for alpha in ("0.25", "0.5") for side in ("128", "160")
    ]
    assert models("{article_cnn,mobilenet_v1}") == ["article_cnn", "mobilenet_v1"]


def test_the_one_model_of_a_self_test_is_one() -> None:
    with pytest.raises(UsageError, match="expected one model, its braces make 2"):
        parse_model("mobilenet_v1:alpha={0.25,0.5}")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("cpu@{1.2,1.3", "a { without its }"),
        ("cpu@1.2}", "a } without its {"),
        ("cpu@{1.2}}", "a } without its {"),
        ("cpu@{1.2,{1.3,1.4}}", "braces within braces"),
        ("cpu@{}", "empty braces"),
        ("cpu@{1.2,}", "braces with nothing between two commas"),
        ("cpu@{,1.2}", "braces with nothing between two commas"),
        ("tf,cpu@{1.2", "a { without its }"),
    ],
)
def test_what_is_wrong_with_braces_is_one_clear_error(text: str, seen: str) -> None:
    for parse, what in ((runtimes, "runtime"), (models, "model")):
        with pytest.raises(UsageError) as told:
            parse(text)
        assert str(told.value).startswith(f"{what} {text!r}: {seen}; expected alternatives such as {{on,off}}")
        assert "\n" not in str(told.value)


def test_the_number_of_specs_is_bounded_before_they_are_made() -> None:
    most = ",".join(map(str, range(MOST)))
    assert len(expand("runtime", f"cpu@{{{most}}}")) == MOST
    with pytest.raises(UsageError, match=f"its braces make {10**8} of it; ask for at most {MOST}"):
        expand("runtime", "cpu@" + "{0,1,2,3,4,5,6,7,8,9}" * 8)


def test_the_same_spec_twice_is_refused_as_without_braces() -> None:
    with pytest.raises(UsageError, match=r"would both be called onnxruntime-cpu@1\.2; tell them apart with a label"):
        runtimes("cpu@{1.2,1.2}")


def test_a_quoted_value_keeps_its_braces_and_is_written_so_that_it_is_read_back() -> None:
    (display,) = runtimes('ort-openvino:load_config="a{1}.json"')
    assert display == 'onnxruntime-openvino:load_config="a{1}.json"'
    assert runtimes(display) == [display]


def test_quoted_alternatives_may_hold_commas() -> None:
    specs = parse_runtimes(['ort-openvino:load_config={"a,b","c"}'])
    assert [spec.options["load_config"] for spec in specs] == ["a,b", "c"]


def test_a_file_whose_name_has_braces_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "we{i,}rd}.py").write_text("")
    assert models("we{i,}rd}.py", tmp_path) == ["we{i,}rd}.py:build"]
    assert models("we{i,}rd}.py:make:width={1,2}#x", tmp_path) == [
        "we{i,}rd}.py:make:width=1#x",
        "we{i,}rd}.py:make:width=2#x",
    ]


def test_files_named_by_braces_are_several(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.py").write_text("")
    assert models("{a,b}.py", tmp_path) == ["a.py:build", "b.py:build"]


def test_braces_that_the_shell_expanded_are_told() -> None:
    with pytest.raises(UsageError, match=r"is a runtime's name.*braces stand in quotes"):
        models("onnxruntime-cpu@1.30.0")


def test_the_pytest_plugin_expands_models_and_runtimes() -> None:
    assert split_models(["mobilenet_v1:alpha={0.25,0.5},resolution={128,160},article_cnn"]) == [
        "mobilenet_v1:alpha={0.25,0.5},resolution={128,160}",
        "article_cnn",
    ]
    given = Given(models=("mobilenet_v1:alpha={0.25,0.5}",), runtimes=("cpu:arena={on,off}",))
    check_given(given)
    assert [(case.model.display, case.runtime.display) for case in ask_for([], given)] == [
        (f"mobilenet_v1:alpha={alpha}", f"onnxruntime-cpu:arena={arena}")
        for alpha in ("0.25", "0.5")
        for arena in ("on", "off")
    ]
    with pytest.raises(UsageError, match=r"--bench-models: model .*without its"):
        check_given(Given(models=("mobilenet_v1:alpha={0.25",)))


words = st.text(alphabet='ab=:#"', max_size=6)


@given(st.lists(words, min_size=1, max_size=5))
def test_a_text_without_braces_is_itself(pieces: list[str]) -> None:
    text = ",".join(pieces)
    assert expand("model", text) == [text]
    assert ",".join(split_commas(text)) == text


@given(st.text(alphabet='ab{},="', max_size=12))
def test_any_text_expands_or_is_refused_and_pieces_join_to_it(text: str) -> None:
    assert ",".join(split_commas(text)) == text
    try:
        assert expand("model", text)
    except UsageError as error:
        assert text in str(error) or repr(text)[1:-1] in str(error)  # noqa: PT017
