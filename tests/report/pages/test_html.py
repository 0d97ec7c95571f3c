"""What stands in the document, read without a browser."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from bench.report.pages.html import is_many, rank_column, render_page
from bench.report.pages.page import Cell, Page, Part, Table
from bench.report.text import visible
from report.pages.made_page import HOSTILE, made_page, points


class Tags(HTMLParser):
    """Elements of a document, with attributes."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))


def text_page(*texts: str, verdict: str = "Told.") -> Page:
    return Page("Title", (verdict,), (Part("part", "Part", texts),))


def ranks(*cells: Cell) -> list[int | None]:
    return rank_column(cells)


def test_the_verdict_is_the_first_text_after_the_title() -> None:
    document = render_page(replace(made_page(), verdict=("First of all.",)))
    body = document.partition("<body>")[2]
    assert body.index("First of all.") < body.index("two cores") < body.index('<section id="latency"')


def test_a_page_without_charts_carries_no_drawing_script() -> None:
    assert len(render_page(text_page("Only text."))) < 40_000


def test_a_page_may_ask_for_nothing_and_names_no_address() -> None:
    document = render_page(text_page("Only text."))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)
    assert policy is not None
    assert policy.group(1).startswith("default-src 'none'")
    assert "unsafe-eval" not in policy.group(1)
    assert "http:" not in document
    assert "https:" not in document


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_makes_no_element_and_no_attribute(name: str) -> None:
    plain, hostile = Tags(render_page(made_page(("a", "b")))), Tags(render_page(made_page((name, "b"))))
    assert [tag for tag, _ in hostile.all] == [tag for tag, _ in plain.all]
    assert [set(found) for _, found in hostile.all] == [set(found) for _, found in plain.all]


def test_hidden_characters_are_spelled_out_everywhere_in_charts_too() -> None:
    document = render_page(made_page(("right\u202eleft\u200b", "b")))
    assert "\u202e" not in document
    assert "\u200b" not in document
    assert "right\\u202eleft\\u200b" in document


def test_text_is_the_same_characters_once_it_is_read() -> None:
    for name in HOSTILE:
        assert visible(name) in html.unescape(render_page(text_page(name)))


def test_no_line_of_prose_ends_within_a_flag_and_its_text_is_the_same() -> None:
    told = "Run without --quick (-r, -t) or --no-changes; a well-known -5, x--y and <b --i>"
    document = render_page(text_page(told))
    flags = re.findall(r'<span class="flag">(.*?)</span>', document)
    assert flags == ["--quick", "-r", "-t", "--no-changes", "--i"]
    assert told in html.unescape(document.replace('<span class="flag">', "").replace("</span>", ""))
    assert "<b " not in document.partition("<main")[2]
    assert 'class="flag"' not in render_page(text_page(f"--{'x' * 40}"))  # breaks rather than leaves the page


def test_data_of_a_chart_is_json_that_no_name_ends() -> None:
    document = render_page(made_page(HOSTILE))
    found = re.search(r'id="spec-calls">(.*?)</script>', document, re.DOTALL)
    assert found is not None
    values = [row for rows in json.loads(found.group(1))["datasets"].values() for row in rows]
    assert {row["runtime"] for row in values if "runtime" in row} == set(map(visible, HOSTILE))


def test_a_chart_of_a_value_that_is_no_number_is_refused() -> None:
    picture = points(("a",), 3)
    broken = replace(picture, spec={**picture.spec, "data": {"values": [{"call": 3, "ms": float("nan")}]}})
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_page(Page("Title", (), (Part("part", "Part", pictures=(broken,)),)))


def test_two_parts_of_one_name_are_refused_and_a_part_may_be_called_as_its_picture() -> None:
    part = Part("calls", "Calls", pictures=(points(("a",), 3),))
    assert 'id="picture-calls"' in render_page(Page("Title", (), (part,)))
    with pytest.raises(ValueError, match="two parts of one name: calls"):
        render_page(Page("Title", (), (part, replace(part, pictures=()))))


def test_every_id_is_there_once() -> None:
    ids = [found["id"] for _, found in Tags(render_page(made_page())).all if "id" in found]
    assert len(ids) == len(set(ids))


def test_many_values_are_painted_wherever_in_the_chart_they_are() -> None:
    few, many = [{"a": 1}] * 3000, [{"a": 1}] * 3001
    assert not is_many({"data": {"values": few}})
    assert is_many({"data": {"values": many}})
    assert is_many({"layer": [{"data": {"values": few}}, {"data": {"values": few[:1]}}]})
    assert is_many({"data": {"name": "x"}, "datasets": {"x": many}})
    assert not is_many({"data": {"url": "nothing"}, "vconcat": [{"mark": "bar"}]})


def test_cells_are_placed_by_their_key_and_not_by_their_text() -> None:
    assert ranks(Cell("10 ms", 10), Cell("9 ms", 9), Cell("9.0 ms", 9.0), Cell("1 s", 1000)) == [1, 0, 0, 2]


def test_the_unknown_has_no_place() -> None:
    assert ranks(Cell("-"), Cell("b"), Cell("", None), Cell("a"), Cell("?", float("nan"))) == [None, 1, None, 0, None]


def test_texts_are_placed_without_regard_to_case_and_after_numbers() -> None:
    assert ranks(Cell("Beta"), Cell("alpha"), Cell("x", 5.0), Cell("shown", "gamma")) == [2, 1, 0, 3]


def test_an_empty_table_is_shown_with_its_header() -> None:
    page = Page("Title", (), (Part("part", "Part", tables=(Table("t", "None yet", ("runtime",), ()),)),))
    document = render_page(page)
    assert "0 of 0 rows" in document
    assert "runtime" in document


def test_a_row_of_another_length_is_refused() -> None:
    rows = ((Cell("a"), Cell("b")), (Cell("a"),))
    with pytest.raises(ValueError, match="zip"):
        render_page(Page("Title", (), (Part("part", "Part", tables=(Table("t", "T", ("x", "y"), rows),)),)))


def test_a_chart_may_leave_its_width_to_its_parts() -> None:
    picture = points(("a",), 3)
    parts = replace(picture, spec={"vconcat": [{key: value for key, value in picture.spec.items() if key != "width"}]})
    assert 'class="chart wide"' in render_page(Page("Title", (), (Part("part", "Part", pictures=(parts,)),)))
