"""What is installed: where ``bench`` comes from, and what a wheel holds.

CI sets BENCH_EXPECT_INSTALLED=1: then the tests must run against the built wheel, not against the checkout.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.prepare.zoo import models_folder

ROOT = Path(__file__).parent.parent
EXPECT_INSTALLED = os.environ.get("BENCH_EXPECT_INSTALLED") == "1"
PACKAGE = Path(bench.__file__).parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of this checkout; built from it, unless CI has built it already."""
    built = sorted((ROOT / "dist").glob("*.whl")) if EXPECT_INSTALLED else []
    if not built:
        folder = tmp_path_factory.mktemp("wheel")
        code = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=120)
        built = sorted(folder.glob("*.whl"))
    (path,) = built
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.mark.skipif(not EXPECT_INSTALLED, reason="only where CI has installed the wheel")
def test_bench_comes_from_the_installed_wheel() -> None:
    assert "site-packages" in PACKAGE.parts
    assert ROOT not in PACKAGE.parents or ".venv" in PACKAGE.parts
    assert models_folder() == PACKAGE / "models"


@pytest.mark.skipif(EXPECT_INSTALLED, reason="CI tests the wheel")
def test_bench_comes_from_this_checkout() -> None:
    assert PACKAGE == ROOT / "bench"
    assert models_folder() == ROOT / "models"


def test_a_child_finds_the_same_package() -> None:
    code = "import bench; print(bench.__file__)"
    found = subprocess.run([sys.executable, "-P", "-c", code], check=True, text=True, capture_output=True, timeout=60)
    assert Path(found.stdout.strip()) == PACKAGE / "__init__.py"


def test_the_versions_say_the_same() -> None:
    assert bench.__version__ == PROJECT["project"]["version"] == metadata.version("onnx-crossbench")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {bench.__version__}" in changes


def test_a_wheel_holds_every_file_of_ours_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    kinds = ("*.py", "pages/page.*")
    ours = {path.relative_to(ROOT).as_posix() for kind in kinds for path in (ROOT / "bench").rglob(kind)}
    assert {f"bench/report/pages/page.{kind}" for kind in ("py", "html", "css", "js")} <= ours
    zoo = {f"bench/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "models").iterdir() if path.is_file()}
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == ours | zoo | {"bench/py.typed"}


def test_a_wheel_has_one_package_one_command_and_one_plugin_of_pytest(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist() if ".dist-info" not in name} == {"bench"}
    names = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    assert wheel.read(names["entry_points.txt"]).decode().split() == [
        "[console_scripts]",
        "bench",
        "=",
        "bench.start:main",
        "[pytest11]",
        "onnx-crossbench",
        "=",
        "bench.pytest_plugin",
    ]
    assert "Apache License" in wheel.read(names["LICENSE"]).decode()


def test_no_dependency_of_ours_brings_a_second_onnxruntime() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [name for group in extras.values() for name in group]
    assert [name for name in wanted if name.startswith("onnxruntime")] == []


def test_every_dependency_is_pinned_by_version_and_hash() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(
        r"^([A-Za-z0-9._-]+)==\S+(?: ;[^\\]*)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    asked = re.findall(r"^[^ #\n].*$", text, re.MULTILINE)
    assert len(pins) == len(asked) > 50
    locked = {name.lower().replace("_", "-") for name, _ in pins}
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"], *PROJECT["build-system"]["requires"]]
    names = {re.split(r"[=<>~!\[ ;]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names <= locked
    assert "://" not in text


def test_the_build_backend_is_pinned_as_in_the_lock() -> None:
    (backend,) = PROJECT["build-system"]["requires"]
    assert backend in (ROOT / "requirements.txt").read_text(encoding="utf-8").replace(" \\", "").splitlines()
