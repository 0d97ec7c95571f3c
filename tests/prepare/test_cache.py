from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.prepare import cache


def make_one() -> None:
    with cache.unfinished_folder():
        pass


@pytest.fixture
def a_file(tmp_path: Path) -> str:
    (tmp_path / "file").write_text("in the way")
    return str(tmp_path / "file")


def test_a_cache_folder_that_cannot_be_made_names_the_variable(monkeypatch: pytest.MonkeyPatch, a_file: str) -> None:
    for place in ("/proc/nope", a_file):
        monkeypatch.setenv("BENCH_CACHE", place)
        with pytest.raises(UsageError, match=f"^cache folder {place}: .*set BENCH_CACHE") as caught:
            make_one()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("ask", "answer"), [(cache.entries, []), (cache.clear, 0)])
def test_where_no_cache_can_be_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, a_file: str, ask: Callable[[], object], answer: object
) -> None:
    monkeypatch.setenv("BENCH_CACHE", a_file)
    assert ask() == answer


def test_a_cache_that_cannot_be_cleared_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(UsageError, match="set BENCH_CACHE"):
        cache.clear()


def test_a_cache_that_works_is_made_and_cleared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "new"))
    make_one()
    assert cache.clear() == 0
    assert not (tmp_path / "new" / "models").exists()
