"""uv, asked: found, started with the indexes that the user configured, bounded in time, its complaints in one line.

Where uv has no index of its own, what pip's configuration says of indexes, folders of wheels and limits on versions is
passed on in the child's environment and by flags; nothing of it is ever written.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.children import kill_group
from bench.errors import UnavailableError

TIED = Path(__file__).with_name("tied.py")
RESOLVE_LIMIT_S = 300.0
INSTALL_LIMIT_S = 1800.0  # TensorFlow is half a gigabyte
_PIP_LIMIT_S = 30.0
_INDEX_VARIABLES = (
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_CONFIG_FILE",
)  # fmt: skip
_INDEX_KEYS = {"index", "index-url", "extra-index-url", "no-index"}
_NOT_OURS = ("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_VENV_SEED", "UV_PROJECT", "UV_WORKING_DIR", "VIRTUAL_ENV")
_SET = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
_YES = ("1", "true", "yes", "on")
_FRAME = re.compile(r"^(?:\W+|error:|cause:|hint:|warning:)+")  # what stands before uv's words
_ADDRESS = re.compile(r"\b[a-z+]+://[^\s`'\")]+")
_EMPTY_WORDS = ", we can conclude that your requirements are unsatisfiable"
_LONGEST = 300  # characters of uv's words in a message


class Finished(NamedTuple):
    """What became of a child."""

    exit_code: int | None  # None after a time-out
    out: str
    err: str


def find_uv() -> str:
    """The uv of this environment, else of PATH; UnavailableError where there is none."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")
    if found is None:
        raise UnavailableError(
            "making an environment: uv is neither beside this Python nor on PATH; `pip install uv` brings it"
        )
    return found


def run_uv(arguments: Sequence[str], *, limit_s: float) -> Finished:
    """The answer of uv, run in an empty temporary folder: uv obeys the project around the folder that it runs in."""
    tied = [sys.executable, "-I", "-S", str(TIED), str(os.getpid())]  # killed, we must not leave it writing
    command, environment = [*tied, find_uv(), *arguments], uv_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix=f"onnx-crossbench-{os.getpid()}-") as folder:
        return run_child(command, folder=Path(folder), limit_s=limit_s, environment=environment)


def run_child(
    command: Sequence[str], *, folder: Path | None, limit_s: float, environment: Mapping[str, str]
) -> Finished:
    """The end of a child, which with its own children is killed at the limit and on every way out."""
    child = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=dict(environment),
        start_new_session=True,
    )
    with child:
        try:
            out, err = child.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            kill_group(child)
            out, err = child.communicate()
            return Finished(None, out, err)
        except BaseException:
            kill_group(child)
            raise
    return Finished(child.returncode, out, err)


def uv_environment(own: Mapping[str, str]) -> dict[str, str]:
    """What uv sees: all of the user's variables but those that would choose another interpreter or folder."""
    kept = {key: value for key, value in own.items() if key not in _NOT_OURS} | _SET
    return kept if _has_own_index(own) else _places_of_pip() | kept


def index_flags(own: Mapping[str, str]) -> list[str]:
    """What pip's configuration says of indexes and uv takes as a flag only."""
    if _has_own_index(own):
        return []
    return ["--no-index"] if pip_configuration().get("no-index", "").lower() in _YES else []


def constraint_flags(own: Mapping[str, str]) -> list[str]:
    """The user's own limits on versions: those of uv's variable, which flags of ours would hide, else of pip's."""
    named = own.get("UV_CONSTRAINT", "").split()
    if not named and not _has_own_index(own):
        named = pip_configuration().get("constraint", "").split()
    files = [_absolute(one) for one in named]
    return [word for one in files if _ADDRESS.match(one) or Path(one).exists() for word in ("--constraints", one)]


def last_words(finished: Finished, limit_s: float) -> str:
    """Why it failed, in one line without addresses: uv's conclusion, else the last thing that it said."""
    if finished.exit_code is None:
        return f"no answer within {limit_s:g} s"
    said = finished.err.partition("\nhint:")[0]
    lines = [_FRAME.sub("", line).strip() for line in said.splitlines()]
    lines = [_ADDRESS.sub("the package index", line) for line in lines if line]
    begin = next((number for number, line in enumerate(lines) if line.startswith("Because")), None)
    words = " ".join(lines[begin:]) if begin is not None else next(reversed(lines), f"exit code {finished.exit_code}")
    words = words.replace(_EMPTY_WORDS, "")
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}..."


def _has_own_index(own: Mapping[str, str]) -> bool:
    """Whether the user told uv itself where packages come from."""
    if any(own.get(name) for name in _INDEX_VARIABLES):
        return True
    home = Path(own.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    system = [Path(folder) for folder in (own.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":") if folder]
    return any(_names_an_index(folder / "uv" / "uv.toml") for folder in (home, *system, Path("/etc")))


def _names_an_index(file: Path) -> bool:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # uv itself will complain about a bad one
        return False
    return bool(_INDEX_KEYS & {*settings, *settings.get("pip", {})})


def _places_of_pip() -> dict[str, str]:
    """Where pip's configuration says that packages come from, as uv's variables; empty where it says nothing.

    Of several indexes pip takes the best version of all, uv that of the first that has the package: as pip does.
    """
    found = pip_configuration()
    index, extra = found.get("index-url", ""), found.get("extra-index-url", "").split()
    links = [_absolute(one) for one in found.get("find-links", "").split()]
    places = {
        "UV_DEFAULT_INDEX": index,
        "UV_INDEX": " ".join(extra),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(one for one in links if _ADDRESS.match(one) or Path(one).exists()),
    }
    return {name: value for name, value in places.items() if value}


@functools.cache
def pip_configuration() -> dict[str, str]:
    """Keys of pip's configuration, the strongest of variable, ``[install]`` and ``[global]``; asked once."""
    command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "config", "list"]
    finished = run_child(command, folder=None, limit_s=_PIP_LIMIT_S, environment=os.environ)
    found: dict[str, dict[str, str]] = {}
    for line in finished.out.splitlines() if finished.exit_code == 0 else ():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        found.setdefault(section, {})[key] = _unquoted(value)
    return found.get("global", {}) | found.get("install", {}) | found.get(":env:", {})


def _unquoted(value: str) -> str:
    """A value as pip prints it: Python's own notation, with line breaks between several."""
    try:
        return str(ast.literal_eval(value))
    except (SyntaxError, ValueError):
        return value.strip("'\"")


def _absolute(place: str) -> str:
    return place if _ADDRESS.match(place) else os.path.abspath(os.path.expanduser(place))
