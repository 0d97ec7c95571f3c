"""A uv that needs no network and makes environments of a few bytes; see ``environments/fake_uv.py``."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from bench.environments import uv

WORKER_PINS = {"msgspec": "0.22.0", "numpy": "2.4.0", "psutil": "7.2.0"}


def lock_of(pins: Mapping[str, str]) -> str:
    return "".join(f"{name}=={pins[name]} \\\n    --hash=sha256:{'ab' * 32}\n" for name in sorted(pins))


class FakeUv:
    """The script in a folder of its own, with what it is told and what it was asked."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.path = folder / "uv"
        source = Path(__file__).parent / "environments" / "fake_uv.py"
        self.path.write_text(f"#!{sys.executable}\n" + source.read_text(encoding="utf-8"), encoding="utf-8")
        self.path.chmod(0o755)
        self._table: dict[str, Any] = {"solutions": [], "fails": {}, "base": sys.base_prefix}
        self._write()

    def knows(
        self,
        distribution: str,
        version: str,
        beside: Mapping[str, str] = MappingProxyType({}),
        *,
        clashes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Resolve ``distribution==version`` with the pins ``beside`` it, unless one of ``clashes`` is held."""
        lock = lock_of(WORKER_PINS | dict(beside) | {distribution: version})
        self._table["solutions"].append([[f"{name}=={pin}" for name, pin in clashes.items()], lock])
        self._write()

    def fails(self, verb: str, code: int, err: str) -> None:
        self._table["fails"][verb] = [code, err]
        self._write()

    def works(self) -> None:
        self._table["fails"] = {}
        self._write()

    def has_another_python(self) -> None:
        self._table["base"] = "/another"
        self._write()

    def asked(self) -> list[str]:
        """Every command so far: compile, venv or install, with all of its words."""
        log = self.folder / "asked.txt"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def verbs(self) -> list[str]:
        return [next(word for word in line.split() if word in ("compile", "venv", "install")) for line in self.asked()]

    def _write(self) -> None:
        (self.folder / "table.json").write_text(json.dumps(self._table), encoding="utf-8")


def install_fake_uv(folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    """A fake uv that is found in place of the real one, with an empty cache of its own below ``folder``."""
    shutil.rmtree(folder / "uv", ignore_errors=True)
    fake = FakeUv(folder / "uv")
    monkeypatch.setattr(uv, "find_uv", lambda: str(fake.path))
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.invalid/simple")  # so that pip is not asked
    return fake
