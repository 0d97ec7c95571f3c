"""reports/README.md describes the reports that this code writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bench.records import Status, Verdict
from bench.report.columns import TABLES, data_dictionary
from bench.report.store import save_report
from report_fakes import ADA, absent, environment, group_repetition, reference, row
from report_pictures_fakes import many, stored

README = Path(__file__).parents[2] / "reports" / "README.md"


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


def test_the_data_dictionary_is_current(readme: str) -> None:
    _, _, generated = readme.partition("it is current -->\n\n")
    assert generated == data_dictionary(), "python -c 'from bench.report.columns import *; print(data_dictionary())'"


def test_every_file_of_a_report_is_described(readme: str, tmp_path: Path) -> None:
    save_report(tmp_path, environment(), [reference(), row(), absent()], [group_repetition()], private=ADA)
    described = set(re.findall(r"^\| `([^`]+)` \|", readme.split("## The main columns")[0], re.MULTILINE))
    assert described == {path.name for path in tmp_path.iterdir()} | {
        *("journal/", "outputs/", "outputs.json", "report.html", "pictures/")
    }


def test_every_picture_is_there_small_and_used(readme: str) -> None:
    used = re.findall(r"!\[[^\]]+\]\((pictures/[^)]+)\)", readme)
    kept = sorted(README.parent.glob("pictures/*"))
    assert sorted(used) == [path.relative_to(README.parent).as_posix() for path in kept]
    assert all(path.stat().st_size < 100_000 for path in kept)


def test_every_status_and_verdict_is_explained(readme: str) -> None:
    prose = readme.split("## The data dictionary")[0]
    for word in (*get_args(Status), *get_args(Verdict)):
        assert f"`{word}`" in prose


def test_every_column_named_in_the_prose_exists(readme: str) -> None:
    prose = readme.split("## The data dictionary")[0]
    columns = {column.name for table in TABLES.values() for column in table}
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", prose))
    assert named - {"load_report"} <= columns


def test_the_example_runs_on_a_report(readme: str, tmp_path: Path) -> None:
    stored(tmp_path, repetitions=many(100))
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict[str, object] = {}
    exec(re.sub(r'"reports/[^"]*"', repr(str(tmp_path)), example), names)
    assert len(names["timed"]) == 100  # type: ignore[arg-type]
