"""``bench report --format html|png|svg``."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.commands.report import print_report
from bench.errors import EXIT_OK, UsageError
from command_fakes import Heard
from report_fakes import absent
from report_pictures_fakes import HOSTILE, stored


def test_the_page_goes_beside_the_report_or_where_it_is_told_to(tmp_path: Path) -> None:
    stored(tmp_path / "report")
    heard = Heard()
    assert print_report(tmp_path / "report", "html", console=heard.console) == EXIT_OK
    assert print_report(tmp_path / "report", "html", console=heard.console, out=tmp_path / "deep" / "x.html") == EXIT_OK
    assert heard.out == [str(tmp_path / "report" / "report.html"), str(tmp_path / "deep" / "x.html")]
    assert all(Path(path).read_bytes()[:15].lower() == b"<!doctype html>" for path in heard.out)


def test_each_picture_is_a_file_of_its_own(tmp_path: Path) -> None:
    stored(tmp_path)
    heard = Heard()
    assert print_report(tmp_path, "svg", console=heard.console) == EXIT_OK
    paths = [Path(line) for line in heard.text.splitlines()]
    assert {path.name for path in paths} >= {"speed_1.svg", "latency_distribution_1.svg", "samples_over_time_1.svg"}
    assert {path.parent for path in paths} == {tmp_path / "pictures"}
    assert all("<svg" in path.read_text(encoding="utf-8")[:200] for path in paths)


def test_pictures_as_png_go_into_the_folder_that_is_named(tmp_path: Path) -> None:
    stored(tmp_path / "report")
    heard = Heard()
    print_report(tmp_path / "report", "png", console=heard.console, out=tmp_path / "pictures")
    assert all(Path(path).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for path in heard.text.splitlines())
    assert not (tmp_path / "report" / "pictures").exists()


def test_names_that_would_be_scripts_are_text_in_a_picture(tmp_path: Path) -> None:
    from report_fakes import row

    stored(tmp_path, [row(name, case_id=str(number)) for number, name in enumerate(HOSTILE)], [])
    heard = Heard()
    print_report(tmp_path, "svg", console=heard.console)
    for path in heard.text.splitlines():
        assert "<script" not in Path(path).read_text(encoding="utf-8")


def test_a_report_in_which_nothing_ran_has_no_picture_and_says_so(tmp_path: Path) -> None:
    stored(tmp_path, [absent()], [])
    heard = Heard()
    assert print_report(tmp_path, "png", console=heard.console) == EXIT_OK
    assert heard.out == []
    assert "nothing to draw" in heard.err[0]
    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize("format_name", ["html", "png", "svg"])
def test_a_place_that_cannot_be_written_is_one_line_with_a_way_on(tmp_path: Path, format_name: str) -> None:
    stored(tmp_path)
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "beneath"
    with pytest.raises(
        UsageError, match=r"writing .*/file/beneath: Not a directory; name another (file|folder) with -o"
    ):
        print_report(tmp_path, format_name, console=Heard().console, out=out)


def test_a_folder_is_no_place_for_a_page(tmp_path: Path) -> None:
    stored(tmp_path)
    with pytest.raises(UsageError, match="this is a folder; name the file"):
        print_report(tmp_path, "html", console=Heard().console, out=tmp_path)


def test_a_file_of_benchmarks_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="this needs a report's folder"):
        print_report(tmp_path / "x.json", "html", console=Heard().console)


def test_an_unknown_format_is_told_every_right_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--format pdf: expected one of text, md.*html, png, svg"):
        print_report(tmp_path, "pdf", console=Heard().console)


@pytest.mark.parametrize("format_name", ["md", "html"])
@pytest.mark.parametrize("name", ["results.parquet", "environment.json"])
def test_what_was_measured_is_never_written_over(tmp_path: Path, format_name: str, name: str) -> None:
    stored(tmp_path)
    before = (tmp_path / name).read_bytes()
    with pytest.raises(UsageError, match="holds what was measured; name another file"):
        print_report(tmp_path, format_name, console=Heard().console, out=tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert print_report(tmp_path, format_name, console=Heard().console, out=tmp_path / "other.txt") == EXIT_OK
