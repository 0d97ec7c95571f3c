"""Published accuracy is joined strictly: what is not known to be of a point is told and not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.prepare.zoo import models_folder
from bench.records import SweepPlan, SweepPoint
from bench.specs import parse_model
from bench.sweep_accuracy import read_accuracy, shipped_accuracy, with_accuracy
from bench.sweep_axes import grid_models, parse_axes

GOOD = "# what it is\nalpha,published_top1,source\n0.25,41.5,a table\n0.50,56.3,a table\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accuracy.csv"
    path.write_text(text)
    return path


def joined(path: Path, model: str = "mobilenet_v1", **axes: str) -> SweepPlan:
    parsed = parse_axes([(f"--{name}", values) for name, values in axes.items()])
    models = grid_models(model, parsed)
    points = tuple(SweepPoint(model=spec.display, values=values) for spec, values in models)
    plan = SweepPlan(schema_version=1, base=model, axes=parsed, points=points)
    return with_accuracy(plan, {spec.display: spec for spec, _ in models}, read_accuracy(path))


def test_values_are_joined_as_numbers(tmp_path: Path) -> None:
    plan = joined(written(tmp_path, GOOD), alpha="0.250,0.5")
    assert [point.published for point in plan.points] == [{"published_top1": 41.5}, {"published_top1": 56.3}]
    assert (plan.accuracy_file, plan.accuracy_sources, plan.notes) == ("accuracy.csv", ("a table",), ())


def test_a_point_without_a_row_is_told_and_has_none(tmp_path: Path) -> None:
    plan = joined(written(tmp_path, GOOD), alpha="0.25,0.3")
    assert [point.published for point in plan.points] == [{"published_top1": 41.5}, {}]
    assert plan.notes == ("accuracy.csv has no accuracy for alpha=0.3",)


def test_an_argument_that_is_fixed_in_the_model_is_joined_too(tmp_path: Path) -> None:
    path = written(tmp_path, "alpha,resolution,published_top1\n0.25,128,41.5\n0.25,160,45.5\n0.5,160,59.1\n")
    plan = joined(path, "mobilenet_v1:resolution=160", alpha="0.25,0.5")
    assert [point.published["published_top1"] for point in plan.points] == [45.5, 59.1]


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("mobilenet_v1", "it is by resolution, which is not said of the model"),
        ("mobilenet_v1:resolution=128,classes=10", "it has no column classes"),
        ("mobilenet_v1:resolution=999", "it has no row for any point, such as alpha=0.25, resolution=999"),
    ],
)
def test_accuracy_that_may_be_of_other_models_is_refused(model: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        joined(models_folder() / "mobilenet_v1_published.csv", model, alpha="0.25,0.5")


def test_weights_and_softmax_make_no_other_network(tmp_path: Path) -> None:
    plan = joined(written(tmp_path, GOOD), "mobilenet_v1:weights=random,softmax=false", alpha="0.25,0.5")
    assert all(point.published for point in plan.points)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("alpha,top1\n1,2\n", "accuracy whose name begins with published_"),
        ("published_top1\n2\n", "expected arguments of the model"),
        ("alpha,alpha,published_top1\n1,1,2\n", "each once"),
        ("alpha,published_top1\n1\n", "line 2: 1 cells, the header has 2"),
        ("alpha,published_top1\n1,good\n", "line 2, published_top1: expected a number, got 'good'"),
        ("alpha,published_top1\n1,nan\n", "expected a number, got 'nan'"),
        ("# a\n\nalpha,published_top1\n1,2\n1.0,3\n", "line 5: alpha=1.0 comes twice"),
    ],
)
def test_a_file_that_cannot_be_meant_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_accuracy(written(tmp_path, text))
    assert told in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_accuracy(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_accuracy(tmp_path / "odd.csv")


def test_an_empty_cell_is_no_accuracy(tmp_path: Path) -> None:
    plan = joined(written(tmp_path, "alpha,published_top1\n0.25,\n0.5,56.3\n"), alpha="0.25,0.5")
    assert [point.published for point in plan.points] == [{}, {"published_top1": 56.3}]
    assert plan.notes


def test_the_shipped_file_has_the_sixteen_models_of_the_paper() -> None:
    path = shipped_accuracy(parse_model("mobilenet_v1"))
    assert path is not None
    published = read_accuracy(path)
    assert published.arguments == ("alpha", "resolution")
    assert len(published.rows) == 16
    assert published.rows[(1.0, 224.0)] == {"published_top1": 70.9, "published_top5": 89.9}
    assert "not measured" in path.read_text().lower()
    assert shipped_accuracy(parse_model("article_cnn")) is None
