"""``bench report`` and pytest-benchmark's JSON, out and in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.commands.report import print_report
from bench.errors import EXIT_OK, UsageError
from bench.report.store import save_report
from command_fakes import Heard
from fakes import ScriptedWorker
from report_fakes import ADA, absent, case_repetition, environment, group_repetition, reference, row

OPENED = ScriptedWorker("worker", iter(()), [], None)._opened()


@pytest.fixture
def exchanged(tmp_path: Path) -> Path:
    """The file that ``bench report --format pytest-benchmark`` printed, of a case that ran and one that did not."""
    repetition = group_repetition(cases=[case_repetition("net | tensorflow", opened=OPENED)])
    reason = "no \x1b[31mdevice"
    save_report(
        tmp_path / "report", environment(), [reference(), absent(status_reason=reason)], [repetition], private=ADA
    )
    heard = Heard()
    assert print_report(tmp_path / "report", "pytest-benchmark", console=heard.console) == EXIT_OK
    assert heard.err == [
        "net | onnxruntime-cuda: not among the benchmarks, kept beside them: unavailable: no \\x1b[31mdevice"
    ]
    (tmp_path / "out.json").write_text(heard.text, encoding="utf-8")
    return tmp_path / "out.json"


def test_a_file_that_bench_wrote_is_printed_as_its_report(exchanged: Path) -> None:
    for format_name in ("csv", "json"):
        there, here = Heard(), Heard()
        print_report(exchanged.parent / "report", format_name, console=there.console)
        assert print_report(exchanged, format_name, console=here.console) == EXIT_OK
        assert here.text == there.text
    heard = Heard()
    print_report(exchanged, "md", console=heard.console)
    assert "unavailable" in heard.text


def test_such_a_file_is_not_written_again(exchanged: Path) -> None:
    with pytest.raises(UsageError, match=r"out\.json is such a file already"):
        print_report(exchanged, "pytest-benchmark", console=Heard().console)


def test_a_file_of_others_is_a_table_of_what_it_says(tmp_path: Path) -> None:
    stats = {"min": 0.001, "max": 0.004, "mean": 0.002, "stddev": 5e-4, "median": 0.0015, "rounds": 10}
    one = {"name": "test_it", "fullname": "test_a.py::test_it", "stats": stats}
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps({"benchmarks": [one]}))
    heard = Heard()
    assert print_report(path, "text", console=heard.console) == EXIT_OK
    assert [line.split() for line in heard.text.splitlines()] == [
        ["benchmark", "min", "median", "mean", "stddev", "rounds"],
        ["test_a.py::test_it", "1", "ms", "1.5", "ms", "2", "ms", "500", "us", "10"],
    ]
    assert print_report(path, "csv", console=heard.console) == EXIT_OK
    with pytest.raises(UsageError, match="holds no case of bench; expected text or csv"):
        print_report(path, "json", console=heard.console)


# --- other tools' formats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [reference(), row("openvino", 0.4, agreement="disagrees", agreement_reason="off\x1b[31m")]
    save_report(tmp_path / "report", environment(), rows, [group_repetition()], private=ADA)
    return tmp_path / "report"


@pytest.mark.parametrize("format_name", ["github-action-benchmark", "bencher"])
def test_what_is_left_out_of_a_dashboards_file_is_listed_beside_it(format_name: str, folder: Path) -> None:
    heard = Heard()
    assert print_report(folder, format_name, console=heard.console) == EXIT_OK
    assert "tensorflow" in heard.text
    assert "openvino" not in heard.text
    assert heard.err == ["net | openvino: left out: disagrees: off\\x1b[31m"]


@pytest.mark.parametrize("format_name", ["github-action-benchmark", "bencher"])
def test_a_dashboards_file_is_read_as_a_table_and_not_as_a_report(format_name: str, folder: Path) -> None:
    path, heard = folder.parent / "out.json", Heard()
    assert print_report(folder, format_name, console=heard.console, out=path) == EXIT_OK
    assert heard.out == []
    assert print_report(path, "text", console=heard.console) == EXIT_OK
    header, first, *_rest = [line.split() for line in heard.text.splitlines()]
    assert (header[:2], first[0]) == (["benchmark", "value"], "net")
    assert print_report(path, "csv", console=heard.console) == EXIT_OK
    with pytest.raises(UsageError, match=r"out\.json is such a file already"):
        print_report(path, format_name, console=heard.console)
    with pytest.raises(UsageError, match="holds no case of bench"):
        print_report(path, "junit", console=heard.console)


@pytest.mark.parametrize("text", ["[]", "{}", "3", "[3]", '{"a": {}}', '{"a": {"b": 3}}', '[{"name": "x"}]', "{", ""])
def test_a_file_that_is_none_of_them_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(UsageError, match=r"reading .*odd\.json: expected a JSON file of pytest-benchmark"):
        print_report(tmp_path / "odd.json", "text", console=Heard().console)


@pytest.mark.parametrize("format_name", ["junit", "github-summary", "md"])
def test_text_goes_into_a_file(format_name: str, folder: Path) -> None:
    heard, told = Heard(), Heard()
    print_report(folder, format_name, console=told.console)
    assert print_report(folder, format_name, console=heard.console, out=folder.parent / "o") == EXIT_OK
    assert (folder.parent / "o").read_text(encoding="utf-8") == told.text + "\n"
    assert heard.out == []
    with pytest.raises(UsageError, match="this is a folder; name the file"):
        print_report(folder, format_name, console=heard.console, out=folder)


def test_a_file_of_bench_becomes_what_other_tools_read(exchanged: Path) -> None:
    heard = Heard()
    for format_name in ("junit", "bencher", "github-summary"):
        assert print_report(exchanged, format_name, console=heard.console) == EXIT_OK
    assert '<testcase classname="net, batch 1, 2 threads" name="tensorflow">' in heard.text
