"""The action's shell steps, run here one after the other with the values that the action gives them."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from action_runner import ACTION, ROOT, Hub
from bench.check.gate_store import save_gate
from bench.check.records import GateAnswer
from ci_fakes import agreement, gate_result, judged
from yaml_subset import read_yaml

SCRIPTS = sorted((ROOT / ".github" / "gate").glob("*.sh"))
WORKFLOW = read_yaml((ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
RUN_STEPS = [step for step in STEPS if "run" in step]
OWN = {"GITHUB_ACTION_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY", "GITHUB_REF"}
OWN |= {"GITHUB_EVENT_NAME", "RUNNER_TEMP"}

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="gh has jq built in, the fake one takes the machine's")

FAKE_BENCH = rf"""#!/usr/bin/env bash
printf '%s\n' "bench $*" >> "$FAKE_GH/calls"
out=$(printf '%s\n' "$@" | sed -n '/^--out$/{{n;p}}')
case $1 in
  bundle) code=${{FAKE_BUNDLE:-0}}
    case $code in 0 | 3 | 5) mkdir -p "$out"; echo "head of ${{FAKE_HEAD:-?}}" > "$out/bundle.json" ;; esac
    [[ $code == 0 ]] || echo "bench: bundling net.onnx: it is broken" >&2
    exit "$code" ;;
  gate) [[ ! -d ${{FAKE_GATE:-}} ]] || cp -r "$FAKE_GATE" "$out"
    exit "${{FAKE_CODE:-0}}" ;;
  ci) exec {sys.executable} -m bench.cli "$@" ;;
esac
"""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.open(tmp_path / "hub", {"bench": FAKE_BENCH})


def gate_that_says(folder: Path, answer: GateAnswer) -> dict[str, Any]:
    """The environment in which the fake gate comes to this answer."""
    result = gate_result(judged(answer), agreement())
    save_gate(folder, result, {})
    return {"FAKE_GATE": str(folder), "FAKE_CODE": str(result.exit_code)}


def with_baseline(hub: Hub, name: str = "gate-baseline", **about: Any) -> Hub:
    bundle = hub.folder / "bundle"
    bundle.mkdir(exist_ok=True)
    (bundle / "bundle.json").write_text(f"baseline of {about.get('run', 1)}")
    facts: dict[str, Any] = {"branch": "main", "run": 1}
    hub.keep(name, bundle, **(facts | about))
    return hub


# --- the files --------------------------------------------------------------------------------------------------------


def test_every_script_is_executable_strict_and_free_of_expressions() -> None:
    assert {script.name for script in SCRIPTS} == {
        "install.sh",
        "fetch.sh",
        "measure.sh",
        "show.sh",
        "comment.sh",
        "decide.sh",
    }
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert script.stat().st_mode & stat.S_IXUSR, script.name
        assert "\nset -euo pipefail\n" in text, script.name
        assert "${{" not in text, script.name
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_step_runs_one_script_and_no_expression_is_part_of_a_command() -> None:
    called = [re.fullmatch(r'"\$GITHUB_ACTION_PATH/\.github/gate/(\w+\.sh)"', step["run"]) for step in RUN_STEPS]
    assert [one and one[1] for one in called] == [
        "install.sh",
        "fetch.sh",
        "measure.sh",
        "show.sh",
        "comment.sh",
        "decide.sh",
    ]
    assert all(step["shell"] == "bash" for step in RUN_STEPS)


def test_a_script_reads_no_variable_that_its_step_does_not_give() -> None:
    for step in RUN_STEPS:
        text = (ROOT / ".github" / "gate" / step["run"].rpartition("/")[2].strip('"')).read_text(encoding="utf-8")
        code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        read = set(re.findall(r"\$\{?((?:BENCH|GITHUB|RUNNER|GH)_\w+)", code))
        given = set(step.get("env", {}))
        assert read <= given | OWN, step["name"]
        assert given - {"GH_TOKEN"} <= read, step["name"]  # gh itself reads its token
        assert ("GH_TOKEN" in given) == ("gh " in code), step["name"]


def test_every_input_is_used_and_described() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(ACTION["inputs"])
    for one in [*ACTION["inputs"].values(), *ACTION["outputs"].values()]:
        assert one["description"]


def test_the_workflow_gives_only_inputs_that_are_there_and_may_what_the_action_does() -> None:
    (job,) = WORKFLOW["jobs"].values()
    step = next(step for step in job["steps"] if step.get("uses") == "./")
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert WORKFLOW["permissions"] == {"contents": "read", "actions": "read", "pull-requests": "write"}
    assert "pull_request_target" not in WORKFLOW["on"]


def test_other_actions_are_named_with_a_version() -> None:
    steps = [*STEPS, *next(iter(WORKFLOW["jobs"].values()))["steps"]]
    used = [step["uses"] for step in steps if step.get("uses") not in (None, "./")]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", one) for one in used)
    assert len(used) == 4


# --- what a job comes to ----------------------------------------------------------------------------------------------


@needs_jq
def test_the_first_run_on_the_default_branch_creates_the_baseline_and_says_so(hub: Hub, tmp_path: Path) -> None:
    job = hub.run(tmp_path, {"install": "no"}, FAKE_HEAD="1")
    assert job.exit_code == 0
    assert job.output("verdict") == "baseline-created"
    assert "::notice title=gate gate::baseline created, nothing was compared" in job.log
    assert job.summary.startswith("## gate: BASELINE CREATED\n")
    assert [one["name"] for one in hub.artifacts] == ["gate-baseline"]
    assert (hub.folder / "artifacts/1/gate-baseline/bundle.json").read_text() == "head of 1\n"


@needs_jq
def test_a_pull_request_without_a_baseline_is_no_pass_and_creates_none(hub: Hub, tmp_path: Path) -> None:
    job = hub.run(tmp_path, {"install": "no"}, branch="change", pull_request=5)
    assert (job.exit_code, job.output("verdict"), job.output("exit-code")) == (0, "no-baseline", "5")
    assert "::warning title=gate::no-baseline" in job.log
    assert hub.artifacts == []
    assert hub.comments[0]["body"].startswith("<!-- onnx-crossbench gate gate -->\n## gate: NO BASELINE\n")
    strict = hub.run(tmp_path, {"install": "no", "inconclusive": "fail"}, branch="change", pull_request=5)
    assert strict.exit_code == 5


@needs_jq
@pytest.mark.parametrize(
    ("answer", "inconclusive", "ends", "verdict", "refreshed"),
    [
        ("PASS", "warn", 0, "pass", True),
        ("REGRESSED", "warn", 4, "regressed", False),
        ("DISAGREES", "warn", 3, "disagrees", False),
        ("FAILED", "warn", 6, "failed", False),
        ("INCONCLUSIVE", "warn", 0, "inconclusive", False),
        ("INCONCLUSIVE", "fail", 4, "inconclusive", False),
        ("NOT COMPARABLE", "warn", 0, "not-comparable", False),
        ("NOT COMPARABLE", "fail", 4, "not-comparable", False),
    ],
)
def test_a_job_ends_as_its_gate_and_only_a_pass_becomes_the_baseline(
    answer: GateAnswer, inconclusive: str, ends: int, verdict: str, refreshed: bool, hub: Hub, tmp_path: Path
) -> None:
    env = gate_that_says(tmp_path / "says", answer)
    job = with_baseline(hub, run=1).run(tmp_path, {"install": "no", "inconclusive": inconclusive}, **env)
    assert (job.exit_code, job.output("verdict")) == (ends, verdict)
    assert job.summary.startswith(f"## gate: {answer}\n")
    assert (len(hub.artifacts) == 2) == refreshed
    told = {0: "::notice" if answer == "PASS" else "::warning"}.get(ends, "::error")
    assert told in job.log
    assert ("::warning" in job.log) == (ends == 0 and answer != "PASS")
    assert (Path(job.output("folder")) / "junit.xml").exists()


@needs_jq
def test_head_is_gated_against_the_newest_baseline_of_the_default_branch(hub: Hub, tmp_path: Path) -> None:
    with_baseline(hub, run=1)
    with_baseline(hub, run=3)
    with_baseline(hub, run=2)
    with_baseline(hub, run=4, branch="change")
    with_baseline(hub, run=5, fork=True)  # a fork's own branch "main"
    with_baseline(hub, run=6, expired=True)
    with_baseline(hub, run=7, name="other-baseline")
    job = hub.run(tmp_path, {"install": "no"}, branch="change", **gate_that_says(tmp_path / "says", "PASS"))
    assert (Path(job.output("folder")) / "baseline" / "bundle.json").read_text() == "baseline of 3"
    assert "baseline: run 3 of main" in job.log


@needs_jq
@pytest.mark.parametrize("refused", ["actions/artifacts", "download"])
def test_a_baseline_that_cannot_be_looked_up_is_no_first_run(refused: str, hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "refused").write_text(refused)
    job = with_baseline(hub).run(tmp_path, {"install": "no"})
    assert job.exit_code == 2
    assert "::error title=fetching the baseline::" in job.log
    assert len(hub.artifacts) == 1


@needs_jq
def test_an_artifact_that_is_no_bundle_is_no_first_run(hub: Hub, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "readme").write_text("x")
    hub.keep("gate-baseline", other, branch="main", run=1)
    assert hub.run(tmp_path, {"install": "no"}).exit_code == 2


@needs_jq
def test_a_head_that_cannot_be_bundled_fails_the_job_and_says_why(hub: Hub, tmp_path: Path) -> None:
    for there in (False, True):
        if there:
            with_baseline(hub)
        job = hub.run(tmp_path, {"install": "no"}, pull_request=5, FAKE_BUNDLE="6")
        assert (job.exit_code, job.output("verdict")) == (2, "not-measured")
        assert "It ended with exit code 6:\n\n~~~~text\nbench: bundling net.onnx: it is broken\n~~~~" in job.summary
        assert "bundling net.onnx: it is broken" in hub.comments[0]["body"]
    assert len(hub.artifacts) == 1


@needs_jq
def test_wrong_outputs_are_no_baseline_and_are_left_to_the_gate_where_there_is_one(hub: Hub, tmp_path: Path) -> None:
    job = hub.run(tmp_path, {"install": "no"}, FAKE_BUNDLE="3")
    assert (job.exit_code, job.output("verdict"), hub.artifacts) == (2, "not-measured", [])
    assert "It ended with exit code 3" in job.summary
    env = gate_that_says(tmp_path / "says", "DISAGREES")
    job = with_baseline(hub).run(tmp_path, {"install": "no"}, FAKE_BUNDLE="3", **env)
    assert (job.exit_code, job.output("verdict")) == (3, "disagrees")


@needs_jq
def test_outputs_that_cannot_be_judged_make_a_baseline_with_a_warning(hub: Hub, tmp_path: Path) -> None:
    job = hub.run(tmp_path, {"install": "no"}, FAKE_BUNDLE="5")
    assert (job.exit_code, job.output("verdict")) == (0, "baseline-created")
    assert "::warning title=baseline::agreement can't be told" in job.log
    env = gate_that_says(tmp_path / "says", "PASS")
    assert hub.run(tmp_path, {"install": "no"}, FAKE_BUNDLE="5", **env).output("verdict") == "pass"


@needs_jq
@pytest.mark.parametrize("code", ["1", "2", "137"])
def test_a_gate_that_left_no_verdict_is_never_green(code: str, hub: Hub, tmp_path: Path) -> None:
    job = with_baseline(hub).run(tmp_path, {"install": "no"}, FAKE_CODE=code)
    assert (job.exit_code, job.output("verdict")) == (2, "not-measured")
    assert len(hub.artifacts) == 1


@needs_jq
def test_a_gate_that_broke_after_its_pass_is_no_pass(hub: Hub, tmp_path: Path) -> None:
    env = gate_that_says(tmp_path / "says", "PASS") | {"FAKE_CODE": "1"}
    job = with_baseline(hub).run(tmp_path, {"install": "no"}, **env)
    assert job.exit_code == 1
    assert len(hub.artifacts) == 1


@needs_jq
@pytest.mark.parametrize(
    ("refresh", "answer", "kept"),
    [
        ("always", "REGRESSED", "head of 2\n"),
        ("never", "PASS", "baseline of 1"),
        ("never", "REGRESSED", "baseline of 1"),
        ("pass", "PASS", "head of 2\n"),
    ],
)
def test_the_next_baseline_is_what_was_asked_for(
    refresh: str, answer: GateAnswer, kept: str, hub: Hub, tmp_path: Path
) -> None:
    with_baseline(hub, run=1)
    hub.runs = 1
    env = gate_that_says(tmp_path / "says", answer)
    hub.run(tmp_path, {"install": "no", "refresh": refresh}, FAKE_HEAD="2", **env)
    assert (hub.folder / "artifacts/2/gate-baseline/bundle.json").read_text() == kept


@needs_jq
@pytest.mark.parametrize(("branch", "number"), [("change", 0), ("main", 5)])
def test_neither_another_branch_nor_a_pull_request_makes_a_baseline(
    branch: str, number: int, hub: Hub, tmp_path: Path
) -> None:
    env = gate_that_says(tmp_path / "says", "PASS")
    inputs = {"install": "no", "refresh": "always"}
    assert with_baseline(hub).run(tmp_path, inputs, branch=branch, pull_request=number, **env).exit_code == 0
    assert len(hub.artifacts) == 1


@needs_jq
def test_a_pull_request_has_one_comment_that_is_updated(hub: Hub, tmp_path: Path) -> None:
    with_baseline(hub)
    with_baseline(hub, name="other-baseline")
    (hub.folder / "comments.json").write_text(
        '[{"id": 99, "body": "a person\'s\\n<!-- onnx-crossbench gate gate -->"}]'
    )
    answers: tuple[GateAnswer, ...] = ("REGRESSED", "PASS")
    for answer in answers:
        env = gate_that_says(tmp_path / answer, answer)
        hub.run(tmp_path, {"install": "no"}, branch="change", pull_request=5, **env)
        verdicts = [one["body"].splitlines()[1] for one in hub.comments[1:]]
        assert verdicts == [f"## gate: {answer}"]
    hub.run(tmp_path, {"install": "no", "name": "other"}, branch="change", pull_request=5, **env)
    hub.run(tmp_path, {"install": "no", "comment": "false", "name": "third"}, pull_request=5, **env)
    assert [one["body"].splitlines()[0] for one in hub.comments[1:]] == [
        "<!-- onnx-crossbench gate gate -->",
        "<!-- onnx-crossbench gate other -->",
    ]


@needs_jq
def test_a_token_that_may_not_comment_changes_no_verdict(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "refused").write_text("POST")
    env = gate_that_says(tmp_path / "says", "PASS")
    job = with_baseline(hub).run(tmp_path, {"install": "no"}, pull_request=5, **env)
    assert (job.exit_code, job.output("verdict")) == (0, "pass")
    assert "::notice title=no comment::it is not permitted; the job's summary has the verdict" in job.log


@needs_jq
def test_inputs_reach_bench_word_by_word_and_run_nothing(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    inputs = {
        "install": "no",
        "working-directory": "a folder",
        "models": "  nets/my net.onnx\n\n$(touch owned);`touch owned`\n",
        "runtimes": "onnxruntime-cpu#a,onnxruntime-cpu#b",
        "bundle-args": "--batch 1,8\n  --threads 1",
        "gate-args": "--delta 3% *",
    }
    with_baseline(hub).run(tmp_path, inputs, **gate_that_says(tmp_path / "says", "PASS"))
    calls = [line for line in (hub.folder / "calls").read_text().splitlines() if line.startswith("bench ")]
    bundle, gate = calls[1:3]
    assert bundle.startswith(
        "bench bundle   nets/my net.onnx $(touch owned);`touch owned` --batch 1,8 --threads 1 "
        "-e onnxruntime-cpu#a,onnxruntime-cpu#b --out "
    )
    assert "--delta 3% * --out" in gate
    assert list(tmp_path.rglob("owned")) == []


@needs_jq
@pytest.mark.parametrize("inputs", [{"name": "a/../b"}, {"name": ""}, {"refresh": "sometimes"}, {"inconclusive": "ok"}])
def test_a_wrong_input_is_never_green(inputs: dict[str, str], hub: Hub, tmp_path: Path) -> None:
    env = gate_that_says(tmp_path / "says", "PASS")
    assert with_baseline(hub).run(tmp_path, {"install": "no", **inputs}, **env).exit_code in (1, 2)
    assert len(hub.artifacts) == 1


def test_an_option_in_the_place_of_a_package_is_refused(hub: Hub, tmp_path: Path) -> None:
    job = hub.run(tmp_path, {"install": "--index-url=x"})
    assert job.ended == {"install": 2}


def test_nothing_said_is_never_green(tmp_path: Path) -> None:
    decide = str(ROOT / ".github" / "gate" / "decide.sh")
    empty = {"PATH": "/usr/bin:/bin", "BENCH_EXIT_CODE": "", "BENCH_VERDICT": "", "BENCH_INCONCLUSIVE": "warn"}
    assert subprocess.run([decide], env=empty, check=False).returncode == 2
    assert subprocess.run([decide], env={**empty, "BENCH_EXIT_CODE": "0"}, check=False).returncode == 0


# --- make gate --------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with our script and the fake bench where `make setup` puts the real one."""
    folder = tmp_path / "checkout"
    for path, text in ((".ci/gate", (ROOT / ".ci" / "gate").read_text()), (".venv/bin/bench", FAKE_BENCH)):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def make_gate(checkout: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "FAKE_GH": str(checkout), **env}
    return subprocess.run(
        [checkout / ".ci" / "gate", *arguments], env=env, text=True, capture_output=True, timeout=100, check=False
    )


def test_the_first_make_gate_creates_the_baseline_and_says_that_nothing_was_compared(checkout: Path) -> None:
    done = make_gate(checkout, FAKE_HEAD="1")
    assert done.returncode == 0
    assert "baseline created in reports/baseline, nothing was compared" in done.stdout
    assert (checkout / "reports/baseline/bundle.json").read_text() == "head of 1\n"
    assert "bench gate" not in (checkout / "calls").read_text()


@pytest.mark.parametrize(("answer", "code"), [("PASS", 0), ("REGRESSED", 4), ("INCONCLUSIVE", 5), ("DISAGREES", 3)])
def test_make_gate_ends_as_its_gate_and_keeps_what_ci_would_show(
    answer: GateAnswer, code: int, checkout: Path, tmp_path: Path
) -> None:
    make_gate(checkout, FAKE_HEAD="1")
    done = make_gate(checkout, "--delta", "3%", FAKE_HEAD="2", **gate_that_says(tmp_path / "says", answer))
    assert done.returncode == code
    assert f"## make gate: {answer}\n" in done.stdout
    assert "--delta 3%\n" in (checkout / "calls").read_text()
    assert (checkout / "reports/gate/junit.xml").exists()
    assert (checkout / "reports/baseline/bundle.json").read_text() == "head of 1\n"


def test_a_gate_that_left_no_verdict_is_not_green_at_home_either(checkout: Path) -> None:
    make_gate(checkout)
    assert make_gate(checkout, FAKE_CODE="1").returncode == 2
    assert make_gate(checkout).returncode == 2


def test_a_baseline_is_refreshed_only_where_that_is_asked_for(checkout: Path, tmp_path: Path) -> None:
    make_gate(checkout)
    env = gate_that_says(tmp_path / "says", "PASS")
    make_gate(checkout, **env)
    assert "--refresh" not in (checkout / "calls").read_text()
    make_gate(checkout, REFRESH="1", **env)
    assert "--refresh" in (checkout / "calls").read_text()


def test_a_baseline_of_no_revision_is_a_usage_error(checkout: Path) -> None:
    done = make_gate(checkout, BASE="nowhere")
    assert (done.returncode, done.stderr) == (2, "gate: BASE=nowhere is no revision of this repository\n")


def test_make_gate_hands_its_variables_to_the_script() -> None:
    recipe = subprocess.run(
        ["make", "-n", "gate", "BASE=main", "REFRESH=1", "ARGS=--delta 3%"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert "BASE='main' REFRESH='1' .ci/gate --delta 3%" in recipe


# --- in earnest -------------------------------------------------------------------------------------------------------


def write_net(path: Path, turns: int) -> None:
    """Four dense layers of 512, and ``turns`` times a permutation and its inverse: slower, and the same function."""
    random = np.random.default_rng(7)
    order = np.eye(512, dtype=np.float32)[random.permutation(512)]
    weights = [random.standard_normal((512, 512), dtype=np.float32) / 16 for _ in range(4)]
    layers = [*weights, *([order, order.T.copy()] * turns)]
    nodes = [helper.make_node("MatMul", [f"x{n}", f"w{n}"], [f"x{n + 1}"]) for n in range(len(layers))]
    tensors = [numpy_helper.from_array(layer, f"w{n}") for n, layer in enumerate(layers)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 512]) for name in ("x0", f"x{len(layers)}")]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())


@needs_jq
@pytest.mark.slow
def test_a_baseline_is_made_passes_itself_catches_a_slowdown_and_tells_what_it_cannot_tell(tmp_path: Path) -> None:
    hub = Hub.open(tmp_path / "hub", {"bench": f'#!/bin/sh\nexec {sys.executable} -m bench.cli "$@"\n'})
    net = tmp_path / "net.onnx"
    inputs = {"install": "no", "models": "net.onnx", "runtimes": "onnxruntime-cpu", "gate-args": "--metric latency"}

    write_net(net, turns=0)
    job = hub.run(tmp_path, inputs)
    assert (job.exit_code, job.output("verdict")) == (0, "baseline-created"), job.log

    job = hub.run(tmp_path, {**inputs, "gate-args": "--metric agreement,size"})
    assert (job.exit_code, job.output("verdict")) == (0, "pass"), job.log
    assert [one["workflow_run"]["id"] for one in hub.artifacts] == [1, 2]

    job = hub.run(tmp_path, {**inputs, "gate-args": "--time-limit 0.001"})
    assert (job.exit_code, job.output("verdict")) == (0, "inconclusive"), job.log
    assert "::warning title=INCONCLUSIVE" in job.log

    write_net(net, turns=8)
    job = hub.run(tmp_path, inputs, pull_request=5)
    assert (job.exit_code, job.output("verdict")) == (4, "regressed"), job.log
    assert "::error title=REGRESSED" in job.log
    assert hub.comments[0]["body"].splitlines()[1] == "## gate: REGRESSED"
    assert len(hub.artifacts) == 2
