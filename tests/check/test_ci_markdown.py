from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.check.ci_markdown import COMMENT_LIMIT, comment_markdown, marker, summary_markdown, table
from ci_fakes import HOSTILE, NET, agreement, found, judged, missing

RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render


class Page(HTMLParser):
    """Rows of tables as lists of cells, and every tag that was opened."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self._in_cell = False
        self.feed(RENDER(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def bars(line: str) -> int:
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))


def test_the_verdict_is_first() -> None:
    text = summary_markdown([found(judged("REGRESSED"), agreement())], "pull request")
    assert text.splitlines()[:3] == ["## pull request: REGRESSED", "", "1 REGRESSED, 1 PASS."]
    assert summary_markdown([found(judged(), agreement())]).startswith("## gate: PASS\n\n2 PASS.\n")


def test_the_table_is_one_of_githubs_with_the_strongest_verdict_on_top() -> None:
    page = Page(summary_markdown([found(judged(), agreement("DISAGREES"))]))
    assert page.rows == [
        ["case", "metric", "verdict", "change", "budget", "baseline", "head", "pairs", "detectable"],
        [NET, "agreement", "DISAGREES", "-", "no change of verdict", "-", "-", "8", "-"],
        [NET, "latency", "PASS", "+4.8% (below +5.7%)", "5%", "14.3 ms", "15 ms", "8", "3.1%"],
    ]


def test_memory_is_shown_in_bytes() -> None:
    page = Page(summary_markdown([found(judged(metric="rss_peak", baseline_value=87 << 20, head_value=88 << 20))]))
    assert page.rows[1][5:7] == ["87 MiB", "88 MiB"]


def test_every_row_of_a_table_has_as_many_cells_as_its_header_whatever_the_name() -> None:
    text = summary_markdown([found(judged("REGRESSED", case=HOSTILE), agreement(case="|" * 9), judged(case="\\|x\\"))])
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [bars(line) for line in lines] == [10] * 5
    page = Page(text)
    assert {len(row) for row in page.rows} == {9}
    assert {row[0] for row in page.rows} >= {"|" * 9, "\\|x\\"}


def test_a_hostile_name_opens_no_tag_and_closes_no_fold() -> None:
    gate = found(judged("REGRESSED", case=HOSTILE, reason=HOSTILE, notes=(HOSTILE,)), folder=HOSTILE, notes=(HOSTILE,))
    page = Page(summary_markdown([gate, missing(HOSTILE)], HOSTILE))
    assert "img" not in page.tags
    assert page.tags.count("details") == 1
    assert page.tags.count("pre") == 1


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_cell_shows_the_text_that_it_was_given(one: str, other: str) -> None:
    rows = Page(table(("a", "b"), [(one, other)])).rows
    assert [len(row) for row in rows] == [2, 2]
    if one.isascii() and one.isprintable():
        assert " ".join(rows[1][0].split()) == " ".join(one.split())


def test_reasons_and_notes_of_what_did_not_pass_are_there_and_the_rest_is_folded() -> None:
    text = summary_markdown([found(judged("INCONCLUSIVE", reason="too noisy", notes=("64% preempted",)), agreement())])
    before, _, folded = text.partition("<details>")
    assert "too noisy\n  - 64% preempted" in before
    assert "a slowdown of 5% is excluded" not in before
    assert "a slowdown of 5% is excluded" in folded


def test_what_was_not_measured_is_named_below_the_verdict() -> None:
    assert "- **NOT MEASURED** gone: reading gate gone: no such folder" in summary_markdown([missing()])
    assert summary_markdown([]) == "## gate: NOT MEASURED\n\n1 NOT MEASURED.\n\n- **NOT MEASURED** no gate was given\n"


def test_the_state_of_the_baseline_and_new_cases_are_told() -> None:
    text = summary_markdown([found(judged(), notes=("the baseline is 40 days old",), new_cases=("net two",))])
    assert "- the baseline is 40 days old\n- net two is in head alone" in text


def test_a_comment_is_found_again_by_its_first_line() -> None:
    first = comment_markdown([found(judged())], "gate linux_x64").splitlines()[0]
    assert first == marker("gate linux_x64") == "<!-- onnx-crossbench gate gate-linux_x64 -->"
    assert marker("other") != first
    assert marker("a --> b\n") == "<!-- onnx-crossbench gate a-----b- -->"


@pytest.mark.parametrize("letter", ["x", "\u00e4", "\U0001f600", "|"])
@pytest.mark.parametrize("cases", [1, 200, 3000])
def test_a_comment_is_never_longer_than_github_takes(letter: str, cases: int) -> None:
    many = [judged("PASS", case=f"{number} {letter * 400}", reason=letter * 999) for number in range(cases)]
    text = comment_markdown([found(judged("REGRESSED", case="the one"), *many), missing(letter * 99_999)])
    assert len(text.encode()) <= COMMENT_LIMIT
    assert "## gate: NOT MEASURED" in text
    assert "the one" in text
    assert {len(row) for row in Page(text).rows} == {9}


def test_what_had_to_be_left_out_is_counted() -> None:
    text = comment_markdown([found(*(judged("PASS", case=f"net {number}") for number in range(3000)))])
    shown = len(Page(text).rows) - 1
    assert shown > 100
    assert f"{3000 - shown} more verdicts, none of them stronger" in text
    assert "more verdicts" not in comment_markdown([found(judged(), agreement())])


def test_ever_so_many_missing_gates_fit() -> None:
    text = comment_markdown([missing(f"{number} {'y' * 999}") for number in range(500)])
    assert len(text.encode()) <= COMMENT_LIMIT
    assert "and 480 more like these" in text
