"""The parent of prepare, with a fake child: what is kept, when it is made again, and what is copied out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from bench.errors import BenchError, DisagreeError, UnsupportedError, UsageError
from bench.places import cache_folder
from bench.prepare import cache
from bench.prepare.arrays import load_arrays, save_arrays
from bench.prepare.prepare import cache_key, describe_models, export_onnx, prepare_model
from bench.records import ModelSpec, Prepared, PrepareSettings

FAKE = Path(__file__).with_name("fake_child.py")
SETTINGS = PrepareSettings()


@dataclass
class Desk:
    """A cache of its own and a counted fake child."""

    folder: Path

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, str(FAKE), str(self.folder / "starts"))

    def prepare(self, spec: ModelSpec, settings: PrepareSettings = SETTINGS) -> Prepared:
        return prepare_model(spec, settings, command=self.command)

    def export(self, spec: ModelSpec, output: Path) -> str:
        return export_onnx(spec, SETTINGS, output, command=self.command).path

    def starts(self) -> int:
        file = self.folder / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return Desk(tmp_path)


def zoo(text: str = "mobilenet_v1", **options: str) -> ModelSpec:
    return ModelSpec(text=text, kind="zoo", name="mobilenet_v1", display=text, options=options)


def file_spec(path: Path, display: str = "m.keras") -> ModelSpec:
    return ModelSpec(text=str(path), kind="keras_file", name=path.name, display=display, path=str(path))


def test_paths_are_absolute_and_what_they_name_is_there(desk: Desk) -> None:
    prepared = desk.prepare(zoo())
    assert Path(prepared.artifacts["onnx"].path).read_bytes() == b"onnx"
    assert Path(prepared.artifacts["saved_model"].path, "saved_model.pb").exists()
    assert load_arrays(prepared.pool)["x"].shape == (8, 2)
    assert load_arrays(prepared.truth_file)["y"].dtype == "float64"
    assert prepared.stages_ns == {"load": 5}


def test_the_second_time_nothing_is_started_and_no_stage_took_time(desk: Desk) -> None:
    first = desk.prepare(zoo())
    second = desk.prepare(zoo("mobilenet_v1#again"))
    assert desk.starts() == 1
    assert second.stages_ns == {}
    assert second.model == "mobilenet_v1#again"
    assert second.artifacts == first.artifacts


@pytest.mark.parametrize(
    "other",
    [
        (zoo(alpha="0.5"), SETTINGS),
        (zoo(), PrepareSettings(seed=1)),
        (zoo(), PrepareSettings(opset=17)),
        (zoo(), PrepareSettings(input_ranges={"": (0.0, 2.0)})),
    ],
)
def test_other_options_or_settings_are_another_entry(desk: Desk, other: tuple[ModelSpec, PrepareSettings]) -> None:
    desk.prepare(zoo())
    desk.prepare(*other)
    assert desk.starts() == 2


def test_a_models_file_counts_by_content_not_by_place_or_time(desk: Desk, tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "m.keras").write_bytes(b"one")
    assert cache_key(file_spec(tmp_path / "here" / "m.keras"), SETTINGS) == cache_key(
        file_spec(tmp_path / "there" / "m.keras"), SETTINGS
    )
    (tmp_path / "there" / "m.keras").write_bytes(b"two")
    assert cache_key(file_spec(tmp_path / "here" / "m.keras"), SETTINGS) != cache_key(
        file_spec(tmp_path / "there" / "m.keras"), SETTINGS
    )


@pytest.mark.parametrize("field", ["load_inputs", "onnx_file"])
def test_files_in_the_settings_count_by_content(desk: Desk, tmp_path: Path, field: str) -> None:
    keys = set()
    for place, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / place).write_bytes(content)
        keys.add(cache_key(zoo(), msgspec.structs.replace(SETTINGS, **{field: str(tmp_path / place)})))
    assert len(keys) == 2


def test_of_a_folder_with_test_data_nothing_else_counts(tmp_path: Path) -> None:
    """It is the model's own folder where the data lies beside it: outputs may be kept there, and other models."""
    (tmp_path / "test_data_set_0").mkdir()
    (tmp_path / "test_data_set_0" / "input_0.pb").write_bytes(b"one")
    settings = msgspec.structs.replace(SETTINGS, load_inputs=str(tmp_path))
    key = cache_key(zoo(), settings)
    (tmp_path / "other.onnx").write_bytes(b"something else")
    assert cache_key(zoo(), settings) == key
    (tmp_path / "test_data_set_0" / "input_0.pb").write_bytes(b"two")
    assert cache_key(zoo(), settings) != key


def test_an_own_litert_file_makes_no_other_preparation() -> None:
    own = msgspec.structs.replace(SETTINGS, litert_file="own.tflite", litert_names={"a": "b"})
    assert cache_key(zoo(), own) == cache_key(zoo(), SETTINGS)


def test_a_file_that_the_model_imports_counts(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"one")
    (tmp_path / "layers.py").write_text("x = 1")
    desk.prepare(file_spec(tmp_path / "m.keras"))
    desk.prepare(file_spec(tmp_path / "m.keras"))
    assert desk.starts() == 1
    (tmp_path / "layers.py").write_text("x = 2")
    desk.prepare(file_spec(tmp_path / "m.keras"))
    assert desk.starts() == 2


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("onnx/model.onnx", "onnx"),
        ("onnx/weights.bin", "onnx"),
        ("saved_model/saved_model.pb", "saved_model"),
        ("inputs.npz", "inputs"),
        ("truth.npz", "truth"),
    ],
)
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_damaged_entry_is_made_again_with_a_caution(desk: Desk, file: str, what: str, how: str) -> None:
    desk.prepare(zoo())
    path = Path(cache.entries()[0].path) / file
    if how == "gone":
        path.unlink()
    elif file.endswith(".npz"):
        save_arrays(path, {name: array + 1 for name, array in load_arrays(path).items()})
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    again = desk.prepare(zoo())
    assert [caution.text for caution in again.cautions] == [f"the kept {what} had changed on disk; it was made again"]
    assert desk.prepare(zoo()).cautions == ()
    assert desk.starts() == 2


def test_an_answer_that_cannot_be_read_is_made_again(desk: Desk) -> None:
    desk.prepare(zoo())
    (Path(cache.entries()[0].path) / "answer.json").write_bytes(b'{"prepared": ')
    assert cache.entries()[0].model == "(damaged)"
    assert desk.prepare(zoo()).model == "mobilenet_v1"
    assert desk.starts() == 2


def test_a_child_that_fails_leaves_nothing(desk: Desk) -> None:
    with pytest.raises(BenchError, match="exit code 1"):
        prepare_model(zoo(), SETTINGS, command=(sys.executable, "-c", "raise SystemExit(1)"))
    assert list((cache_folder() / "models").iterdir()) == []


def test_an_entry_that_somebody_else_made_meanwhile_is_taken(desk: Desk) -> None:
    desk.prepare(zoo())
    place = Path(cache.entries()[0].path)
    with cache.unfinished_folder() as folder:
        (folder / "answer.json").write_bytes(b"ours")
        assert cache.keep(folder, place.name, replacing=False) == place
    assert (place / "answer.json").read_bytes() != b"ours"
    with cache.unfinished_folder() as folder:
        (folder / "answer.json").write_bytes(b"ours")
        cache.keep(folder, place.name, replacing=True)
    assert (place / "answer.json").read_bytes() == b"ours"
    assert list(place.parent.iterdir()) == [place]


def test_stages_are_told(desk: Desk) -> None:
    told: list[str] = []
    prepare_model(zoo(), SETTINGS, on_stage=told.append, command=desk.command)
    assert told == ["load"]


def test_entries_say_model_size_and_age_and_clear_frees_them(desk: Desk) -> None:
    assert cache.entries() == []
    assert cache.clear() == 0
    desk.prepare(zoo())
    desk.prepare(zoo("mobilenet_v1:alpha=0.5", alpha="0.5"))
    entries = cache.entries()
    assert {entry.model for entry in entries} == {"mobilenet_v1", "mobilenet_v1:alpha=0.5"}
    assert all(entry.size_bytes > 500 and 0 <= entry.age_s < 600 for entry in entries)
    assert cache.clear() >= sum(entry.size_bytes for entry in entries)
    assert cache.entries() == []
    desk.prepare(zoo())
    assert desk.starts() == 3


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("BENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "onnx-crossbench"


def test_export_copies_the_file_and_its_data(desk: Desk, tmp_path: Path) -> None:
    output = tmp_path / "out" / "my.onnx"
    output.parent.mkdir()
    assert desk.export(zoo(), output) == str(output)
    assert sorted(file.name for file in output.parent.iterdir()) == ["my.onnx", "weights.bin"]
    assert output.read_bytes() == b"onnx"


@pytest.mark.parametrize(("verdict", "raised"), [("disagrees", DisagreeError), ("unchecked", UnsupportedError)])
def test_a_failed_export_leaves_no_file_and_keeps_what_was_there(
    desk: Desk, tmp_path: Path, verdict: str, raised: type[BenchError]
) -> None:
    output = tmp_path / "my.onnx"
    with pytest.raises(raised, match=r"exporting mobilenet_v1: wrong by 0\.6"):
        desk.export(zoo(fail=verdict), output)
    assert not output.exists()
    output.write_bytes(b"mine")
    with pytest.raises(raised):
        desk.export(zoo(fail=verdict), output)
    assert output.read_bytes() == b"mine"


def test_export_into_a_folder_that_is_not_there_says_so_before_anything_is_made(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        desk.export(zoo(), tmp_path / "none" / "my.onnx")
    assert desk.starts() == 0


def test_all_models_are_described_by_one_child(desk: Desk) -> None:
    facts = describe_models([zoo("a"), zoo("b")], SETTINGS, command=desk.command)
    assert [(fact.model, fact.parameters) for fact in facts] == [("a", 6), ("b", 6)]
    assert desk.starts() == 1
    assert cache.entries() == []


@pytest.mark.parametrize("opset", [6, 19])
def test_an_operator_set_that_cannot_be_written_is_refused_before_anything_starts(opset: int) -> None:
    spec = ModelSpec(text="net", kind="zoo", name="article_cnn", display="net")
    with pytest.raises(UsageError, match=f"--opset {opset}: expected 7 to 18"):
        prepare_model(spec, PrepareSettings(opset=opset), command=("no-such-program",))
