"""What a report must not tell: host name, user name, home paths, folders here. Pure but for ``this_machine``.

Names (models, runtimes, outputs) are left as they are: by contract no folder is in them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, TypeVar

import msgspec

from bench.places import without_run_folders
from bench.records import Environment, GroupRepetition, OutputCheck, Placement, Record
from bench.report.columns import AGREEMENT
from bench.report.results_columns import RESULTS
from bench.rows import Row

R = TypeVar("R", bound=Record)

_HOMES = re.compile(r"(?<![\w.~-])(?:/home/[^/\s'\":;,)]+|/Users/[^/\s'\":;,)]+|/root)(?=/|[\s'\":;,)]|$)")
_ROOTED = re.compile(r"(?:(?<=^)|(?<=[\s=:,@'\"]))(?:~[^/\s:,=]*|\.{1,2})?/[^:,='\"]*")  # /a, ~/a, ./a and ../a
_PATH_FIELDS = {"path", "load_inputs", "onnx_file", "litert_file"}
_NAME_FIELDS = {
    "name", "display", "label", "model", "batch_sizes", "packages", "versions", "machine", "environments",
    "environment_facts",
}  # fmt: skip
_CLOSED_FIELDS = {"kind", "status", "verdict", "dtype", "digest", "model_digest"}  # words of ours and digests
_COMMON_HOSTS = {"localhost", "local", "host"}


class Private(Record, frozen=True):
    """What is private on a machine."""

    home: str
    user: str
    host: str


def this_machine() -> Private:
    """Home folder, user and host name of the running process."""
    import getpass
    import os
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's numeric user has no name
        user = ""
    return Private(home=os.path.expanduser("~"), user=user, host=socket.gethostname())


def scrub_text(text: str, private: Private) -> str:
    """``text`` with ``~`` for a home folder, ``USER`` for a folder named after the user, ``HOST`` for the host name.

    And ``TMP`` for a folder that the run has removed, so that two runs give the same reason.
    A command stays one that can be run, as long as it is the same user's.
    """
    text = without_run_folders(text)
    if private.home.strip("/"):
        text = re.sub(rf"(?<![\w.~-]){re.escape(private.home.rstrip('/'))}(?![\w.-])", "~", text)
    text = _HOMES.sub("~", text)
    if private.user:
        user = re.escape(private.user)
        text = re.sub(rf"(?<=/){user}(?=/|[\s'\":;,)]|$)|(?<![\w.-]){user}(?=@)", "USER", text)
    if len(private.host) > 2 and private.host not in _COMMON_HOSTS:
        text = re.sub(rf"(?<![\w.-]){re.escape(private.host)}(?![\w-])", "HOST", text)
    return text


def scrub_row(row: Row, private: Private) -> Row:
    """The row with its sentences and commands scrubbed."""
    free = {column.name: scrub_text(getattr(row, column.name), private) for column in RESULTS if column.free_text}
    return msgspec.structs.replace(row, **free)


def scrub_repetition(group: GroupRepetition, private: Private) -> GroupRepetition:
    """The repetition with the reasons of checks, dead workers and placement scrubbed: no other text of it is stored."""
    cases = [
        msgspec.structs.replace(
            case,
            reason=scrub_text(case.reason, private),
            checks=[scrub_check(check, private) for check in case.checks],
            placement=case.placement and _scrub_placement(case.placement, private),
        )
        for case in group.cases
    ]
    return msgspec.structs.replace(group, cases=cases)


def scrub_check(check: OutputCheck, private: Private) -> OutputCheck:
    """The check with its sentences scrubbed."""
    free = [column.name for column in AGREEMENT if column.free_text]
    return msgspec.structs.replace(check, **{name: scrub_text(getattr(check, name), private) for name in free})


def _scrub_placement(placement: Placement, private: Private) -> Placement:
    parts = [
        msgspec.structs.replace(part, reason=scrub_text(part.reason, private)) if part.reason else part
        for part in placement.parts
    ]
    return msgspec.structs.replace(placement, parts=tuple(parts), reason=scrub_text(placement.reason, private))


def scrub_environment(environment: Environment, private: Private) -> Environment:
    """The environment with every path reduced to its base name, and every other text scrubbed.

    A model as typed keeps its options, in the command as well: ``/srv/x/net.py:build:width=2`` becomes
    ``net.py:build:width=2``.
    """
    plain = _without_typed_paths(msgspec.to_builtins(environment))
    return msgspec.convert(_walk(plain, lambda text: scrub_text(text, private)), Environment)


def base_name(path: str) -> str:
    """The last part of a path, whichever slash it uses."""
    return PurePath(path.replace("\\", "/")).name


def _walk(value: Any, scrub: Callable[[str], str], field: str = "") -> Any:
    if isinstance(value, dict):
        if field in _NAME_FIELDS:
            return value
        return {key: _walk(item, scrub, key) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(item, scrub, field) for item in value]
    if not isinstance(value, str) or field in _NAME_FIELDS | _CLOSED_FIELDS:
        return value
    return scrub(base_name(value) if field in _PATH_FIELDS else value)


def _without_typed_paths(environment: dict[str, Any]) -> dict[str, Any]:
    """Model texts and the command, with each path that was typed reduced to its base name."""
    suite = environment["suite"]
    paths = [model["path"] for model in suite["models"] if model["path"]]
    own = (suite["prepare"][key] for key in ("load_inputs", "onnx_file", "litert_file"))
    paths += [path for path in own if path]
    paths += suite["plugins"].values()
    models = [{**model, "text": _shorten(model["text"], paths)} for model in suite["models"]]
    command = short_command(environment["command"], paths)
    plugins = {name: base_name(file) for name, file in suite["plugins"].items()}
    return {**environment, "command": command, "suite": {**suite, "models": models, "plugins": plugins}}


def short_command(command: str, typed: list[str]) -> str:
    """A command line with each path reduced to its base name: those ``typed``, and all that start like a path.

    A relative ``a/b`` that nobody typed as a path stays: an output's name may look so.
    """
    try:
        words = shlex.split(command)
    except ValueError:  # no command line of ours
        return _ROOTED.sub(_base_of_match, _shorten(command, typed))
    return shlex.join(_ROOTED.sub(_base_of_match, _shorten(word, typed)) for word in words)


def _base_of_match(found: re.Match[str]) -> str:
    return base_name(found.group()) or found.group()


def _shorten(text: str, paths: list[str]) -> str:
    for path in sorted(paths, key=len, reverse=True):
        text = text.replace(path, base_name(path))
    return text
