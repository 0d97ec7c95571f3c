from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import __version__, cli, cli_shell
from bench.commands import bundle, gate, gate_calibrate, gate_selftest, report, run, runtimes, verify
from bench.errors import DisagreeError, Terminated, UnavailableError, UsageError
from bench.flags import Flags
from bench.gate_asking import GateFlags
from bench.prepare.launch import PrepareBug


def raising(error: BaseException) -> Callable[..., int]:
    def verb(**_: Any) -> int:
        raise error

    return verb


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(["--help"]) == 0
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line.startswith("  ")]
    assert listed[:7] == ["run", "verify", "bisect", "export", "models", "runtimes", "report"]
    assert {"ci", "cache"} <= set(listed)


def test_h_is_help_of_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(["-h"]) == cli.run_cli(["run", "-h"]) == 0
    out = capsys.readouterr().out
    assert "143 ended by SIGTERM" in " ".join(out.split())
    assert "--threads" in out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_nothing_to_do_shows_help_and_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli([]) == 2
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["rnu"], ["run", "--nope"], ["run", "-x", "two"], ["export", "mobilenet_v1"], ["cache"], ["report"]]
)
def test_a_wrong_command_line_is_one_line_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("bench: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("a\nb"), 2), (DisagreeError("a\nb"), 3), (UnavailableError("a\nb"), 6)],
)
def test_an_error_of_ours_is_marked_lines_and_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtimes, "list_runtimes", raising(error))
    assert cli.run_cli(["runtimes"]) == code
    assert capsys.readouterr() == ("", "bench: a\nbench: b\n")


def test_a_bug_shows_its_traceback_and_exits_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtimes, "list_runtimes", raising(BrokenPipeError("worker")))
    assert cli.run_cli(["runtimes"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interrupt_has_its_own_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtimes, "list_runtimes", raising(error))
    assert cli.run_cli(["runtimes"]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_code_that_a_verb_returns_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 3, 5, 6):
        monkeypatch.setattr(runtimes, "list_runtimes", lambda code=code, **_: code)
        assert cli.run_cli(["runtimes"]) == code


def heard_flags(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, arguments: list[str]) -> tuple[Flags, Any]:
    seen: list[tuple[Flags, Any]] = []

    def verb(flags: Flags, **others: Any) -> int:
        seen.append((flags, others))
        return 0

    monkeypatch.setattr(module, name, verb)
    assert cli.run_cli(arguments) == 0
    return seen[0]


def test_every_flag_of_run_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    line = (
        "run a b -e tf,cpu -e cuda -b 1,8 -x 2 -o out --quick --thorough -t 1.5 -r 9 --tail --time-limit 7 -S 3 "
        "--input-shapes x:[1,3] --input-range 0,1 --input-range y:0,2 --load-inputs in.npz --rtol 1e-3 --atol o:1e-4 "
        "--onnx f.onnx --onnx-names a=b --litert f.tflite --litert-names c=d --custom-objects m:C "
        "--unsafe --signature s --opset 17 --suite s.toml "
        "--resume d"
    )
    flags, others = heard_flags(monkeypatch, run, "run_models", line.split())
    assert flags == Flags(
        model=("a", "b"),
        runtime=("tf,cpu", "cuda"),
        batch="1,8",
        threads=2,
        seed=3,
        quick=True,
        thorough=True,
        calls=9,
        seconds=1.5,
        tail=True,
        time_limit=7,
        opset=17,
        input_shapes=("x:[1,3]",),
        input_range=("0,1", "y:0,2"),
        load_inputs="in.npz",
        onnx="f.onnx",
        onnx_names=("a=b",),
        litert="f.tflite",
        litert_names=("c=d",),
        custom_objects=("m:C",),
        unsafe=True,
        signature="s",
        rtol=("1e-3",),
        atol=("o:1e-4",),
    )
    assert (others["suite_file"], others["out"], others["resume"]) == (Path("s.toml"), Path("out"), Path("d"))


def test_what_is_not_said_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_flags(monkeypatch, run, "run_models", ["run"])[0] == Flags()
    assert heard_flags(monkeypatch, verify, "verify_models", ["verify", "m"])[0] == Flags(model=("m",))


def test_a_negative_seed_is_a_value_and_not_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_flags(monkeypatch, run, "run_models", ["run", "-S", "-1"])[0].seed == -1


def test_the_format_of_a_report_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def verb(*given: Any, **_: Any) -> int:
        seen.extend(given)
        return 0

    monkeypatch.setattr(report, "print_report", verb)
    assert cli.run_cli(["report", "here", "--format", "csv"]) == 0
    assert seen == [Path("here"), "csv"]


def run_python(code: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", code], check=False, text=True, capture_output=True, timeout=60, **settings
    )


def test_a_reader_who_goes_away_does_not_change_the_exit_code() -> None:
    code = "import os, sys; from bench.cli_shell import say; os.close(0); say('x' * 10**6); say('y'); sys.exit(3)"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 3
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_a_full_disk_is_one_line_and_exit_2(argument: str) -> None:
    with open("/dev/full", "w") as full:
        code = f"import sys; from bench import cli; sys.argv = ['bench', {argument!r}]; cli.main()"
        finished = subprocess.run(
            [sys.executable, "-P", "-c", code], check=False, text=True, stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert finished.returncode == 2
    assert finished.stderr == "bench: writing to standard output: No space left on device\n"


def test_a_full_disk_ends_a_verb_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> int:
        with cli_shell.written_stdout():
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(runtimes, "list_runtimes", full)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert cli.run_cli(["runtimes"]) == 2
    assert capsys.readouterr().err == "bench: writing to standard output: No space left on device\n"


def test_closed_streams_are_nowhere_and_change_no_exit_code() -> None:
    code = "import sys; from bench import cli; sys.argv = ['bench', '--version']; cli.main()"
    command = ["sh", "-c", '"$0" -P -c "$1" <&- >&- 2>&-', sys.executable, code]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


def test_sigterm_ends_a_verb_with_143() -> None:
    code = (
        "import os, signal, sys; from bench import cli; from bench.commands import runtimes\n"
        "runtimes.list_runtimes = lambda **_: os.kill(os.getpid(), signal.SIGTERM) or 0\n"
        "sys.argv = ['bench', 'runtimes']; cli.main()"
    )
    finished = run_python(code)
    assert (finished.returncode, finished.stderr) == (143, "bench: ended by SIGTERM\n")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Terminated(), 143)])
def test_an_interrupt_before_a_verb_has_its_own_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "app", raising(error))
    assert cli.run_cli(["runtimes"]) == code


def test_a_bug_in_the_export_child_is_exit_1_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtimes, "list_runtimes", raising(PrepareBug("the child's Traceback")))
    assert cli.run_cli(["runtimes"]) == 1
    assert "PrepareBug: the child's Traceback" in capsys.readouterr().err


def test_a_name_that_no_terminal_can_show_is_spelled_out() -> None:
    code = "import sys; from bench import cli; sys.argv = ['bench', 'run', 'n\\udcff\\u00e9t']; cli.main()"
    finished = run_python(code, env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert finished.returncode == 2
    assert finished.stderr.startswith("bench: model 'n\\udcff\\xe9t' is not known")


# --- gate and bundle


def heard_gate(monkeypatch: pytest.MonkeyPatch, line: str) -> tuple[Flags, GateFlags, dict[str, Any]]:
    seen: list[Any] = []

    def verb(flags: Flags, rule: GateFlags, **others: Any) -> int:
        seen.append((flags, rule, others))
        return 0

    monkeypatch.setattr(gate, "gate_models", verb)
    assert cli.run_cli(line.split()) == 0
    found: tuple[Flags, GateFlags, dict[str, Any]] = seen[0]
    return found


def test_every_flag_of_gate_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    flags, rule, others = heard_gate(
        monkeypatch,
        "gate --baseline b --head git:x m -e cpu -b 8 -x 2 --delta 10% --alpha 2% --beta 3% --max-pairs 20 "
        "--time-limit 60 --metric latency,load --metric size --inconclusive fail --refresh -o out --format md -S 3 "
        "--rtol 1e-3 --suite s.toml",
    )
    assert flags == Flags(model=("m",), runtime=("cpu",), batch="8", threads=2, seed=3, rtol=("1e-3",))
    assert rule == GateFlags(
        delta="10%",
        alpha="2%",
        beta="3%",
        max_pairs=20,
        time_limit=60,
        metric=("latency,load", "size"),
        inconclusive="fail",
    )
    assert (others["baseline"], others["head"], others["suite_file"]) == ("b", "git:x", Path("s.toml"))
    assert others["output"] == gate.GateOutput(out=Path("out"), format_name="md", refresh=True)


def test_json_of_a_gate_is_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_gate(monkeypatch, "gate --baseline b --json")[2]["output"].format_name == "json"


def test_a_gate_needs_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(["gate", "mobilenet_v1"]) == 2
    assert "--baseline" in capsys.readouterr().err


@pytest.mark.parametrize(("module", "name"), [(gate_calibrate, "calibrate"), (gate_selftest, "selftest")])
def test_a_verb_of_two_words_is_another_one_than_gate(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, Any]] = []

    def verb(**given: Any) -> int:
        seen.append(given)
        return 0

    monkeypatch.setattr(module, name, verb)
    assert cli.run_cli(["gate", name, "-S", "4"]) == 0
    assert seen[0]["seed"] == 4
    assert cli.run_cli(["gate", "--help"]) == 0
    out = capsys.readouterr().out
    assert f"bench gate {name}" in " ".join(out.split())
    assert "--max-pairs" in out


def test_a_model_of_a_verb_s_name_is_reached_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard_gate(monkeypatch, "gate ./calibrate --baseline b")[0].model == ("./calibrate",)


def test_every_flag_of_bundle_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "bundle m -e cpu -b 1,8 -x 2 -o out --replace --time-limit 7 -S 3 --load-inputs in.npz --suite s.toml"
    flags, others = heard_flags(monkeypatch, bundle, "bundle_models", line.split())
    assert flags == Flags(
        model=("m",), runtime=("cpu",), batch="1,8", threads=2, time_limit=7, seed=3, load_inputs="in.npz"
    )
    assert (others["out"], others["replacing"], others["suite_file"]) == (Path("out"), True, Path("s.toml"))


def test_power_keeps_no_outputs_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_cli(["verify", "mobilenet_v1", "--power", "-o", "kept"]) == 2
    assert "--power keeps no outputs: leave -o kept out" in capsys.readouterr().err
