"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.report import atomic


def test_folders_are_made_and_content_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["file"]


def test_the_old_content_is_there_until_the_new_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def half(unfinished: Path) -> None:
        unfinished.write_bytes(b"ne")
        assert path.read_bytes() == b"old"
        raise OSError(5, "Input/output error")

    with pytest.raises(BenchError, match="Input/output error"):
        atomic.write_with(path, half)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_bug_in_the_writer_stays_a_bug(tmp_path: Path) -> None:
    def broken(_: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        atomic.write_with(tmp_path / "file", broken)
    assert os.listdir(tmp_path) == []


def test_a_folder_in_the_way_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "x").touch()
    with pytest.raises(BenchError, match="choose another folder with --out"):
        atomic.write_bytes(tmp_path / "file", b"")


def test_only_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    for name in (".a.1.unfinished", "a", ".hidden", "x.unfinished"):
        (tmp_path / name).touch()
    atomic.remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "a", "x.unfinished"]
