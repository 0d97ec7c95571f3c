"""Runs our composite action's steps here as a GitHub runner would, with a ``gh`` that keeps everything in a folder.

Expressions are those that the action uses: ``${{ inputs.x }}``, ``steps.x.outputs.y``, ``github.x.y``, and conditions
of ``==``, ``!=`` and ``&&`` over them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yaml_subset import read_yaml

ROOT = Path(__file__).parent.parent
ACTION = read_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
REPOSITORY = "ada/nets"
_STEP_S = 300  # bound on one step
_EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")

FAKE_GH = r"""
import json, os, pathlib, shutil, subprocess, sys
store, words = pathlib.Path(os.environ["FAKE_GH"]), sys.argv[1:]
with (store / "calls").open("a") as calls:
    calls.write(" ".join(words) + "\n")
path = next((word for word in words if word.startswith("repos/")), "")
refused = (store / "refused").read_text().split() if (store / "refused").exists() else []
if any(part in " ".join(words) for part in refused):
    sys.exit("gh: HTTP 403")
if words[:2] == ["run", "download"]:
    named = dict(zip(words[3::2], words[4::2]))
    shutil.copytree(store / "artifacts" / words[2] / named["--name"], named["--dir"])
    sys.exit()
comments = json.loads((store / "comments.json").read_text())
if "-F" in words:
    body = pathlib.Path(words[words.index("-F") + 1].removeprefix("body=@")).read_text()
    if "PATCH" in words:
        next(one for one in comments if one["id"] == int(path.split("/")[-1]))["body"] = body
    else:
        comments.append({"id": 100 + len(comments), "body": body})
    (store / "comments.json").write_text(json.dumps(comments))
    sys.exit()
document = comments if "/comments" in path else {"default_branch": "main"}
if "/artifacts" in path:
    name = path.partition("?name=")[2].partition("&")[0]
    artifacts = json.loads((store / "artifacts.json").read_text())
    document = {"artifacts": [one for one in artifacts if one["name"] == name]}
query = words[words.index("--jq") + 1]
sys.exit(subprocess.run(["jq", "-r", query], input=json.dumps(document), text=True).returncode)
"""


@dataclass
class Job:
    """One use of the action in a job: how each step ended, and what the runner was left with."""

    ended: dict[str, int] = field(default_factory=dict)  # exit code by the step's id or name, of those that ran
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)  # of steps
    log: str = ""
    summary: str = ""

    @property
    def exit_code(self) -> int:
        return next((code for code in self.ended.values() if code), 0)

    def output(self, name: str) -> str:
        return str(_evaluate(ACTION["outputs"][name]["value"], {}, self.outputs, {}))


@dataclass
class Hub:
    """A repository: its artifacts and comments over several jobs."""

    folder: Path
    path: str  # PATH of the scripts, with ``gh`` in front
    runs: int = 0

    @classmethod
    def open(cls, folder: Path, tools: dict[str, str]) -> Hub:
        """``tools``: further scripts by name; ``gh`` is there anyway."""
        tool_folder = folder / "tools"
        tool_folder.mkdir(parents=True)
        for name, text in {"gh": f"#!{sys.executable}\n{FAKE_GH}", **tools}.items():
            (tool_folder / name).write_text(text, encoding="utf-8")
            (tool_folder / name).chmod(0o755)
        (folder / "artifacts.json").write_text("[]")
        (folder / "comments.json").write_text("[]")
        return cls(folder, f"{tool_folder}:{os.environ['PATH']}")

    @property
    def artifacts(self) -> list[dict[str, Any]]:
        return list(json.loads((self.folder / "artifacts.json").read_text()))

    @property
    def comments(self) -> list[dict[str, Any]]:
        return list(json.loads((self.folder / "comments.json").read_text()))

    def keep(
        self, name: str, source: Path, *, branch: str, run: int, fork: bool = False, expired: bool = False
    ) -> None:
        """What actions/upload-artifact does, with the facts that the API tells of it."""
        target = self.folder / "artifacts" / str(run) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, dirs_exist_ok=True)
        about = {"id": run, "head_branch": branch, "repository_id": 7, "head_repository_id": 8 if fork else 7}
        listed = {"name": name, "expired": expired, "created_at": f"2026-11-25T00:00:{run:02}Z", "workflow_run": about}
        (self.folder / "artifacts.json").write_text(json.dumps([*self.artifacts, listed]))

    def run(
        self, work: Path, inputs: dict[str, str], *, branch: str = "main", pull_request: int = 0, **env: str
    ) -> Job:
        """One job on ``branch``, or on the merge of a pull request from it."""
        self.runs += 1
        temporary = self.folder / f"temporary-{self.runs}"
        temporary.mkdir()
        given = {name: one.get("default") or "" for name, one in ACTION["inputs"].items()} | {"token": "t"} | inputs
        assert set(inputs) <= set(ACTION["inputs"])
        event = {"repository": {"default_branch": "main"}, "pull_request": {"number": pull_request or ""}}
        job = Job()
        base = {
            "PATH": self.path,
            "HOME": str(temporary),
            "FAKE_GH": str(self.folder),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REF": f"refs/pull/{pull_request}/merge" if pull_request else f"refs/heads/{branch}",
            "GITHUB_EVENT_NAME": "pull_request" if pull_request else "push",
            "GITHUB_STEP_SUMMARY": str(temporary / "summary"),
            "RUNNER_TEMP": str(temporary),
            **{name: value for name, value in os.environ.items() if name.startswith("BENCH_CACHE")},
            **env,
        }
        (temporary / "summary").touch()
        for step in ACTION["runs"]["steps"]:
            name = step.get("id") or step["name"]
            if "if" in step and not _holds(step["if"], given, job.outputs, event):
                continue
            if "uses" in step:
                job.ended[name] = self._upload(step, given, job, event, branch)
            else:
                said = {k: str(_evaluate(v, given, job.outputs, event)) for k, v in step.get("env", {}).items()}
                cwd = work / str(_evaluate(step.get("working-directory", "."), given, job.outputs, event))
                self._script(step["run"], name, job, cwd, {**base, **said, "GITHUB_OUTPUT": str(temporary / name)})
            if job.ended[name]:
                break
        job.summary = (temporary / "summary").read_text()
        return job

    def _script(self, text: str, name: str, job: Job, cwd: Path, env: dict[str, str]) -> None:
        Path(env["GITHUB_OUTPUT"]).touch()
        with subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as shell:
            try:
                said, _ = shell.communicate(timeout=_STEP_S)
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)  # what the script started, too
                raise
        lines = Path(env["GITHUB_OUTPUT"]).read_text().splitlines()
        job.outputs[name] = dict(line.split("=", 1) for line in lines)
        job.ended[name] = shell.returncode
        job.log += said

    def _upload(self, step: Any, inputs: dict[str, str], job: Job, event: Any, branch: str) -> int:
        assert step["uses"].startswith("actions/upload-artifact@v")
        said = {key: str(_evaluate(value, inputs, job.outputs, event)) for key, value in step["with"].items()}
        sources = [Path(line) for line in said["path"].splitlines() if line.strip()]
        if len(sources) == 1:
            if not any(sources[0].glob("*")):
                return 1 if said["if-no-files-found"] == "error" else 0
            self.keep(said["name"], sources[0], branch=branch, run=self.runs)
        return 0


def _holds(condition: str, inputs: dict[str, str], outputs: dict[str, dict[str, str]], event: Any) -> bool:
    def term(text: str) -> str:
        return text[1:-1] if text.startswith("'") else str(_look_up(text, inputs, outputs, event))

    for part in condition.split(" && "):
        left, operator, right = part.split(" ")
        assert operator in ("==", "!=")
        if (term(left) == term(right)) != (operator == "=="):
            return False
    return True


def _evaluate(text: str, inputs: dict[str, str], outputs: dict[str, dict[str, str]], event: Any) -> str:
    found = _EXPRESSION.sub(lambda one: str(_look_up(one[1], inputs, outputs, event)), text)
    assert "${{" not in found, text
    return found


def _look_up(name: str, inputs: dict[str, str], outputs: dict[str, dict[str, str]], event: Any) -> Any:
    kind, *rest = name.split(".")
    if kind == "inputs":
        return inputs[rest[0]]
    if kind == "steps":
        assert rest[0] in {step.get("id") for step in ACTION["runs"]["steps"]}, name
        return outputs.get(rest[0], {}).get(rest[2], "")
    assert (kind, rest[0]) == ("github", "event"), name
    for part in rest[1:]:
        event = event[part]
    return event
