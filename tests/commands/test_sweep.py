"""``bench sweep``: what it asks the pipeline for, what it refuses, and a small grid measured in earnest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from bench import cli, pipeline
from bench.commands.sweep import SweepAsked, sweep_models
from bench.errors import UsageError
from bench.flags import Flags
from bench.pipeline import RunResult
from bench.progress import Silent
from bench.records import Suite, SweepPlan
from bench.report.sweep_store import read_plan
from command_fakes import Heard

GRID = SweepAsked(swept=(("--alpha", "0.25,0.5"), ("--resolution", "128,160")))
ZOO = Flags(model=("mobilenet_v1",), runtime=("cpu",), quick=True)


class RefusedError(Exception):
    """The pipeline was reached."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Suite]:
    """The suites that the pipeline is asked for; it measures nothing."""
    suites: list[Suite] = []

    def run_suite(suite: Suite, out: Path, **_: Any) -> RunResult:
        suites.append(suite)
        raise RefusedError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipeline, "run_suite", run_suite)
    return suites


def sweep(flags: Flags = ZOO, grid: SweepAsked = GRID, platform: str = "linux") -> Heard:
    heard = Heard()
    with pytest.raises(RefusedError):
        sweep_models(flags, grid, command="", console=heard.console, progress=Silent(), platform=platform)
    return heard


def refused(flags: Flags = ZOO, grid: SweepAsked = GRID, platform: str = "linux") -> str:
    with pytest.raises(UsageError) as caught:
        sweep_models(flags, grid, command="", console=Heard().console, progress=Silent(), platform=platform)
    return str(caught.value)


def test_every_point_is_a_model_of_one_suite_and_the_grid_is_told_first(asked: list[Suite]) -> None:
    heard = sweep()
    assert [model.display for model in asked[0].models] == [
        f"mobilenet_v1:alpha={alpha},resolution={side}" for alpha in (0.25, 0.5) for side in (128, 160)
    ]
    assert asked[0].is_grid
    assert heard.err[0].startswith("alpha 2 x resolution 2: 4 models, 4 cases, 12 fresh processes; roughly 12 s")


def test_a_sweep_that_is_refused_leaves_no_folder(asked: list[Suite], tmp_path: Path) -> None:
    sweep()
    assert list(tmp_path.iterdir()) == []


def test_published_accuracy_comes_with_the_model_of_the_zoo(
    monkeypatch: pytest.MonkeyPatch, asked: list[Suite]
) -> None:
    plans = kept_plans(monkeypatch)
    sweep()
    assert plans[-1].points[0].published == {"published_top1": 41.5, "published_top5": 66.3}
    sweep(ZOO, SweepAsked(swept=(("--alpha", "0.25,0.5"),)))
    assert not any(point.published for point in plans[-1].points)
    assert "it is by resolution, which is not said of the model" in plans[-1].notes[0]
    sweep(msgspec.structs.replace(ZOO, model=("article_cnn",)), SweepAsked(swept=(("--width", "0.25,0.5"),)))
    assert (plans[-1].accuracy_file, plans[-1].notes) == ("", ())


def kept_plans(monkeypatch: pytest.MonkeyPatch) -> list[SweepPlan]:
    from bench.report import sweep_store

    plans: list[SweepPlan] = []
    write = sweep_store.write_plan

    def keep(folder: Path, plan: SweepPlan) -> None:
        plans.append(plan)
        write(folder, plan)

    monkeypatch.setattr(sweep_store, "write_plan", keep)
    return plans


def test_a_users_own_accuracy_that_does_not_fit_is_a_mistake(asked: list[Suite], tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("width,published_top1\n1,2\n")
    grid = SweepAsked(swept=GRID.swept, accuracy=Path("own.csv"))
    assert "own.csv: it is by width, which is not said of the model" in refused(grid=grid)


def test_too_many_cases_are_asked_about(asked: list[Suite]) -> None:
    sides = ",".join(str(32 * n) for n in range(1, 102))
    swept = (("--alpha", "0.25,0.5"), ("--resolution", sides))
    assert "202 models, 202 cases" in (said := refused(grid=SweepAsked(swept=swept)))
    assert said.endswith("more than 200 cases: sweep fewer values, or add --yes")
    sweep(grid=SweepAsked(swept=swept, yes=True))
    assert len(asked[0].models) == 202


@pytest.mark.parametrize(
    ("flags", "grid", "told"),
    [
        (Flags(), GRID, "bench sweep takes one model, got no model"),
        (Flags(model=("a", "b")), GRID, "got 2 models: a, b"),
        (ZOO, SweepAsked(), "nothing to sweep"),
        (ZOO, SweepAsked(resume=Path("x")), "--resume x takes what was asked for then; give it alone"),
        (ZOO, SweepAsked(stored=Path("x")), "--from x takes what was asked for then; give it alone or with --accuracy"),
        (Flags(), SweepAsked(stored=Path("x")), "reading sweep x: no sweep.json in it"),
        (Flags(), SweepAsked(resume=Path("x")), "reading sweep x: no sweep.json in it"),
        (msgspec.structs.replace(ZOO, model=("nothing",)), GRID, "model 'nothing' is not known"),
    ],
)
def test_what_cannot_be_meant_is_told(flags: Flags, grid: SweepAsked, told: str, asked: list[Suite]) -> None:
    assert told in refused(flags, grid)
    assert asked == []


def test_another_system_is_refused(asked: list[Suite]) -> None:
    assert refused(platform="darwin").startswith("bench sweep measures on Linux only, this is darwin")


def test_words_of_the_command_line_reach_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[Flags, SweepAsked]] = []

    def take(flags: Flags, asked: SweepAsked, **_: Any) -> int:
        seen.append((flags, asked))
        return 5

    monkeypatch.setattr("bench.commands.sweep.sweep_models", take)
    words = "sweep --alpha 0.25,0.5 mobilenet_v1 -e tf,cpu --resolution=128 --axis seed=1,2 --quick --accuracy a.csv"
    assert cli.run_cli(words.split()) == 5
    flags, asked = seen[0]
    assert (flags.model, flags.runtime, flags.quick) == (("mobilenet_v1",), ("tf,cpu",), True)
    assert asked == SweepAsked(
        swept=(("--alpha", "0.25,0.5"), ("--resolution", "128")), axes=("seed=1,2",), accuracy=Path("a.csv")
    )
    assert cli.run_cli(["sweep", "mobilenet_v1", "--runtme", "cpu"]) == 2
    assert "did you mean --runtime?" in capsys.readouterr().err
    assert cli.run_cli(["sweep", "--help"]) == 0
    assert "--alpha 0.25,0.5,1.0" in capsys.readouterr().out


NET = """
import keras

def build(units: int = 4, depth: int = 1) -> keras.Model:
    if units == 13:
        raise ValueError("units must not be 13")
    x = image = keras.Input((16,), name="image")
    for number in range(depth):
        x = keras.layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
    return keras.Model(image, keras.layers.Dense(3, name="out")(x))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("sweep")
    (where / "net.py").write_text(NET)
    heard = Heard()
    flags = Flags(model=(f"{where}/net.py:build",), runtime=("cpu",), quick=True, threads=1)
    grid = SweepAsked(swept=(("--units", "64,13,512,2048"),), out=where / "out")
    code = sweep_models(flags, grid, command="bench sweep", console=heard.console, progress=Silent())
    assert code == 6  # a point that can't be built is a row that failed
    assert "Left out (failed: " in heard.text
    return where / "out"


@pytest.mark.slow
def test_a_point_that_cannot_be_built_is_a_row_with_its_reason(folder: Path) -> None:
    table = pd.read_parquet(folder / "sweep.parquet").set_index("units")
    assert list(table.index) == [64, 13, 512, 2048]
    assert table.loc[13, "status"] == "failed"
    assert "units must not be 13" in str(table.loc[13, "why_not"])
    assert table["latency_ns_best"].isna().to_dict() == {64: False, 13: True, 512: False, 2048: False}
    assert (table["agreement"].drop(13) == "agrees").all()
    assert table.loc[2048, "macs"] == 16 * 2048 + 2048 * 3


@pytest.mark.slow
def test_a_sweep_is_a_report_with_more_in_it(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"results.parquet", "report.md", "sweep.json", "sweep.parquet", "sweep.md", "sweep.html"} <= names
    assert {"sweep_latency.png", "sweep_memory.svg"} <= names
    assert "journal" not in names


@pytest.mark.slow
def test_a_stored_sweep_is_drawn_again_with_other_accuracy(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("units,published_f1,source\n64,0.5,a talk\n512,0.7,a talk\n2048,0.72,a talk\n")
    before = pd.read_parquet(folder / "sweep.parquet")
    heard = Heard()
    asked = SweepAsked(stored=folder, accuracy=own)
    assert sweep_models(Flags(), asked, command="", console=heard.console, progress=Silent()) == 0
    after = pd.read_parquet(folder / "sweep.parquet")
    pd.testing.assert_frame_equal(
        after[before.columns].drop(columns="accuracy_file"), before.drop(columns="accuracy_file")
    )
    assert after["published_f1"].dropna().tolist() == [0.5, 0.7, 0.72]
    assert read_plan(folder).accuracy_sources == ("a talk",)
    assert "own.csv has no accuracy for units=13." in heard.text
    assert (folder / "sweep_accuracy_f1.png").is_file()


@pytest.mark.slow
def test_a_key_that_the_model_does_not_take_is_a_mistake_at_once(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    flags = Flags(model=(f"{tmp_path}/net.py",), runtime=("cpu",), quick=True)
    grid = SweepAsked(swept=(("--unitss", "8,16"),), out=tmp_path / "out")
    assert "no option unitss; it has units, depth" in refused(flags, grid)
    grid = SweepAsked(swept=(("--units", "8,wide"),), out=tmp_path / "out")
    assert refused(flags, grid).endswith("units=wide: expected a number, such as 4")
    assert not (tmp_path / "out").exists()
