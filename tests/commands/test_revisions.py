from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bench.commands.revisions import find_revision, models_at
from bench.errors import UsageError
from bench.specs import parse_model

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *WHO, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Revision v1 has ``net/model.py`` that says 1 and imports ``parts.py``; the working tree's says 2."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "-q")
    (root / "net").mkdir()
    (root / "net/model.py").write_text("version = 1")
    (root / "net/parts.py").write_text("parts = 1")
    (root / "net/big.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (root / ".gitattributes").write_text("net/parts.py export-ignore\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "tag", "v1")
    (root / "net/model.py").write_text("version = 2")
    (root / "net/new.py").write_text("")
    return root


def test_a_model_is_as_it_was_then_with_all_that_lay_about_it(repository: Path, tmp_path: Path) -> None:
    model = parse_model(f"{repository}/net/model.py:build")
    (then,) = models_at(find_revision("v1", [model]), [model], tmp_path / "then")
    assert then.path is not None
    assert Path(then.path).read_text() == "version = 1"
    assert (Path(then.path).parent / "parts.py").read_text() == "parts = 1"  # though archives leave it out
    assert (then.display, then.function) == (model.display, "build")


def test_the_repository_is_left_as_it_was(repository: Path, tmp_path: Path) -> None:
    before = git(repository, "status", "--short"), sorted(os.listdir(repository / ".git"))
    model = parse_model(f"{repository}/net/model.py")
    models_at(find_revision("main", [model]), [model], tmp_path / "then")
    assert (git(repository, "status", "--short"), sorted(os.listdir(repository / ".git"))) == before
    assert (repository / "net/model.py").read_text() == "version = 2"


def test_a_relative_path_is_meant_from_the_present_folder(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "net")
    model = parse_model("model.py")
    (then,) = models_at(find_revision("v1", [model]), [model], tmp_path / "then")
    assert Path(then.path or "").read_text() == "version = 1"


def test_a_hook_s_environment_does_not_lead_elsewhere(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    model = parse_model(f"{repository}/net/model.py")
    assert find_revision("v1", [model]).repository == repository.resolve()


@pytest.mark.parametrize("text", ["nope", "--all", "v1:net"])
def test_an_unknown_revision_is_refused(text: str, repository: Path) -> None:
    with pytest.raises(UsageError, match=f"git:{text}: no such revision here"):
        find_revision(text, [parse_model(f"{repository}/net/model.py")])


def test_a_file_that_was_not_there_yet_is_refused(repository: Path, tmp_path: Path) -> None:
    model = parse_model(f"{repository}/net/new.py")
    with pytest.raises(UsageError, match=r"git:v1: there is no net/new\.py in [0-9a-f]{7}$"):
        models_at(find_revision("v1", [model]), [model], tmp_path / "then")


def test_a_model_of_the_zoo_has_no_revision() -> None:
    with pytest.raises(UsageError, match="git:v1: mobilenet_v1 is a model of ours or of Keras"):
        find_revision("v1", [parse_model("mobilenet_v1")])


def test_a_file_of_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.py").touch()
    with pytest.raises(UsageError, match=r"net\.py is in no git repository"):
        find_revision("v1", [parse_model(f"{tmp_path}/net.py")])


def test_models_of_two_repositories_have_no_common_revision(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "net.py").touch()
    both = [parse_model(f"{repository}/net/model.py"), parse_model(f"{tmp_path}/net.py")]
    with pytest.raises(UsageError, match="in 2 repositories"):
        find_revision("v1", both)


def test_a_pointer_of_git_lfs_is_no_model(repository: Path, tmp_path: Path) -> None:
    model = parse_model(f"{repository}/net/model.py")
    pointer = type(model)(text="big", kind="onnx", name="big.onnx", display="big", path=f"{repository}/net/big.onnx")
    with pytest.raises(UsageError, match=r"big\.onnx is a pointer of git-lfs there"):
        models_at(find_revision("v1", [pointer]), [pointer], tmp_path / "then")


def test_no_git_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="there is no git program"):
        find_revision("v1", [parse_model(f"{repository}/net/model.py")])
