"""Pictures of a history and its page: what is drawn, what is left out, and that names stay text."""

from __future__ import annotations

import json
from typing import Any

import pytest

import browser
from bench.check import history_pictures
from bench.check.history_page import render_history_page
from bench.check.history_pictures import pictures_of
from bench.check.history_records import History
from bench.report.picture import Picture, draw
from compare_fakes import ort, tf
from history_fakes import at, daily, history, judged, noise, stored

HOSTILE = '<script>alert("1")</script> \u202e'


def values(picture: Picture, *fields: str) -> list[dict[str, Any]]:
    """The rows of data that have all of these fields, wherever in the chart."""
    spec = json.loads(json.dumps(picture.spec))
    own = [spec.get("data", {}), *(layer.get("data", {}) for layer in spec.get("layer", []))]
    rows = [row for data in own for row in data.get("values", [])]
    rows += [row for data in spec.get("datasets", {}).values() for row in data]
    return [row for row in rows if set(fields) <= set(row)]


def full() -> History:
    """Two machines, a step with its version, a gap."""
    days = []
    for day, latency in enumerate(noise(20, 0.01)):
        row = ort(
            latency_ns_best=latency * (1.1 if day >= 9 else 1), runtime_version="1.32.0" if day >= 9 else "1.30.0"
        )
        row = ort(agreement="disagrees", agreement_reason="0.12") if day == 4 else row
        days.append(stored(day, [row], **({"machine": {"cpu": "Another CPU"}} if day % 5 == 3 else {})))
    return judged(history(*days), at(6, 8e6, 8.8e6))


def test_every_point_is_drawn_and_a_gap_is_none_but_breaks_the_line() -> None:
    (picture,) = pictures_of(full())
    points = values(picture, "value", "run")
    assert len(points) == 19
    assert len({row["run"] for row in points if row["series"] == "machine 1"}) == 2
    assert [row["what"] for row in values(picture, "what") if "disagrees" in row["what"]] == [
        "unverified: disagrees: 0.12"
    ]
    assert len(picture.cells) == 20
    assert ("unverified: disagrees: 0.12") in {cells[-1] for cells in picture.cells}


def test_a_line_is_broken_where_a_report_has_not_the_case() -> None:
    (picture,) = pictures_of(history(*(stored(day, [tf(), *[ort()] * (day != 1)]) for day in range(3)), case="onnx"))
    assert [row["run"] for row in values(picture, "value", "run")] == ["1.0", "1.1"]
    assert "1 report without a number." in picture.told


def test_levels_are_drawn_only_of_a_series_with_steps() -> None:
    without = history(*daily(noise(20, 0.01)))
    (picture,) = pictures_of(without)
    assert values(picture, "mean") == []
    (picture,) = pictures_of(judged(without, at(9, 8e6, 8.8e6)))
    assert len(values(picture, "mean")) == 2
    assert "10 % slower since 2026-10-10" in picture.told


def test_of_many_points_the_table_has_levels() -> None:
    (picture,) = pictures_of(judged(history(*daily(noise(150, 0.01))), at(90, 8e6, 8.8e6)))
    assert [cells[3] for cells in picture.cells] == ["90", "60"]


def test_only_so_many_cases_are_drawn_those_that_changed_first_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.check import history_page
    from bench.check.history_steps import with_steps

    monkeypatch.setattr(history_pictures, "MOST_DRAWN", 2)
    monkeypatch.setattr(history_page, "MOST_DRAWN", 2)
    rows = [ort(), tf(), ort(case_id="3", batch_size=8)]
    found = with_steps(history(*(stored(day, rows) for day in range(9))), lambda _: [[], [at(4, 1, 2)], []])
    assert [picture.title.split(" | ")[1] for picture in pictures_of(found)] == ["tensorflow", "onnxruntime-cpu"]
    assert "2 of 3 cases are drawn" in render_history_page(found)


def test_a_case_without_a_number_has_no_picture_and_a_picture_can_be_of_one_point() -> None:
    assert pictures_of(history(stored(0, [ort(status="crashed")]))) == []
    (picture,) = pictures_of(history(stored(0, [ort()])))
    assert draw(picture, "svg").startswith(b"<svg")


def test_a_page_says_what_is_in_no_picture() -> None:
    html = render_history_page(full())
    for words in ("when onnxruntime-cpu went", "cpu: Invented CPU against Another CPU", "unverified: disagrees: 0.12"):
        assert words in html


@pytest.mark.slow
def test_the_page_is_well_in_a_browser_and_a_hostile_name_stays_text() -> None:
    found = judged(history(*(stored(day, [ort(model=HOSTILE)]) for day in range(9))), at(4, 8e6, 9e6))
    with browser.opened(render_history_page(found), width=360, scheme="dark") as shown:
        shown.page.wait_for_selector("#picture-trend_1 svg, #picture-trend_1 canvas")
        assert shown.faults == []
        assert browser.serious_violations(shown.page) == []
        assert not browser.scrolls_sideways(shown.page)
        assert '<script>alert("1")</script> \\u202e' in shown.page.inner_text("body")
