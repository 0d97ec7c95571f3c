"""Doubts of a profile's rows stand beside its numbers, wherever they are shown."""

from __future__ import annotations

import json

from bench.analysis.profiled import Profile
from bench.commands.profile import profile_text
from bench.commands.profile_diff import diff_json, diff_text
from bench.report.profile_cells import case_sentences, views_of
from bench.report.profile_page import page_of
from bench.report.profile_text import render_markdown
from profile_fakes import MS, case, kernel, profile

BUSY = "contended: other processes were busy in 40 of 50 rounds; others kept 2 CPUs"
ADVICE = "Stop other work on this machine"
OF_RATIOS = "few pairs: 3 of 5; by rounds: 1.2x; no ratio: none; few samples: p99 rests on 3 calls"


def made(cautions: str, **row: str) -> Profile:
    """Two cases with these cautions of the first; the second is told to be slower."""
    fast = case([kernel("c", "Conv", (0,), [6 * MS] * 5)], [8 * MS] * 5, row={"cautions": cautions, **row})
    return profile(fast, case([kernel("c", "Conv", (0,), [8 * MS] * 5)], [10 * MS] * 5, "openvino"))


def shown(one: Profile) -> tuple[str, ...]:
    """As printed, as Markdown, and as a difference in words and as JSON."""
    return profile_text(one), render_markdown(one, views_of(one)), diff_text(one), diff_json(one)


def test_a_doubt_of_a_row_is_told_with_its_advice_wherever_its_numbers_are() -> None:
    busy, quiet = made(BUSY), made("")
    for text in shown(busy):
        assert "other processes were busy in 40 of 50 rounds; others kept 2 CPUs. Stop" in text
        assert ADVICE in text
    assert not any("Doubt" in text for text in shown(quiet))
    assert "Doubt of A: contended" in diff_text(busy)
    assert "Doubt of B" not in diff_text(busy)
    assert json.loads(diff_json(quiet))["pairs"][0]["doubts"] == []


def test_a_page_tells_a_doubt_as_a_caution_of_its_case() -> None:
    of_busy, of_quiet = (page_of(one, views_of(one), []) for one in (made(BUSY), made("")))
    [caution] = next(part for part in of_busy.parts if part.name == "case_1").cautions
    assert caution.text == BUSY
    assert caution.about == "net, onnxruntime-cpu, batch 1"
    assert caution.advice.startswith(ADVICE)
    assert not any(part.cautions for part in of_quiet.parts)


def test_doubts_of_ratios_and_percentiles_are_left_out_where_there_are_none() -> None:
    assert not any("Doubt" in text for text in shown(made(OF_RATIOS)))
    assert "Doubt: contended" in profile_text(made(f"{OF_RATIOS}; {BUSY}"))


def test_the_first_sentence_and_a_pages_verdict_mark_what_is_not_verified_and_what_cannot_win() -> None:
    wrong = made("", agreement="disagrees", agreement_reason="far off")
    partly = made("", status="partial", status_reason="60 % on the CPU")
    for one, mark in ((wrong, "(outputs not verified: disagrees)"), (partly, "(cannot win: partial)")):
        views = views_of(one)
        first, second = page_of(one, views, []).verdict
        assert first.startswith(f"net, onnxruntime-cpu, batch 1 {mark}: ")
        assert second.startswith("net, openvino, batch 1: ")
        assert profile_text(one).splitlines()[0] == first == case_sentences(views[0])[0]
