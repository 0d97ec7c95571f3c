from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.commands.report_folder import claimed_folder
from bench.errors import UsageError
from bench.report import store
from bench.specs import parse_model
from report_fakes import environment

MODEL = [parse_model("mobilenet_v1")]
NOW = datetime(2026, 11, 25, 7, 23, 5, tzinfo=UTC)
DEFAULT = Path("reports/20261125T072305Z-mobilenet_v1")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_report_is_named_after_time_and_models() -> None:
    models = [parse_model(name) for name in ("mobilenet_v1", "mobilenet_v1:alpha=0.5", "article_cnn")]
    with claimed_folder(None, models, NOW) as folder:
        assert folder == Path("reports/20261125T072305Z-mobilenet_v1-article_cnn")
        assert folder.is_dir()


def test_a_long_name_is_cut() -> None:
    names = ("article_cnn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "keras:ResNet50")
    with claimed_folder(None, [parse_model(name) for name in names], NOW) as folder:
        assert folder.name == "20261125T072305Z-article_cnn-mobilenet_v1-mobilenet_v2-and-2-more"


def test_runs_of_the_same_second_get_folders_of_their_own() -> None:
    with ExitStack() as runs:
        folders = [runs.enter_context(claimed_folder(None, MODEL, NOW)) for _ in range(3)]
        assert folders == [DEFAULT, Path(f"{DEFAULT}-2"), Path(f"{DEFAULT}-3")]
        (folders[1] / "report.md").touch()
    assert list(Path("reports").iterdir()) == [folders[1]]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_named_folder_is_for_one_run_and_not_for_two(is_there: bool) -> None:
    out = Path("a/b")
    if is_there:
        out.mkdir(parents=True)
    with claimed_folder(out, MODEL, NOW) as folder:
        assert folder == out
        with pytest.raises(UsageError, match=r"-o a/b: something is there already; name another folder$"):
            claimed_folder(out, MODEL, NOW).__enter__()
        assert out.is_dir()
    assert out.exists() == is_there  # what was there before is left
    with claimed_folder(out, MODEL, NOW):
        pass


def test_a_claim_ends_with_its_process() -> None:
    code = (
        "import os, sys; from datetime import datetime; from pathlib import Path\n"
        "from bench.commands.report_folder import claimed_folder\n"
        "claim = claimed_folder(Path('out'), [], datetime.now()); claim.__enter__(); print('claimed', flush=True)\n"
        "sys.stdin.read(); os._exit(9)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "claimed\n"
    with pytest.raises(UsageError, match="something is there already"):
        claimed_folder(Path("out"), MODEL, NOW).__enter__()
    child.communicate(timeout=60)
    assert child.returncode == 9
    with claimed_folder(Path("out"), MODEL, NOW) as folder:
        assert folder == Path("out")


def test_a_report_stays_when_the_run_ends() -> None:
    with claimed_folder(Path("out"), MODEL, NOW) as folder:
        (folder / "report.md").touch()
    assert Path("out/report.md").exists()
    with pytest.raises(UsageError, match="name another folder"):
        claimed_folder(Path("out"), MODEL, NOW).__enter__()


def test_something_else_of_that_name_is_refused() -> None:
    Path("file").touch()
    for out in (Path("file"), Path("file/inside")):
        with pytest.raises(UsageError, match="name another"):
            claimed_folder(out, MODEL, NOW).__enter__()
    assert Path("file").is_file()


def test_an_interrupted_report_says_how_to_go_on() -> None:
    store.save_plan(Path("out"), environment())
    with pytest.raises(UsageError, match=r"bench run --resume out$"):
        claimed_folder(Path("out"), MODEL, NOW).__enter__()


@pytest.mark.parametrize("out", ["/proc/x", "/proc/x/y", "/proc/self/fdinfo", "file/inside"])
def test_a_folder_that_cannot_be_made_or_written_is_refused_at_once(out: str) -> None:
    Path("file").touch()
    with pytest.raises(
        UsageError, match=rf"^-o {out}: (can't be made or written: .*|something is there already); name"
    ):
        claimed_folder(Path(out), MODEL, NOW).__enter__()


def test_an_empty_folder_without_room_or_right_is_refused_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    Path("out").mkdir()
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(UsageError, match="-o out: can't be made or written: No space left on device; name another"):
        claimed_folder(Path("out"), MODEL, NOW).__enter__()
    with pytest.raises(UsageError, match="No space left on device; name another with -o"):
        claimed_folder(None, MODEL, NOW).__enter__()
    assert Path("out").is_dir()


def test_a_refused_claim_leaves_no_folder_that_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    for out in (Path("a/b"), None):
        with pytest.raises(UsageError, match="No space left on device"):
            claimed_folder(out, MODEL, NOW).__enter__()
    assert list(Path().iterdir()) == []
