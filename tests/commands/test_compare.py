from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.check.false_alarms import FAIL_ON_FALSE_ALARMS
from bench.cli import run_cli
from bench.commands.compare import compare_folders
from bench.errors import UsageError
from bench.report.store import save_report
from bench.rows import Row
from command_fakes import Heard
from compare_fakes import env, ort, tf
from report_fakes import ADA

GOLDEN = Path(__file__).parent.parent / "report" / "golden" / "v1"


def save(folder: Path, rows: list[Row], started: str = "2026-11-25T08:00:00+00:00") -> Path:
    save_report(folder, env(started=started), rows, [], private=ADA)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    slower = ort(latency_ns_best=9e6)
    return [save(tmp_path / "a", [tf(), ort()]), save(tmp_path / "b", [tf(), slower], "2026-11-25T09:00:00+00:00")]


def test_two_reports_are_printed_side_by_side_and_it_exits_0(two: list[Path]) -> None:
    heard = Heard()
    assert compare_folders(two, console=heard.console) == 0
    assert "B against A (different runs: not a verdict)\n2 cases: 2 same." in heard.text
    assert "onnxruntime-cpu   8 ms   9 ms   +12.5%" in heard.text


def test_a_budget_makes_it_4_and_says_what_that_is_worth(two: list[Path]) -> None:
    heard = Heard()
    assert compare_folders(two, fail_on=["latency:5%"], console=heard.console) == 4
    assert FAIL_ON_FALSE_ALARMS.split()[:8] == heard.text.partition("--fail-on latency:5%\n")[2].split()[:8]
    assert compare_folders(two, fail_on=["latency:20%"], console=heard.console) == 0


def test_each_format_has_what_was_found(two: list[Path]) -> None:
    for name, start in {"md": "# Comparison", "csv": "case,report,path,standing", "json": "{"}.items():
        heard = Heard()
        assert compare_folders(two, format_name=name, console=heard.console) == 0
        assert heard.text.startswith(start)
        assert "different runs: not a verdict" in heard.text or name == "csv"


def test_json_has_every_case_with_both_numbers(two: list[Path]) -> None:
    heard = Heard()
    compare_folders(two, format_name="json", fail_on=["latency:5%"], console=heard.console)
    content = json.loads(heard.text)
    assert content["exit_code"] == 4
    assert content["fail_on_false_alarms"] == FAIL_ON_FALSE_ALARMS
    assert [one["standing"] for one in content["cases"]] == ["same", "same"]
    latency = content["cases"][1]["changes"][0]
    assert (latency["metric"], latency["reference"], latency["other"], latency["ratio"]) == ("latency", 8e6, 9e6, 1.125)
    assert content["cases"][1]["other"]["ratio_low"] == 0.475


def test_an_old_report_still_loads_and_is_the_same_as_itself() -> None:
    heard = Heard()
    assert compare_folders([GOLDEN, GOLDEN], console=heard.console) == 6  # two of its cases failed
    assert "B against A: the same run" in heard.text
    assert "9 cases: 5 same, 1 unverified" not in heard.text
    assert "9 cases: 6 same, 2 failed, 1 unverified." in heard.text


@pytest.mark.parametrize(
    ("file", "said"),
    [("gate.json", "the folder of a gate"), ("bundle.json", "a bundle, which has no numbers")],
)
def test_a_folder_of_another_kind_is_called_by_its_name(tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / file).write_text("{}")
    with pytest.raises(UsageError, match=f"{said}.*made by `bench run`"):
        compare_folders([tmp_path], console=Heard().console)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{a}", "{a}/nowhere"], "no such folder"),
        (["{a}", "{a}/results.parquet"], "a file, but a report is a folder"),
        (["{a}", "{b}", "--format", "xml"], "--format xml: expected one of text, md, csv, json"),
        (["{a}", "{b}", "--fail-on", "latency"], "expected METRIC:PERCENT"),
        (["{a}", "{b}", "--allow", "mhz"], "no such field"),
        (["{a}", "--fail-on", "latency:5%"], "there is one"),
        ([], "Missing argument"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    arguments: list[str], said: str, two: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(a=two[0], b=two[1]) for word in arguments]
    assert run_cli(["compare", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_the_command_line_gives_every_flag_on(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    a, b = map(str, two)
    assert run_cli(["compare", a, b, "--fail-on", "latency:5%", "--fail-on", "p50:1%", "--allow", "cpu"]) == 4
    assert "--fail-on latency:5%, p50:1%" in capsys.readouterr().out


def test_help_says_what_a_budget_on_plain_numbers_is_worth(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["compare", "--help"]) == 0
    assert "".join(FAIL_ON_FALSE_ALARMS.split()) in "".join(capsys.readouterr().out.split())
