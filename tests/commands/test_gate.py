from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.check.bundle import open_bundle, write_bundle
from bench.check.gate_store import save_gate
from bench.check.records import Bundle, GateResult, GateSettings, Judged
from bench.commands.gate import GateOutput, gate_models
from bench.errors import UsageError
from bench.flags import Flags
from bench.gate_asking import GateFlags
from bench.measure.machine import effective_cpus
from bench.progress import Silent
from bench.records import Failure, Suite
from ci_fakes import agreement, gate_result, judged
from command_fakes import Heard
from gate_fakes import NET, bundle, bundled, files_of_net, replace

MODEL = Flags(model=("mobilenet_v1",))
PASSED = (judged(), agreement())


class Machine:
    """Stands for ``make_bundle`` and ``gate_bundles``: remembers what it was asked and answers at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer: tuple[Judged, ...] = PASSED
        self.changes: dict[str, Any] = {}
        self.head = bundle(made="2026-11-20T00:00:00+00:00", origin="net.onnx as it is now")
        self.made: list[tuple[Suite, dict[str, Any]]] = []
        self.asked: list[tuple[Path, Path, GateSettings]] = []
        self.workplaces: list[str] = []

    def keep(self, name: str, one: Bundle) -> Path:
        files = files_of_net(self.folder / f"files of {name}")
        write_bundle(self.folder / name, replace(one, models={"net": files}), {})
        return self.folder / name

    def make(self, suite: Suite, folder: Path, **settings: Any) -> Bundle:
        self.made.append((suite, settings))
        self.workplaces.append(folder.parent.name)
        files = files_of_net(self.folder / f"files{len(self.made)}", data=b"made")
        return write_bundle(folder, replace(self.head, models={"net": files}), {})

    def gate(self, baseline: Path, head: Path, settings: GateSettings, *, out: Path, **others: Any) -> GateResult:
        self.asked.append((baseline, head, settings))
        result = gate_result(*self.answer, settings=settings, **{"command": others["command"], **self.changes})
        save_gate(out, result, {})
        return result


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    machine = Machine(tmp_path)
    machine.keep("b", bundle())
    return machine


def run(machine: Machine, baseline: str = "b", head: str | None = None, /, **settings: Any) -> tuple[int, Heard]:
    heard = Heard()
    output = {key: settings.pop(key) for key in ("out", "format_name", "refresh") if key in settings}
    given: dict[str, Any] = {
        "suite_file": None,
        "command": "bench gate",
        "platform": "linux",
        "flags": MODEL,
        "gate_flags": GateFlags(),
        **settings,
    }
    flags, gate_flags = given.pop("flags"), given.pop("gate_flags")
    code = gate_models(
        flags,
        gate_flags,
        baseline=baseline,
        head=head,
        output=GateOutput(**output),
        console=heard.console,
        progress=Silent(),
        make=machine.make,
        gate=machine.gate,
        **given,
    )
    return code, heard


def refused(machine: Machine, match: str, *sides: str, **settings: Any) -> None:
    with pytest.raises(UsageError, match=match):
        run(machine, *sides, **settings)
    assert machine.asked == []
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("PASS", 0), ("DISAGREES", 3), ("REGRESSED", 4), ("NOT COMPARABLE", 5), ("INCONCLUSIVE", 5), ("FAILED", 6)],
)
def test_the_exit_code_is_that_of_the_verdicts(verdict: Any, code: int, machine: Machine) -> None:
    machine.answer = (judged(verdict),)
    found, heard = run(machine, out=Path("here"))
    assert found == code
    assert heard.text.startswith(f"{verdict}: ")
    assert heard.err == ["gate: here"]


@pytest.mark.parametrize(("said", "code"), [(None, 5), ("pass", 0), ("fail", 4)])
def test_inconclusive_is_what_a_flag_makes_of_it(said: str | None, code: int, machine: Machine) -> None:
    machine.answer = (judged("INCONCLUSIVE"),)
    assert run(machine, gate_flags=GateFlags(inconclusive=said))[0] == code


def test_a_gate_that_was_interrupted_is_printed_and_exits_130(machine: Machine) -> None:
    machine.changes = {"exit_code": 130}
    code, heard = run(machine, out=Path("here"))
    assert code == 130
    assert heard.text.startswith("INTERRUPTED")


def test_head_is_made_of_the_models_and_the_baseline_is_not(machine: Machine) -> None:
    run(machine, out=Path("here"))
    ((suite, settings),) = machine.made
    assert [model.name for model in suite.models] == ["mobilenet_v1"]
    assert (settings["origin"], settings["called"], settings["tolerant"]) == ("mobilenet_v1", None, True)
    assert machine.asked[0][0] == Path("b")


def test_what_is_made_lies_where_a_later_run_finds_it_if_this_one_is_killed(machine: Machine) -> None:
    run(machine, out=Path("here"))
    (workplace,) = machine.workplaces
    assert workplace.startswith(f"onnx-crossbench-{os.getpid()}-")


def test_two_runtimes_are_two_bundles_of_the_same_cases(machine: Machine) -> None:
    run(machine, "cpu@1.30.0", "tf", out=Path("here"))
    assert [(one[0].runtimes[0].display, one[1]["called"]) for one in machine.made] == [
        ("onnxruntime-cpu@1.30.0", "onnxruntime-cpu against tensorflow"),
        ("tensorflow", "onnxruntime-cpu against tensorflow"),
    ]


def test_two_bundles_need_nothing_else(machine: Machine) -> None:
    machine.keep("h", bundle())
    run(machine, "b", "h", flags=Flags(), out=Path("here"))
    assert machine.made == []
    assert machine.asked[0][:2] == (Path("b"), Path("h"))


@pytest.mark.parametrize("flags", [MODEL, Flags(runtime=("cpu",)), Flags(threads=2), Flags(batch="8")])
def test_two_bundles_take_no_flag_of_a_suite(flags: Flags, machine: Machine) -> None:
    machine.keep("h", bundle())
    refused(machine, "both sides are bundles", "b", "h", flags=flags)


def test_runtimes_are_said_once(machine: Machine) -> None:
    refused(machine, "-e says nothing here", "cpu@1.30.0", "cpu", flags=Flags(model=("mobilenet_v1",), runtime=("tf",)))


def test_no_model_and_no_suite_file_is_a_mistake(machine: Machine) -> None:
    refused(machine, "what is to be gated", flags=Flags())


def test_without_a_model_the_suite_file_s_are_gated_by_its_rule(machine: Machine) -> None:
    Path("bench.toml").write_text(
        """
        models = ["mobilenet_v1"]
        time_limit = 77
        [gate]
        delta = "10%"
        time_limit = 60
        metrics = ["latency"]
        [[gate.budget]]
        batch = 1
        delta = "20%"
        """
    )
    run(machine, flags=Flags(), gate_flags=GateFlags(alpha="0.5%"), out=Path("here"))
    assert machine.asked[0][2] == GateSettings(
        delta=0.1,
        alpha=0.005,
        metrics=("latency",),
        time_limit_s=60,
        answer_limit_s=77,
        budgets={NET: 0.2},
    )


def test_two_bundles_are_gated_by_the_file_s_rule_whatever_else_is_in_it(machine: Machine) -> None:
    machine.keep("h", bundle())
    Path("bench.toml").write_text('models = ["gone.onnx"]\n[gate]\ndelta = "10%"')
    run(machine, "b", "h", flags=Flags(), out=Path("here"))
    assert machine.asked[0][2].delta == 0.1


def test_a_rule_that_is_left_out_with_its_file_is_told(machine: Machine) -> None:
    Path("bench.toml").write_text('models = ["mobilenet_v1"]\n[gate]\ndelta = "10%"')
    _, heard = run(machine, out=Path("here"))
    assert machine.asked[0][2].delta == 0.05
    assert heard.err[0].startswith("[gate] of bench.toml is not used")


def test_a_budget_of_no_case_is_a_mistake(machine: Machine) -> None:
    Path("bench.toml").write_text('models = ["mobilenet_v1"]\n[[gate.budget]]\nmodel = "nat"\ndelta = "10%"\n[gate]\n')
    Path("bench.toml").write_text('models = ["mobilenet_v1"]\n[gate]\n[[gate.budget]]\nmodel = "nat"\ndelta = "10%"')
    refused(machine, r"gate\.budget\[0\] \(model nat\): no case matches", flags=Flags())


def test_coins_are_drawn_unless_a_seed_is_said(machine: Machine) -> None:
    run(machine, out=Path("a"))
    run(machine, out=Path("c"), flags=replace(MODEL, seed=7))
    assert [settings.seed for _, _, settings in machine.asked] == [0, 7]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"platform": "darwin"}, "Linux only, this is darwin"),
        ({"format_name": "csv"}, "--format csv: expected one of text, md, json"),
        ({"gate_flags": GateFlags(metric=("accuracy",))}, "accuracy: not gated"),
        ({"gate_flags": GateFlags(max_pairs=3)}, "the least is --max-pairs 8"),
        ({"flags": Flags(model=("nonsense",))}, "'nonsense' is not known"),
        ({"out": Path("b")}, "something is there already"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(settings: dict[str, Any], match: str, machine: Machine) -> None:
    refused(machine, match, **settings)
    assert machine.made == []


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda folder: (folder / "bundle.json").write_text("{}"), r"bundle\.json is damaged"),
        (lambda folder: next(folder.rglob("*.onnx")).write_bytes(b"x"), "its digest differs"),
        (lambda folder: next(folder.rglob("*.onnx")).unlink(), "is missing"),
        (lambda folder: (folder / "bundle.json").unlink(), "expected a bundle, seen a folder without"),
    ],
)
def test_a_damaged_bundle_is_one_clear_line(damage: Callable[[Path], object], match: str, machine: Machine) -> None:
    damage(Path("b"))
    refused(machine, match)


def test_a_default_folder_is_named_by_time_and_models(machine: Machine) -> None:
    run(machine)
    (folder,) = Path("reports").iterdir()
    assert folder.name.startswith("gate-20")
    assert folder.name.endswith("Z-mobilenet_v1")


def test_json_is_the_whole_result(machine: Machine) -> None:
    _, heard = run(machine, format_name="json", out=Path("here"))
    assert json.loads(heard.text)["judged"][0]["answer"] == "PASS"


def test_markdown_folds_the_evidence(machine: Machine) -> None:
    _, heard = run(machine, format_name="md", out=Path("here"))
    assert heard.text.startswith("**PASS: ")


def test_every_cpu_is_a_warning(machine: Machine) -> None:
    cpus = max(2, effective_cpus())
    one = bundled(case=replace(bundled().case, threads=cpus))
    machine.keep("wide", bundle(one))
    machine.keep("h", bundle(one))
    _, heard = run(machine, "wide", "h", flags=Flags(), out=Path("here"))
    assert heard.err[0].startswith(f"-x {cpus}: every one of the {effective_cpus()} CPUs")
    _, heard = run(machine, "b", "b", flags=Flags(), out=Path("there"))
    assert heard.err == ["gate: there"]


# --- refresh


def test_head_takes_the_baseline_s_place_when_everything_passed(machine: Machine) -> None:
    code, heard = run(machine, refresh=True, out=Path("here"))
    assert code == 0
    assert open_bundle(Path("b")).made == machine.head.made
    assert heard.err[-1] == "baseline b is refreshed: made of net.onnx as it is now"


@pytest.mark.parametrize(
    ("answer", "changes", "why"),
    [
        ((judged("REGRESSED"), agreement()), {}, f"{NET}: latency REGRESSED"),
        ((judged("INCONCLUSIVE"),), {}, f"{NET}: latency INCONCLUSIVE"),
        ((), {"exit_code": 5}, "the gate was not ended, or latency and agreement were not both gated"),
        (PASSED, {"exit_code": 130}, "the gate was not ended, or latency and agreement were not both gated"),
        (PASSED[:1], {}, "the gate was not ended, or latency and agreement were not both gated"),
    ],
)
def test_otherwise_the_baseline_stays_and_the_reason_is_told(
    answer: Any, changes: dict[str, Any], why: str, machine: Machine
) -> None:
    machine.answer, machine.changes = answer, changes
    _, heard = run(machine, refresh=True, out=Path("here"))
    assert open_bundle(Path("b")).made == bundle().made
    assert heard.err[-1].startswith(f"baseline b is not refreshed: {why}; ")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (bundle(bundled(), bundled("new", verdict="disagrees")), "new in head: new: disagrees"),
        (bundle(missing={"lost": Failure(status="unavailable", reason="no device")}), "new in head: lost"),
    ],
)
def test_a_new_case_that_is_wrong_does_not_get_into_a_baseline(head: Bundle, why: str, machine: Machine) -> None:
    machine.head, machine.changes = head, {"new_cases": ("new",)}
    _, heard = run(machine, refresh=True, out=Path("here"))
    assert heard.err[-1].startswith(f"baseline b is not refreshed: {why}")


def test_only_a_bundle_can_be_refreshed(machine: Machine) -> None:
    refused(machine, "--refresh replaces a baseline bundle's folder", "cpu@1.30.0", refresh=True)
