from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.errors import UsageError
from bench.specs import DEFAULT_RUNTIMES, parse_model, parse_runtime, parse_runtimes


def displays(*texts: str) -> list[str]:
    return [spec.display for spec in parse_runtimes(texts)]


# --- models


def test_a_zoo_name_is_a_model_of_the_zoo() -> None:
    spec = parse_model("article_cnn")
    assert (spec.kind, spec.name, spec.display, spec.path, spec.options) == (
        "zoo",
        "article_cnn",
        "article_cnn",
        None,
        {},
    )


def test_the_display_is_the_same_whatever_the_order_of_keys() -> None:
    one, other = (
        parse_model("mobilenet_v1:resolution=160,alpha=0.5"),
        parse_model("mobilenet_v1:alpha=0.5,resolution=160"),
    )
    assert one.display == other.display == "mobilenet_v1:alpha=0.5,resolution=160"
    assert one.options == {"alpha": "0.5", "resolution": "160"}


def test_a_label_is_part_of_the_display_and_not_of_the_name() -> None:
    spec = parse_model("mobilenet_v1:alpha=0.5#half")
    assert (spec.name, spec.label, spec.display) == ("mobilenet_v1", "half", "mobilenet_v1:alpha=0.5#half")


def test_an_application_is_named_after_keras() -> None:
    spec = parse_model("keras:MobileNetV2:alpha=1.0,weights=random")
    assert (spec.kind, spec.name, spec.display) == (
        "keras",
        "MobileNetV2",
        "keras:MobileNetV2:alpha=1.0,weights=random",
    )


def test_an_unknown_model_lists_the_right_names() -> None:
    with pytest.raises(UsageError, match=r"'mobilnet' is not known; models are article_cnn, .*mobilenet_v1"):
        parse_model("mobilnet")


@pytest.mark.parametrize(
    "text", ["mobilenet_v1:alpha", "mobilenet_v1:alpha=", "mobilenet_v1:=1", "mobilenet_v1:a=1,a=2"]
)
def test_broken_options_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"key=value|given twice"):
        parse_model(f"mobilenet_v1:{text}")


@pytest.mark.parametrize("label", ["", "a b", "a/b", "é"])
def test_a_label_is_one_word(label: str) -> None:
    with pytest.raises(UsageError, match="label"):
        parse_model(f"mobilenet_v1#{label}")


def test_a_builder_is_a_function_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def small(): ...")
    spec = parse_model("net.py:small:width=2,weights=anything", tmp_path)
    assert (spec.kind, spec.name, spec.function) == ("builder", "net.py", "small")
    assert spec.options == {"width": "2", "weights": "anything"}  # a user's builder gets every key
    assert spec.display == "net.py:small:weights=anything,width=2"
    assert spec.path == str(tmp_path / "net.py")


@pytest.mark.parametrize("text", ["net.py", "net.py:width=2", "net.py:build", "net.py:build:width=2"])
def test_a_builder_is_called_build_unless_it_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").touch()
    assert parse_model(text, tmp_path).function == "build"


def test_a_missing_builder_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file net\.py"):
        parse_model("net.py:build", tmp_path)


def test_no_folder_gets_into_a_display(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "net.py").touch()
    (tmp_path / "deep" / "own.weights.h5").touch()
    assert parse_model(f"{tmp_path}/deep/net.py:build:weights=/srv/x/y.h5").display == "net.py:build:weights=y.h5"
    spec = parse_model("mobilenet_v1:weights=deep/own.weights.h5", tmp_path)
    assert spec.display == "mobilenet_v1:weights=own.weights.h5"
    assert spec.options["weights"] == str(tmp_path / "deep" / "own.weights.h5")


def test_weights_that_are_no_mode_and_no_file_are_refused() -> None:
    with pytest.raises(UsageError, match="neither calibrated, random, imagenet nor a file"):
        parse_model("mobilenet_v1:weights=calibratd")


@pytest.mark.parametrize("value", ["False", "0", "no"])
def test_softmax_is_true_or_false(value: str) -> None:
    with pytest.raises(UsageError, match="softmax=true or softmax=false"):
        parse_model(f"keras:MobileNet:softmax={value}")
    assert parse_model("keras:MobileNet:softmax=false").options == {"softmax": "false"}


@pytest.mark.parametrize(
    ("pair", "message"),
    [("weights=random", "belong to zoo"), ("softmax=false", "belong to zoo"), ("x=1", "no options")],
)
def test_a_file_takes_no_options(pair: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(UsageError, match=message):
        parse_model(f"net.onnx:{pair}", tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file or folder net\.keras"):
        parse_model("net.keras", tmp_path)


def test_a_zoo_name_wins_over_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "article_cnn").mkdir()
    assert parse_model("article_cnn", tmp_path).kind == "zoo"


def saved_model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"\x08\x01\x12\x04\x0a\x02\x0a\x00")
    (folder / "variables").mkdir()
    return folder


def test_a_file_may_have_a_number_sign_in_its_name(tmp_path: Path) -> None:
    saved_model(tmp_path / "model#7")
    spec = parse_model(f"{tmp_path}/model#7")
    assert (spec.kind, spec.name, spec.label) == ("saved_model", "model#7", None)
    assert parse_model(f"{tmp_path}/model#7#old").label == "old"


def test_a_folder_of_onnx_test_data_means_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "test_data_set_0").mkdir()
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"holds a\.onnx, b\.onnx; name one"):
        parse_model(str(tmp_path))


def test_a_folder_with_one_onnx_file_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_data_set_0").mkdir()
    (tmp_path / "model.onnx").write_bytes(b"x")
    monkeypatch.setattr("bench.prepare.sniff.sniff", lambda path: "onnx" if path.suffix == ".onnx" else "saved_model")
    spec = parse_model(f"{tmp_path}/")
    name = tmp_path.name  # the file within is called the same in every such folder
    assert (spec.kind, spec.name, spec.display, spec.path) == ("onnx", name, name, str(tmp_path / "model.onnx"))
    assert parse_model(".", tmp_path).display == name


# --- runtimes


def test_the_default_runtimes_are_known() -> None:
    assert displays(*DEFAULT_RUNTIMES) == ["tensorflow", "onnxruntime-cpu"]


def test_short_names_become_canonical() -> None:
    assert displays("tf,cpu,cuda") == ["tensorflow", "onnxruntime-cpu", "onnxruntime-cuda"]


def test_after_a_comma_a_pair_continues_the_runtime_before_it() -> None:
    specs = parse_runtimes(["tf,cpu:optimization=basic,arena=off,cuda"])
    assert [spec.options for spec in specs] == [{}, {"optimization": "basic", "arena": "off"}, {}]
    assert specs[1].display == "onnxruntime-cpu:arena=off,optimization=basic"
    assert parse_runtimes(["cpu,arena=off"])[0].options == {"arena": "off"}


def test_a_comma_list_and_repeated_flags_mean_the_same() -> None:
    assert displays("tf,cpu") == displays("tf", "cpu") == displays(" tf , cpu ")


@pytest.mark.parametrize("text", ["cpu#a,arena=off", "cpu:arena=off#a", "cpu,arena=off#a"])
def test_a_label_may_stand_before_or_after_a_continued_option(text: str) -> None:
    (spec,) = parse_runtimes([text])
    assert (spec.label, spec.options, spec.display) == ("a", {"arena": "off"}, "onnxruntime-cpu:arena=off#a")


def test_labels_make_the_same_runtime_twice() -> None:
    assert displays("cpu#a,cpu#b") == ["onnxruntime-cpu#a", "onnxruntime-cpu#b"]


@pytest.mark.parametrize(
    "texts", [["cpu,cpu"], ["cpu", "onnxruntime"], ["cpu#a,cpu#a"], ["cpu:arena=off,cpu:arena=off"]]
)
def test_the_same_runtime_twice_without_labels_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="tell them apart with a label"):
        parse_runtimes(texts)


def test_the_same_runtime_with_other_options_is_another() -> None:
    assert len(displays("cpu,cpu:arena=off")) == 2


def test_a_version_is_kept() -> None:
    (spec,) = parse_runtimes(["cpu@1.31.1:arena=off"])
    assert (spec.name, spec.version, spec.display) == ("onnxruntime-cpu", "1.31.1", "onnxruntime-cpu@1.31.1:arena=off")


@pytest.mark.parametrize("text", ["cpu@", "cpu@latest", "cpu@1.2 3"])
def test_a_version_is_a_number(text: str) -> None:
    with pytest.raises(UsageError, match=r"NAME@1\.2\.3"):
        parse_runtimes([text])


@pytest.mark.parametrize("text", ["arena=off", "", "tf,,cpu", "tf,"])
def test_a_list_with_a_hole_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"no runtime before it|an empty name"):
        parse_runtimes([text])


def test_unknown_names_and_options_list_the_right_ones() -> None:
    with pytest.raises(UsageError, match="onnxruntime-cpu"):
        parse_runtimes(["onnxruntim"])
    with pytest.raises(UsageError, match="arena"):
        parse_runtimes(["cpu:arean=off"])
    with pytest.raises(UsageError, match="on, off"):
        parse_runtimes(["cpu:arena=maybe"])


def test_all_is_every_usable_runtime_and_says_that_nobody_named_it() -> None:
    specs = parse_runtimes(["all"], lambda: ("tensorflow", "onnxruntime-cpu"))
    assert [(spec.name, spec.text) for spec in specs] == [("tensorflow", "all"), ("onnxruntime-cpu", "all")]


def test_azure_is_no_runtime() -> None:
    with pytest.raises(UsageError, match="left out on purpose"):
        parse_runtime("onnxruntime-azure")


def test_all_leaves_out_what_is_named_before_it() -> None:
    specs = parse_runtimes(["cpu:arena=off,cpu,all"], lambda: ("tensorflow", "onnxruntime-cpu"))
    assert [spec.display for spec in specs] == ["onnxruntime-cpu:arena=off", "onnxruntime-cpu", "tensorflow"]


def test_nothing_is_probed_unless_all_is_asked_for() -> None:
    def probe() -> tuple[str, ...]:
        raise AssertionError("probed")

    assert len(parse_runtimes(["tf"], probe)) == 1


@pytest.mark.parametrize("after", ["", ",load_config=b", "#x"])
def test_a_value_in_double_quotes_may_hold_commas(after: str) -> None:
    (spec, other) = parse_runtimes([f'ort-openvino:device_type="HETERO:GPU,CPU"{after},cpu'])
    assert spec.options["device_type"] == "HETERO:GPU,CPU"
    assert spec.display == f'onnxruntime-openvino:device_type="HETERO:GPU,CPU"{after}'
    assert parse_runtime(spec.display) == msgspec.structs.replace(spec, text=spec.display)
    assert other.name == "onnxruntime-cpu"
