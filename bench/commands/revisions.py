"""A git revision of a user's own models: its whole tree in a folder, so that imports and external data come along.

Reads the repository and changes nothing in it: no index, no worktree, no branch of the user's is touched.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.errors import UsageError
from bench.records import ModelSpec

_LFS = b"version https://git-lfs"
_LIMIT_S = 600


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A commit of the repository that the models are in."""

    text: str  # as typed
    commit: str
    repository: Path

    @property
    def short(self) -> str:
        """What people call a commit."""
        return self.commit[:7]


def find_revision(text: str, models: Sequence[ModelSpec]) -> Revision:
    """The commit that ``text`` names in the repository of the models.

    UsageError for a model that no repository holds, for no repository or two, and for an unknown revision.
    """
    folders = {_repository(text, model) for model in models}
    if len(folders) > 1:
        raise UsageError(f"git:{text}: the models are in {len(folders)} repositories; gate those of one at a time")
    folder = folders.pop()
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    if commit is None:
        raise UsageError(f"git:{text}: no such revision here; expected a commit, a tag or a branch, fetched already")
    return Revision(text=text, commit=commit, repository=folder)


def models_at(revision: Revision, models: Sequence[ModelSpec], folder: Path) -> list[ModelSpec]:
    """The same models as they were then; the revision's whole tree is written below ``folder``, which is made."""
    places = [_place(revision, model) for model in models]
    for place in places:
        if _git(revision.repository, "cat-file", "-e", f"{revision.commit}:{place.as_posix()}") is None:
            raise UsageError(f"git:{revision.text}: there is no {place} in {revision.short}")
    folder.mkdir(parents=True)
    index = {"GIT_INDEX_FILE": str(folder / ".index")}
    # Not `git archive`: it leaves out what .gitattributes keeps from release archives.
    for command in (("read-tree", revision.commit), ("checkout-index", "--all", f"--prefix={folder}/tree/")):
        if _git(revision.repository, *command, more=index) is None:
            raise UsageError(f"git:{revision.text}: git {command[0]} failed; try it in {revision.repository.name}")
    return [_at(revision, model, folder / "tree" / place) for model, place in zip(models, places, strict=True)]


def _repository(text: str, model: ModelSpec) -> Path:
    if model.path is None:
        raise UsageError(
            f"git:{text}: {model.display} is a model of ours or of Keras, of which no repository of yours has a "
            "revision; give a file of yours, or compare bundles"
        )
    found = _git(_parent(model), "rev-parse", "--show-toplevel")
    if found is None:
        raise UsageError(f"git:{text}: {model.name} is in no git repository; keep a baseline with `bench bundle`")
    return Path(found).resolve()


def _parent(model: ModelSpec) -> Path:
    assert model.path is not None
    return Path(model.path).parent.resolve()


def _place(revision: Revision, model: ModelSpec) -> Path:
    """The model's path within the repository; links of the way to it are followed, the file itself is not."""
    assert model.path is not None
    return (_parent(model) / Path(model.path).name).relative_to(revision.repository)


def _at(revision: Revision, model: ModelSpec, path: Path) -> ModelSpec:
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_LFS)) == _LFS:
                raise UsageError(
                    f"git:{revision.text}: {model.name} is a pointer of git-lfs there; `git lfs fetch {revision.short}`"
                )
    return msgspec.structs.replace(model, path=str(path))


def _git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> str | None:
    """What git prints, None where it fails; UsageError where there is no git."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}  # set within hooks
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**own, **(more or {})}, timeout=_LIMIT_S
        )
    except FileNotFoundError:
        raise UsageError("git:REV: there is no git program; install git, or compare bundles") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"git {arguments[0]}: no answer in {_LIMIT_S} s") from None
    return done.stdout.strip() if done.returncode == 0 else None
