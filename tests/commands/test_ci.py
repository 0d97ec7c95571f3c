from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from bench import cli
from bench.check.gate_store import GATE_FILE, save_gate
from bench.check.records import Judged
from bench.commands.ci import Targets, show_gates
from bench.errors import UsageError
from ci_fakes import agreement, gate_result, judged
from command_fakes import Heard


def stored(folder: Path, *verdicts: Judged) -> Path:
    save_gate(folder, gate_result(*verdicts), {})
    return folder


def test_everything_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    gate, heard = stored(tmp_path / "gate", judged("REGRESSED"), agreement()), Heard()
    targets = Targets(
        summary=tmp_path / "out" / "summary.md",
        comment=tmp_path / "comment.md",
        junit=tmp_path / "junit.xml",
        annotations=True,
    )
    assert show_gates([gate], targets, title="net", console=heard.console) == 4
    assert (tmp_path / "out" / "summary.md").read_text().startswith("## net: REGRESSED\n")
    assert (tmp_path / "comment.md").read_text().startswith("<!-- onnx-crossbench gate net -->\n## net: REGRESSED\n")
    assert Xml.parse(tmp_path / "junit.xml").getroot().attrib["failures"] == "1"
    assert heard.text.startswith("::error title=REGRESSED")
    assert heard.err == []


def test_nobodys_home_is_in_what_everybody_reads(tmp_path: Path) -> None:
    targets = Targets(comment=tmp_path / "comment.md", junit=tmp_path / "junit.xml", summary=tmp_path / "summary.md")
    assert show_gates([Path("/home/jane/gate")], targets, console=Heard().console) == 2
    for file in tmp_path.iterdir():
        assert "~/gate" in file.read_text().replace("\\", "")
        assert "jane" not in file.read_text()


def test_a_pass_exits_0_and_is_printed_where_no_file_is_named(tmp_path: Path) -> None:
    heard = Heard()
    assert show_gates([stored(tmp_path / "gate", judged())], Targets(), console=heard.console) == 0
    assert heard.text.startswith("## gate: PASS\n\n1 PASS.\n")


def test_the_runners_own_summary_is_appended_to_and_another_file_replaced(tmp_path: Path) -> None:
    gate, own, other = stored(tmp_path / "gate", judged()), tmp_path / "own.md", tmp_path / "other.md"
    for file in (own, other):
        file.write_text("of an earlier step\n")
    assert show_gates([gate], Targets(step_summary=own), console=Heard().console) == 0
    assert show_gates([gate], Targets(summary=other, step_summary=own), console=Heard().console) == 0
    assert own.read_text().startswith("of an earlier step\n## gate: PASS\n")
    assert own.read_text().count("## gate") == 1
    assert other.read_text().startswith("## gate: PASS\n")


@pytest.mark.parametrize("damage", ["missing", "no gate in it", "not JSON", "half", "newer", "a file"])
def test_a_gate_that_cannot_be_read_is_exit_2_and_in_everything_that_is_written(damage: str, tmp_path: Path) -> None:
    good, bad, heard = stored(tmp_path / "good", judged()), tmp_path / "bad", Heard()
    if damage == "a file":
        bad.write_text("x")
    elif damage != "missing":
        stored(bad, judged())
        file = bad / GATE_FILE
        whole = file.read_text()
        if damage == "no gate in it":
            file.unlink()
        else:
            newer = whole.replace('"schema_version": 1', '"schema_version": 99', 1)
            file.write_text({"not JSON": "{", "half": whole[: len(whole) // 2], "newer": newer}[damage])
    targets = Targets(comment=tmp_path / "comment.md", junit=tmp_path / "junit.xml", annotations=True)
    assert show_gates([good, bad], targets, console=heard.console) == 2
    assert heard.out[0].startswith("## gate: NOT MEASURED\n\n1 NOT MEASURED, 1 PASS.")
    assert "::error title=NOT MEASURED" in heard.out[1]
    assert heard.err[0].startswith(f"reading gate {bad}: ")
    assert len(heard.err) == 1
    assert "NOT MEASURED" in (tmp_path / "comment.md").read_text()
    assert Xml.parse(tmp_path / "junit.xml").getroot().attrib["errors"] == "1"


def test_no_gate_at_all_is_exit_2_and_in_the_summary(tmp_path: Path) -> None:
    heard, summary = Heard(), tmp_path / "summary.md"
    assert show_gates([], Targets(step_summary=summary), console=heard.console) == 2
    assert "NOT MEASURED" in summary.read_text()
    assert heard.err[0].startswith("no gate was given, so nothing was measured")


def test_what_cannot_be_told_keeps_its_gates_code_unless_it_shall_fail(tmp_path: Path) -> None:
    gate = stored(tmp_path / "gate", judged("INCONCLUSIVE"))
    codes = [show_gates([gate], Targets(), inconclusive=when, console=Heard().console) for when in ("warn", "fail")]
    assert codes == [5, 4]
    with pytest.raises(UsageError, match="--inconclusive pass: expected one of warn, fail"):
        show_gates([gate], Targets(), inconclusive="pass", console=Heard().console)


def test_a_file_that_cannot_be_written_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    heard, gate = Heard(), stored(tmp_path / "gate", judged("REGRESSED"))
    targets = Targets(comment=tmp_path, junit=tmp_path / "junit.xml", summary=tmp_path / "summary.md")
    assert show_gates([gate], targets, console=heard.console) == 2
    assert heard.err == [f"writing {tmp_path}: Is a directory; name another file"]
    assert (tmp_path / "junit.xml").exists()
    assert (tmp_path / "summary.md").exists()


def test_the_verb_reads_the_runners_file_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = stored(tmp_path / "gate", judged())
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "own.md"))
    assert cli.run_cli(["ci", str(gate), "--annotations"]) == 0
    assert capsys.readouterr().out == f"::notice title=PASS%3A {gate}::1 PASS\n"
    assert (tmp_path / "own.md").read_text().startswith("## gate: PASS\n")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert cli.run_cli(["ci", str(gate), "--title", "two"]) == 0
    assert capsys.readouterr().out.startswith("## two: PASS\n")
    assert cli.run_cli(["ci"]) == 2
