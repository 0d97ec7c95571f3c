from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench import pipeline
from bench.commands.run import run_models, stage_text
from bench.errors import UsageError
from bench.flags import Flags
from bench.measure.machine import effective_cpus
from bench.pipeline import RunResult
from bench.progress import Silent
from bench.records import PrepareSettings
from bench.resume import KeptPlan, keep_plan
from bench.specs import parse_model
from command_fakes import FakePipeline, Heard
from report_fakes import environment, row

PLAIN = Flags(model=("mobilenet_v1",))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakePipeline:
    monkeypatch.chdir(tmp_path)
    fake = FakePipeline([row()], exit_code=5)
    monkeypatch.setattr(pipeline, "run_suite", fake.run_suite)
    return fake


def run(flags: Flags = PLAIN, **settings: Any) -> tuple[int, Heard]:
    heard = Heard()
    given: dict[str, Any] = {"suite_file": None, "out": None, "resume": None, "command": "bench run", **settings}
    code = run_models(flags, console=heard.console, progress=Silent(), platform=given.pop("platform", "linux"), **given)
    return code, heard


def test_the_exit_code_is_that_of_the_rows(fake: FakePipeline) -> None:
    code, heard = run(out=Path("here"))
    assert code == 5
    assert "onnxruntime-cpu" in heard.text
    assert heard.err == ["report: here"]
    assert fake.calls[0]["command"] == "bench run"
    assert fake.calls[0]["resume"] is False


def test_without_a_model_the_suite_file_of_the_folder_is_run(fake: FakePipeline) -> None:
    Path("bench.toml").write_text('models = ["article_cnn", "mobilenet_v2"]')
    run(Flags(quick=True))
    assert list(fake.suites[0].batch_sizes) == ["article_cnn", "mobilenet_v2"]
    assert fake.suites[0].measure.repetitions == 3


def test_a_model_by_name_does_not_look_at_the_suite_file(fake: FakePipeline) -> None:
    Path("bench.toml").write_text("this is not toml")
    run()
    assert list(fake.suites[0].batch_sizes) == ["mobilenet_v1"]


def test_neither_a_model_nor_a_suite_file_is_a_mistake(fake: FakePipeline) -> None:
    with pytest.raises(UsageError, match=r"no suite file bench\.toml; name a model"):
        run(Flags())


def test_models_come_from_one_place(fake: FakePipeline) -> None:
    with pytest.raises(UsageError, match="not from both"):
        run(suite_file=Path("other.toml"))


def test_mistakes_of_flags_and_file_are_reported_together(fake: FakePipeline) -> None:
    Path("bench.toml").write_text("models = [1]")
    with pytest.raises(UsageError) as caught:
        run(Flags(batch="0"))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["-b 0", "bench.toml"]


def test_more_threads_than_cpus_is_a_warning_and_goes_on(fake: FakePipeline) -> None:
    _, heard = run(Flags(model=("mobilenet_v1",), threads=8 * effective_cpus()), out=Path("here"))
    assert heard.err[0].startswith(f"-x {8 * effective_cpus()}: this process may use")
    assert fake.suites[0].threads == 8 * effective_cpus()


def test_so_many_threads_that_a_runtime_hangs_are_refused(fake: FakePipeline) -> None:
    with pytest.raises(UsageError, match=r"^-x 99999: runtimes hang with so many threads; give at most 8 for each of"):
        run(Flags(model=("mobilenet_v1",), threads=99999))
    assert fake.suites == []


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_another_system_is_refused(platform: str, fake: FakePipeline) -> None:
    with pytest.raises(UsageError, match=f"Linux only, this is {platform}"):
        run(platform=platform)
    assert fake.suites == []


def test_a_run_that_is_refused_leaves_no_folder(fake: FakePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> RunResult:
        assert [path.name.partition("-")[2] for path in Path("reports").iterdir()] == ["mobilenet_v1"]
        raise UsageError("no such layer")

    monkeypatch.setattr(pipeline, "run_suite", refuse)
    with pytest.raises(UsageError, match="no such layer"):
        run()
    assert list(Path().iterdir()) == []


def interrupted(folder: Path, *models: str, **settings: Any) -> None:
    kept = environment()
    specs = tuple(parse_model(text) for text in models)
    suite = msgspec.structs.replace(kept.suite, models=specs, batch_sizes={spec.display: (1,) for spec in specs})
    suite = msgspec.structs.replace(suite, prepare=PrepareSettings(**settings))
    keep_plan(folder, KeptPlan(environment=msgspec.structs.replace(kept, suite=suite), available_bytes=1 << 33))


def test_resuming_takes_the_suite_from_the_report(fake: FakePipeline, tmp_path: Path) -> None:
    Path("net.py").touch()
    interrupted(tmp_path / "r", "mobilenet_v1:alpha=0.5", "net.py:build")
    code, _ = run(Flags(), resume=tmp_path / "r")
    assert code == 5
    assert fake.calls[0]["resume"] is True
    assert fake.calls[0]["out"] == tmp_path / "r"
    assert [model.display for model in fake.suites[0].models] == ["mobilenet_v1:alpha=0.5", "net.py:build"]


def test_resuming_a_finished_report_is_refused(fake: FakePipeline, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no interrupted run"):
        run(Flags(), resume=tmp_path)


def test_resuming_takes_nothing_else(fake: FakePipeline, tmp_path: Path) -> None:
    interrupted(tmp_path / "r", "mobilenet_v1")
    more: list[tuple[Flags, dict[str, Path]]] = [
        (Flags(quick=True), {}),
        (Flags(), {"out": tmp_path / "o"}),
        (Flags(), {"suite_file": tmp_path / "bench.toml"}),
    ]
    for flags, settings in more:
        with pytest.raises(UsageError, match="give it alone"):
            run(flags, resume=tmp_path / "r", **settings)


def test_resuming_without_its_files_says_which(fake: FakePipeline, tmp_path: Path) -> None:
    Path("net.py").touch()
    interrupted(tmp_path / "r", "net.py:build", load_inputs="in.npz")
    Path("net.py").unlink()
    with pytest.raises(UsageError, match=r"net\.py, in\.npz is not there"):
        run(Flags(), resume=tmp_path / "r")


def test_where_the_time_went_is_told_without_what_took_next_to_none() -> None:
    text = stage_text({"prepare: load": 12.34, "save": 0.04, "measure": 60.0})
    assert text == "time: prepare: load 12.3 s, measure 60.0 s; 72 s in all"
