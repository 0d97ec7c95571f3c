from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.prepare import zoo

FIVE = {"article_cnn", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"}


def laid_out(root: Path, monkeypatch: pytest.MonkeyPatch, *, checkout: bool) -> Path:
    """A package folder with a copy of the models inside and a ``models`` folder beside it."""
    inside, beside = root / "bench" / "models", root / "models"
    for folder, name in ((inside, "shipped"), (beside, "beside")):
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text("")
    (root / "bench" / "prepare").mkdir()
    if checkout:
        (root / "pyproject.toml").write_text("")
    monkeypatch.setattr(zoo, "__file__", str(root / "bench" / "prepare" / "zoo.py"))
    return root


def test_the_zoo_holds_the_five_models() -> None:
    assert set(zoo.zoo_names()) >= FIVE
    assert list(zoo.zoo_names()) == sorted(zoo.zoo_names())


def test_in_a_checkout_the_folder_beside_the_package_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = laid_out(tmp_path, monkeypatch, checkout=True)
    assert zoo.models_folder() == root / "models"
    assert zoo.zoo_names() == ("beside",)


def test_a_foreign_models_folder_beside_an_installation_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = laid_out(tmp_path, monkeypatch, checkout=False)
    assert zoo.models_folder() == root / "bench" / "models"
    assert zoo.zoo_names() == ("shipped",)


def test_private_files_and_files_that_are_no_names_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = laid_out(tmp_path, monkeypatch, checkout=True)
    for name in ("_shared.py", "__init__.py", "not-a-name.py", "README.md"):
        (root / "models" / name).write_text("")
    assert zoo.zoo_names() == ("beside",)


def test_listing_the_zoo_loads_no_keras() -> None:
    code = (
        "import sys; from bench.prepare.zoo import zoo_names; zoo_names(); print({'keras','numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
