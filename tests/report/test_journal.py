"""A killed run keeps its whole repetitions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.errors import UsageError
from bench.records import Environment
from bench.report import journal
from report_fakes import case_repetition, environment, group_repetition


def test_repetitions_come_back_as_they_were_in_the_order_of_groups(tmp_path: Path) -> None:
    kept = [group_repetition(group, repetition) for group in (0, 1) for repetition in (0, 1, 2)]
    for one in reversed(kept):
        journal.append_repetition(tmp_path, one)
    assert journal.read_journal(tmp_path) == kept


def test_a_run_without_a_journal_has_no_repetitions(tmp_path: Path) -> None:
    assert journal.read_journal(tmp_path) == []
    assert not journal.has_journal(tmp_path)


def test_a_repetition_that_is_measured_again_replaces_the_first(tmp_path: Path) -> None:
    journal.append_repetition(tmp_path, group_repetition(page_cache="cold"))
    journal.append_repetition(tmp_path, group_repetition(page_cache="warm"))
    assert [one.page_cache for one in journal.read_journal(tmp_path)] == ["warm"]


def test_a_truncated_file_counts_as_not_there_whatever_its_length(tmp_path: Path) -> None:
    journal.append_repetition(tmp_path, group_repetition(repetition=0))
    journal.append_repetition(tmp_path, group_repetition(repetition=1))
    last = sorted((tmp_path / "journal").iterdir())[-1]
    content = last.read_bytes()
    for length in range(len(content)):
        last.write_bytes(content[:length])
        assert [one.repetition for one in journal.read_journal(tmp_path)] == [0]


def test_a_repetition_measured_after_a_truncated_one_is_found(tmp_path: Path) -> None:
    journal.append_repetition(tmp_path, group_repetition())
    next((tmp_path / "journal").iterdir()).write_bytes(b"\x85")
    journal.append_repetition(tmp_path, group_repetition())
    assert journal.read_journal(tmp_path) == [group_repetition()]


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    journal.append_repetition(tmp_path, group_repetition())
    path = next((tmp_path / "journal").iterdir())
    path.write_bytes(msgspec.msgpack.encode({"group": 0, "invented_later": 1}))
    with pytest.raises(UsageError, match=r"resuming from .*not a record of this version"):
        journal.read_journal(tmp_path)


def test_a_reason_that_is_not_unicode_is_kept_spelled_out(tmp_path: Path) -> None:
    died = case_repetition(status="crashed", reason="caf\udce9: gone")
    journal.append_repetition(tmp_path, group_repetition(cases=[died]))
    assert journal.read_journal(tmp_path)[0].cases[0].reason == "caf\\udce9: gone"


def test_the_plan_keeps_the_paths_that_a_report_has_not(tmp_path: Path) -> None:
    journal.save_plan(tmp_path, environment())
    assert journal.read_plan(tmp_path, Environment) == environment()
    assert journal.read_journal(tmp_path) == []


def test_there_is_no_plan_where_none_was_kept(tmp_path: Path) -> None:
    assert journal.read_plan(tmp_path, Environment) is None


def test_a_finished_run_has_no_journal_and_no_rubbish(tmp_path: Path) -> None:
    journal.append_repetition(tmp_path, group_repetition())
    (tmp_path / ".results.parquet.123.unfinished").write_bytes(b"half")
    journal.finish(tmp_path)
    assert list(tmp_path.iterdir()) == []
    journal.finish(tmp_path)  # once more does no harm
