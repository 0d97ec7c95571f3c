"""Other forms of a model, by a fake child: what is kept, when it is made again, and how a failure comes back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from analysis_fakes import prepared as fake_prepared
from bench.errors import UsageError
from bench.prepare import cache
from bench.prepare.variants import make_variant, variant_key
from bench.records import Artifact, ArtifactKind, Failure, ModelSpec, Precision, Prepared, PrepareSettings
from fakes import artifact

FAKE = Path(__file__).with_name("fake_variant_child.py")
SPEC = ModelSpec(text="m", kind="zoo", name="m", display="m")
Make = Callable[..., Artifact | Failure]


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "starts"


@pytest.fixture
def make(starts: Path) -> Make:
    def make(
        model: Prepared | None = None,
        kind: ArtifactKind = "onnx",
        precision: Precision = "int8",
        spec: ModelSpec = SPEC,
        said: list[str] | None = None,
        settings: PrepareSettings = PrepareSettings(),  # noqa: B008 (frozen)
    ) -> Artifact | Failure:
        return make_variant(
            model or prepared(),
            spec,
            settings,
            kind,
            precision,
            on_stage=(said if said is not None else []).append,
            command=(sys.executable, str(FAKE), str(starts)),
        )

    return make


def prepared(**changes: object) -> Prepared:
    artifacts = {"onnx": artifact(digest="o"), "saved_model": artifact(kind="saved_model", digest="s")}
    return msgspec.structs.replace(fake_prepared(), **({"artifacts": artifacts} | changes))


def count(starts: Path) -> int:
    return len(starts.read_text().splitlines()) if starts.exists() else 0


def test_it_is_made_once_and_kept(make: Make, starts: Path) -> None:
    made = make()
    assert isinstance(made, Artifact)
    assert Path(made.path).read_bytes() == b"int8 onnx"
    assert make() == made
    assert count(starts) == 1


def test_each_precision_and_kind_is_another(make: Make, starts: Path) -> None:
    wanted: list[tuple[ArtifactKind, Precision]] = [("onnx", "int8"), ("onnx", "float16"), ("litert", "int8")]
    made = [make(kind=kind, precision=precision) for kind, precision in wanted]
    assert len({one.path for one in made if isinstance(one, Artifact)}) == 3
    assert count(starts) == 3


@pytest.mark.parametrize("field", ["model_digest", "yardstick", "pool", "truth_file"])
def test_it_depends_on_weights_inputs_and_truth(field: str) -> None:
    model = prepared()
    old = getattr(model, field)
    other = {"model_digest": "other", "yardstick": {"y": 0.5}}.get(field) or msgspec.structs.replace(old, digest="else")
    changed = msgspec.structs.replace(model, **{field: other})
    source = model.artifacts["onnx"].digest
    assert variant_key(model, source, "onnx", "int8") == variant_key(prepared(), source, "onnx", "int8")
    assert variant_key(changed, source, "onnx", "int8") != variant_key(model, source, "onnx", "int8")


def test_a_file_that_changed_on_disk_is_made_again(make: Make, starts: Path) -> None:
    made = make()
    assert isinstance(made, Artifact)
    Path(made.path).write_bytes(b"int8 onny")
    again = make()
    assert isinstance(again, Artifact)
    assert Path(again.path).read_bytes() == b"int8 onnx"
    assert count(starts) == 2


def test_it_is_listed_and_cleared_with_the_rest(make: Make, starts: Path) -> None:
    make()
    (entry,) = cache.entries()
    assert entry.model == "m as onnx int8"
    assert cache.clear() > 0
    make()
    assert count(starts) == 2


def test_stages_are_told_with_what_is_made(make: Make) -> None:
    said: list[str] = []
    make(said=said)
    assert said == ["m as onnx int8: convert"]


@pytest.mark.parametrize("status", ["unsupported", "unavailable", "failed"])
def test_an_error_of_the_child_is_a_failure_and_is_not_kept(make: Make, starts: Path, status: str) -> None:
    spec = msgspec.structs.replace(SPEC, options={"fail": status})
    for _ in range(2):
        assert make(spec=spec) == Failure(status=status, reason="no such operator")  # type: ignore[arg-type]
    assert count(starts) == 2
    assert cache.entries() == []


def test_a_mistake_of_the_users_is_raised(make: Make) -> None:
    with pytest.raises(UsageError):
        make(spec=msgspec.structs.replace(SPEC, options={"fail": "usage"}))


def test_an_onnx_source_has_no_litert_file_and_no_child_is_started(make: Make, starts: Path) -> None:
    absent = Failure(status="unsupported", reason="TensorFlow runs Keras models")
    model = prepared(artifacts={"onnx": artifact()}, failures={"saved_model": absent})
    made = make(model, kind="litert", precision="float32")
    assert isinstance(made, Failure)
    assert made.status == "unsupported"
    assert made.reason.startswith("a litert file is made from the Keras model or SavedModel, and there is none")
    assert count(starts) == 0


def test_an_own_litert_file_needs_no_other_form_and_counts_by_content_and_names(
    make: Make, starts: Path, tmp_path: Path
) -> None:
    model = prepared(artifacts={"onnx": artifact()})
    for place, content, names in (("a", b"one", {}), ("b", b"one", {}), ("b", b"one", {"x": "y"}), ("c", b"two", {})):
        (tmp_path / place).write_bytes(content)
        settings = PrepareSettings(litert_file=str(tmp_path / place), litert_names=names)
        assert isinstance(make(model, kind="litert", precision="float32", settings=settings), Artifact)
    assert count(starts) == 3


def test_a_model_without_an_onnx_file_has_the_reason_of_that(make: Make) -> None:
    absent = Failure(status="failed", reason="wrong by 0.6", verdict="disagrees")
    assert make(prepared(artifacts={}, failures={"onnx": absent})) == absent
