"""A stored report as the summary of a GitHub job."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report.exchange_summary import SUMMARY_LIMIT, render_summary
from bench.report.store import load_report, save_report
from bench.rows import Row
from ci_fakes import HOSTILE
from report_fakes import ADA, environment, group_repetition, reference, row


def groups(number: int) -> list[Row]:
    return [one for batch in range(number) for one in (reference(batch_size=batch), row(batch_size=batch))]


def test_the_verdict_is_above_its_table_and_every_caution_beneath() -> None:
    text = render_summary([reference(), row(cautions="contended: busy")], environment())
    places = [text.index(part) for part in ("is the fastest verified runtime", "| runtime |", "1. contended: busy")]
    assert places == sorted(places)


def test_it_is_never_longer_than_the_limit_and_says_what_is_missing() -> None:
    rows = groups(40)
    full = render_summary(rows, environment())
    assert "more groups" not in full
    for limit in (2_000, 5_000, len(full.encode()) - 1):
        text = render_summary(rows, environment(), limit=limit)
        assert len(text.encode()) <= limit
        shown = text.count("\n### ")
        assert f"{40 - shown} more groups have no room here" in text
    assert render_summary(rows, environment(), limit=1_000).count("\n### ") == 0


@pytest.mark.slow
def test_a_report_of_many_groups_fits_githubs_limit() -> None:
    assert len(render_summary(groups(3_000), environment()).encode()) <= SUMMARY_LIMIT < 1 << 20


def test_hostile_names_stay_text() -> None:
    text = render_summary([reference(model=HOSTILE), row(HOSTILE, model=HOSTILE)], environment())
    assert "<img" not in text.replace("\\<img", "")
    assert "\x1b" not in text
    assert all(not line.startswith("::") for line in text.splitlines())


def test_nothing_private_is_in_that_of_a_stored_report(tmp_path: Path) -> None:
    save_report(tmp_path / "r", environment(), [reference(), row()], [group_repetition()], private=ADA)
    report = load_report(tmp_path / "r")
    text = render_summary(report.rows(), report.environment)
    assert "ada" not in text
    assert "/home" not in text
