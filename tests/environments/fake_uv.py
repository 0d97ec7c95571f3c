#!/usr/bin/env python3
"""Stands for uv: notes what it was asked, resolves from a table, makes environments whose interpreter only answers.

Its folder holds ``table.json``: "solutions" are [pins that clash, lock], "base" is where its interpreters say that they
come from, "fails" has an exit code and standard error for a verb.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WORKER_NEEDS = 3  # the last lines of what is asked for


def flag(arguments: list[str], name: str) -> Path:
    return Path(arguments[arguments.index(name) + 1])


def is_met(requirement: str, lock: str) -> bool:
    name, _, version = re.sub(r"\[.*?\]", "", requirement).partition("==")
    return re.search(rf"^{re.escape(name)}=={re.escape(version)}", lock, re.MULTILINE) is not None


def resolve(arguments: list[str], table: dict[str, Any]) -> None:
    held = flag(arguments, "--constraints").read_text().splitlines()
    asked = Path(arguments[-1]).read_text().splitlines()[:-WORKER_NEEDS]
    wanted = asked[0]
    for clashing, lock in table["solutions"]:
        if all(is_met(one, lock) for one in asked) and not set(held) & set(clashing):
            flag(arguments, "--output-file").write_text(lock)
            return
    sys.stderr.write(
        "error: No solution found when resolving dependencies\n"
        f"  cause: Because there is no version of {wanted} and you require {wanted}, "
        "we can conclude that your requirements are unsatisfiable.\n\nhint: a hint\n"
    )
    raise SystemExit(1)


def make(folder: Path, table: dict[str, Any]) -> None:
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text('#!/bin/sh\ncat "$(dirname "$0")/../answer.json"\n')
    python.chmod(0o755)


def install(arguments: list[str], table: dict[str, Any]) -> None:
    lock = flag(arguments, "-r").read_text()
    answer = {"versions": dict(re.findall(r"^(\S+)==(\S+)", lock, re.MULTILINE)), "damaged": [], "base": table["base"]}
    (flag(arguments, "--python").parent.parent / "answer.json").write_text(json.dumps(answer))


def main(arguments: list[str]) -> None:
    table = json.loads((HERE / "table.json").read_text())
    verb = next(word for word in ("compile", "venv", "install") if word in arguments)
    with (HERE / "asked.txt").open("a") as asked:
        asked.write(" ".join(arguments) + "\n")
    if verb in table["fails"]:
        code, err = table["fails"][verb]
        sys.stderr.write(err)
        raise SystemExit(code)
    if verb == "compile":
        resolve(arguments, table)
    elif verb == "venv":
        make(Path(arguments[-1]), table)
    else:
        install(arguments, table)


if __name__ == "__main__":
    main(sys.argv[1:])
