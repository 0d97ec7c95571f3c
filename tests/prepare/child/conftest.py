"""Preparing a tiny model in this process: TensorFlow is imported once for all tests of the export child."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.prepare.cache import with_paths
from bench.prepare.messages import ChildAnswer
from bench.records import ModelSpec, Prepared, PrepareSettings
from bench.specs import parse_model

KINDS = Path(__file__).with_name("model_kinds.py")
Prepare = Callable[..., Prepared]


class Progress:
    """Stages, told to nobody."""

    def __init__(self) -> None:
        self.durations_ns: dict[str, int] = {}
        self.stages: list[str] = []

    def begin(self, stage: str) -> None:
        self.stages.append(stage)

    def end(self) -> None:
        self.stages.append("end")


@pytest.fixture(scope="session")
def answer_here(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ChildAnswer]:
    """A function: a spec and settings -> the child's answer, its paths absolute."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from bench.prepare.child import pipeline

    def answer(spec: ModelSpec | str, **settings: Any) -> ChildAnswer:
        folder = tmp_path_factory.mktemp("prepared")
        parsed = parse_model(spec) if isinstance(spec, str) else spec
        return with_paths(pipeline.prepare(parsed, PrepareSettings(**settings), folder, Progress()), folder)

    return answer


@pytest.fixture(scope="session")
def prepare_here(answer_here: Callable[..., ChildAnswer]) -> Prepare:
    """A function: a spec and settings -> Prepared; each model is made once a session."""
    made: dict[str, Prepared] = {}

    def prepare(spec: str, **settings: Any) -> Prepared:
        key = f"{spec} {sorted(settings.items())}"
        if key not in made:
            prepared = answer_here(spec, **settings).prepared
            assert prepared is not None
            made[key] = prepared
        return made[key]

    return prepare


@pytest.fixture(scope="session")
def prepare_kind(prepare_here: Prepare) -> Prepare:
    """The same for a model of ``model_kinds.py``, by its function's name and options."""

    def prepare(name: str, **settings: Any) -> Prepared:
        return prepare_here(f"{KINDS}:{name}", **settings)

    return prepare


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A function: a model of ``model_kinds.py`` and a suffix -> the file that it was saved to."""

    def save(name: str, suffix: str) -> Path:
        from bench.prepare.child.load import load_keras_model

        path = tmp_path_factory.mktemp("saved") / f"{name}.{suffix}"
        load_keras_model(parse_model(f"{KINDS}:{name}"), PrepareSettings()).model.save(path)
        return path

    return save
