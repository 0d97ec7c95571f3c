from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError, OptionError, UsageError
from bench.prepare.messages import ChildAnswer
from bench.records import ModelSpec, PrepareSettings
from bench.specs import parse_model

pytestmark = pytest.mark.slow

KINDS = Path(__file__).with_name("model_kinds.py")
LAYER = "import keras\n\n\nclass Twice(keras.layers.Layer):\n    def call(self, x):\n        return 2 * x\n"


def load(text: str, **settings: Any) -> Any:
    from bench.prepare.child.load import load_keras_model

    return load_keras_model(parse_model(text), PrepareSettings(**settings))


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("-1", -1), ("0.5", 0.5), ("1e3", 1000.0), ("true", True), ("False", False), ("same", "same")],
)
def test_option_values_become_numbers_and_truth_values(text: str, value: object) -> None:
    from bench.prepare.child.load import parse_value

    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_a_users_builder_gets_every_key() -> None:
    loaded = load(f"{KINDS}:functional:width=7,softmax=true,weights=mine")
    assert loaded.model.output_shape == (None, 7)
    assert loaded.model.layers[-1].name == "mine"
    assert loaded.model.layers[-1].activation.__name__ == "softmax"
    assert loaded.weights is None  # it keeps its own


def test_weights_of_zoo_models_are_ours_and_softmax_goes_to_the_builder() -> None:
    loaded = load("mobilenet_v1:alpha=0.25,resolution=32,softmax=false,weights=random")
    assert loaded.weights == "random"
    assert loaded.input_range == (-1.0, 1.0)
    assert loaded.model.layers[-1].activation.__name__ == "linear"
    assert load("mobilenet_v1:alpha=0.25,resolution=32").weights == "calibrated"


def test_an_application_takes_resolution_and_softmax() -> None:
    loaded = load("keras:MobileNet:alpha=0.25,resolution=64,softmax=false,classes=9")
    assert loaded.model.input_shape == (None, 64, 64, 3)
    assert loaded.model.output_shape == (None, 9)
    assert loaded.model.layers[-1].activation.__name__ == "linear"
    assert loaded.weights == "calibrated"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mobilenet_v1:depth=3", "no option depth; it has alpha, resolution, classes, softmax, weights"),
        ("mobilenet_v1:alpha=wide", "alpha=wide: expected a number, such as 1.0"),
        ("mobilenet_v1:alpha=0", "alpha must leave at least one filter"),
        (f"{KINDS}:functional:wide=3", "no option wide; it has width, softmax, weights"),
        (f"{KINDS}:functional:softmax=3", "softmax=3: expected true or false"),
        (f"{KINDS}:no_such", "has no function no_such"),
        (f"{KINDS}:not_a_model", "gave int, expected a keras.Model"),
        (f"{KINDS}:raises", r"it could not be built: ValueError: no such size \(model_kinds\.py:\d+\)"),
        ("keras:NoSuchNet", "expected one of .*MobileNetV2"),
        ("keras:utils", "expected one of .*MobileNetV2"),
        ("keras:MobileNetV2:depth=3", "no option depth; it has alpha, .*resolution, weights, softmax"),
        ("keras:VGG16:resolution=7", "could not be built: Input size must be at least 32x32"),
        ("keras:VGG16:resolution=wide", "resolution=wide: expected a number, such as 224"),
    ],
)
def test_what_cannot_be_built_is_a_usage_error_that_names_what_can(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        load(text)
    assert isinstance(caught.value, OptionError) is ("no option" in says or ": expected" in says)


def test_an_error_within_a_builders_file_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import no_such_module\n")
    with pytest.raises(UsageError, match=r"importing net\.py: ModuleNotFoundError"):
        load(str(tmp_path / "net.py"))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def build():\n    return [][1]\n", r"could not be built: IndexError: list index out of range \(net\.py:2\)"),
        ("import sys\ndef build():\n    sys.exit('no')\n", r"could not be built: SystemExit: no \(net\.py:3\)"),
        ("import json\ndef build():\n    json.loads('{')\n", r"JSONDecodeError: .* \(net\.py:3\)"),
        ("raise SystemExit(4)\n", r"importing net\.py: SystemExit: 4 \(net\.py:1\)"),
        ("\ndef build(:\n", r"importing net\.py: SyntaxError: .* \(net\.py:2\)"),
    ],
)
def test_an_error_of_a_builder_has_its_type_and_its_line(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "net.py").write_text(source)
    with pytest.raises(UsageError, match=says):
        load(str(tmp_path / "net.py"))


def test_a_builder_may_import_what_lies_beside_it_and_that_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "own_layers_a.py").write_text(LAYER)
    (tmp_path / "net.py").write_text(
        "import keras\nimport own_layers_a\nINPUT_RANGE = (0.0, 9.0)\n\n\n"
        "def build():\n    return keras.Sequential([keras.Input((2,)), own_layers_a.Twice()])\n"
    )
    loaded = load(str(tmp_path / "net.py"))
    assert [file.name for file in loaded.files] == ["own_layers_a.py"]
    assert loaded.input_range == (0.0, 9.0)


# --- files with code


@pytest.fixture(scope="module")
def saved_with_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``lambda.*`` and ``custom.*``; the class is in no module that can be imported from there."""
    import keras

    folder = tmp_path_factory.mktemp("code")
    scope: dict[str, Any] = {}
    exec(LAYER, scope)
    for suffix in ("keras", "h5"):
        for name, layer in (("lambda", keras.layers.Lambda(lambda t: t * 2)), ("custom", scope["Twice"]())):
            keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2)]).save(folder / f"{name}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_lambda_is_refused_unless_it_is_allowed(saved_with_code: Path, suffix: str) -> None:
    path = saved_with_code / f"lambda.{suffix}"
    with pytest.raises(UsageError, match="--unsafe"):
        load(str(path))
    assert load(str(path), unsafe=True).model.output_shape == (None, 2)


def test_allowed_code_is_a_caution(saved_with_code: Path, answer_here: Callable[..., ChildAnswer]) -> None:
    prepared = answer_here(str(saved_with_code / "lambda.keras"), unsafe=True).prepared
    assert prepared is not None
    assert "unsafe" in {caution.code for caution in prepared.cautions}
    assert prepared.failures == {}


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_class_that_is_missing_is_named_with_the_flag(
    saved_with_code: Path, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved_with_code / f"custom.{suffix}"
    with pytest.raises(UsageError, match=r"the class Twice is not part of Keras.*--custom-objects module:Twice"):
        load(str(path))
    (tmp_path / f"own_layers_{suffix}.py").write_text(LAYER)
    monkeypatch.chdir(tmp_path)
    loaded = load(str(path), custom_objects=(f"own_layers_{suffix}:Twice",))
    assert [file.name for file in loaded.files] == [f"own_layers_{suffix}.py"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Twice", "expected module:Class"),
        ("nowhere:Twice", "No module named 'nowhere'"),
        ("json:Twice", "no attribute"),
    ],
)
def test_a_wrong_custom_object_is_a_usage_error(saved_with_code: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(str(saved_with_code / "custom.keras"), custom_objects=(text,))


def test_a_file_that_keras_cannot_read_is_an_error_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"nothing")
    spec = ModelSpec(
        text="m.keras", kind="keras_file", name="m.keras", display="m.keras", path=str(tmp_path / "m.keras")
    )
    from bench.prepare.child.load import load_keras_model

    with pytest.raises(BenchError, match="Keras could not load it") as raised:
        load_keras_model(spec, PrepareSettings())
    assert "\n" not in str(raised.value)
