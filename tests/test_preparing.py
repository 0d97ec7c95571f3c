"""What is told while the models of a suite are prepared, and while their layers are counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import preparing
from bench.errors import BenchError, OptionError, UsageError
from bench.prepare import layer_costs
from bench.prepare.layer_costs import Layers, cost_layers
from bench.progress import Silent
from bench.records import MeasureSettings, ModelSpec, PrepareSettings, Suite
from bench.specs import parse_model, parse_runtimes
from bench.stages import Stages
from report_fakes import prepared

ARTICLE = parse_model("article_cnn")


class Listening(Silent):
    """Keeps what is said of stages."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def stage(self, name: str) -> None:
        self.said.append(name)


def test_what_a_child_is_at_is_told_with_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, on_stage: Callable[[str], None]) -> None:
        on_stage("load")
        raise BenchError("no such file")

    monkeypatch.setattr(preparing, "prepare_model", failing)
    suite = Suite(
        models=(ARTICLE,),
        runtimes=parse_runtimes(["onnxruntime-cpu"]),
        batch_sizes={"article_cnn": (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
    )
    progress = Listening()
    preparing.prepare_models(suite, progress, Stages())
    assert progress.said == ["preparing article_cnn", "preparing article_cnn: load"]


def raised_of_grid(monkeypatch: pytest.MonkeyPatch, wrong: BenchError) -> BenchError | None:
    """What is raised of a grid of three points whose last one alone is wrong."""

    def failing(model: ModelSpec, *_: Any, **__: Any) -> None:
        raise wrong if model.options["alpha"] == "abc" else BenchError("not looked at")

    monkeypatch.setattr(preparing, "prepare_model", failing)
    grid = Suite(
        models=tuple(parse_model(f"mobilenet_v1:alpha={alpha}") for alpha in ("0.5", "1", "abc")),
        runtimes=parse_runtimes(["onnxruntime-cpu"]),
        batch_sizes={"mobilenet_v1": (1,)},
        threads=1,
        prepare=PrepareSettings(),
        measure=MeasureSettings(),
        is_grid=True,
    )
    try:
        preparing.prepare_models(grid, Silent(), Stages())
    except BenchError as error:
        return error
    return None


def test_an_option_that_no_model_takes_is_a_mistake_of_the_whole_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = OptionError("alpha=abc: expected a number")
    assert raised_of_grid(monkeypatch, wrong) is wrong
    assert raised_of_grid(monkeypatch, UsageError("it could not be built")) is None  # a point that fails alone


def test_layers_are_counted_with_the_models_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def counting(*_: Any, on_stage: Callable[[str], None], **__: Any) -> Layers:
        on_stage("count")
        return Layers(layers=(), owners=())

    monkeypatch.setattr(layer_costs, "run_task", counting)
    said: list[str] = []
    cost_layers(prepared(), ARTICLE, PrepareSettings(), None, (), tmp_path, on_stage=said.append)
    assert said == ["layers of net: count"]
