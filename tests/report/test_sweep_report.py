"""A sweep in words, tables, pictures and as a page: what is told, and that the opposite can be told too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.analysis.sweep_points import Point, Swept, sweep_of
from bench.report.pages.html import render_page
from bench.report.picture import Picture
from bench.report.sweep_costs import along_text, memory_text
from bench.report.sweep_files import write_sweep
from bench.report.sweep_page import sweep_page
from bench.report.sweep_pictures import sweep_pictures
from bench.report.sweep_tables import lines_table, points_table, render_markdown
from bench.report.sweep_text import doubts, sentences
from report_fakes import environment
from sweep_fakes import onnxruntime, plan, points, swept, tensorflow


def bent(size: float) -> float:
    return 1e5 + 4e4 * size * (2 if size > 200 else 1)


def with_a_bad_point(**changes: Any) -> Swept:
    found = points(**changes)
    reason = {"agreement": "disagrees", "agreement_reason": "0.3 off"}
    bad = replace(found[1], row=msgspec.structs.replace(found[1].row, **reason))
    return sweep_of(plan(), [found[0], bad, *found[2:]])


def pictures(of: Swept) -> dict[str, Picture]:
    return {picture.name: picture for picture in sweep_pictures(of)}


def test_a_line_is_told_with_its_intervals_and_how_far_it_is_off() -> None:
    first = sentences(swept())[1]
    assert first.startswith("tensorflow: 4 ms (3.92 ms to 4.08 ms) and 20 us (")
    assert "per million multiply-adds, over 9 points from 10.2 M to 500 M (off by at most 0.0 %" in first


def test_a_line_that_does_not_hold_is_not_told() -> None:
    second = sentences(swept(second=bent))[2]
    assert second.startswith("onnxruntime-cpu: no line over all sizes: not a straight line: at ")
    (along,) = along_text(swept(second=bent))
    assert along.startswith("onnxruntime-cpu: along side alone there is a line at alpha=0.25: 100 us")
    assert "alpha=1:" not in along  # bends there as well
    assert along_text(swept()) == []


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (
            onnxruntime,
            "onnxruntime-cpu is faster at 7 points from 10.2 M to 163 M multiply-adds, tensorflow at 2 points from "
            "255 M to 500 M; the lines cross at 195 M.",
        ),
        (lambda size: tensorflow(size) / 2, "onnxruntime-cpu is faster than tensorflow at all 9 points."),
        (lambda size: tensorflow(size) * 2, "tensorflow is faster than onnxruntime-cpu at all 9 points."),
        (tensorflow, "Cannot say whether tensorflow or onnxruntime-cpu is faster at any of 9 points."),
        (
            lambda size: tensorflow(size) * (0.5 if size > 100 else 1),
            "onnxruntime-cpu is faster than tensorflow at 4 of 9 points; at 5 it cannot be said.",
        ),
        (
            lambda size: tensorflow(size) * (0.5 if size > 200 else 1),
            "Cannot say whether tensorflow or onnxruntime-cpu is faster at any of 9 points: told apart at 2, ",
        ),
        (
            lambda size: tensorflow(size) * (0.5 if 30 < size < 80 else 1.5),
            "Multiply-adds alone do not tell which is faster: tensorflow at",
        ),
    ],
)
def test_who_is_faster_where(second: object, told: str) -> None:
    assert any(text.startswith(told) for text in sentences(swept(second=second))), sentences(swept(second=second))


def undecided(found: Sequence[Point], *, below: float = 0, above: float = 1e9) -> list[Point]:
    """The same points, not told apart at sizes below and above."""
    wide = {"ratio_low": 0.1, "ratio_high": 10.0}
    return [
        replace(p, row=msgspec.structs.replace(p.row, **wide))
        if p.series == "onnxruntime-cpu" and not below <= (p.macs_millions or 0) <= above
        else p
        for p in found
    ]


def test_who_is_faster_is_told_of_the_points_that_tell_it_and_of_no_size_beyond_them() -> None:
    told = sentences(sweep_of(plan(), undecided(points(), below=30, above=400)))[0]
    assert told.startswith(
        "onnxruntime-cpu is faster than tensorflow at 5 of 9 points; at 4 it "
    )  # one win may be chance
    told = sentences(sweep_of(plan(), undecided(points(), below=30)))[0]
    assert told.startswith("onnxruntime-cpu is faster at 5 points from 31.2 M to 163 M multiply-adds, tensorflow at 2 ")
    assert told.endswith("500 M; the lines cross at 195 M; at 2 it cannot be said.")


def test_points_that_were_not_compared_are_counted() -> None:
    told = sentences(with_a_bad_point(second=lambda size: tensorflow(size) / 2))[0]
    assert told == "onnxruntime-cpu is faster than tensorflow at 8 of 9 points; 1 not compared."
    told = sentences(with_a_bad_point(second=tensorflow))[0]
    assert told == "Cannot say whether tensorflow or onnxruntime-cpu is faster at any of 8 points; 1 not compared."


def test_one_point_is_too_few_to_tell_who_is_faster() -> None:
    told = sentences(sweep_of(plan(), points(second=lambda size: tensorflow(size) / 2)[:2]))[0]
    assert told == (
        "Cannot say whether tensorflow or onnxruntime-cpu is faster at the one point compared: told apart at 1, which "
        "chance may bring."
    )


def test_how_often_like_runtimes_are_told_apart_is_said_where_something_can_be_told() -> None:
    said = "of sweeps of equal runtimes, 3.125 % at most tell a difference."
    assert said in " ".join(doubts(swept()))
    assert said not in " ".join(doubts(swept(repetitions=3)))  # ranges decide nothing


def test_ranges_are_called_ranges_and_intervals_intervals() -> None:
    quick, normal = swept(repetitions=3), swept()
    assert "75 % ranges over 3 repetitions, which decide nothing" in " ".join(doubts(quick))
    assert "93.75 % intervals over 5 repetitions." in " ".join(doubts(normal))
    assert "decide nothing" in sentences(quick)[0]
    assert "decide nothing" not in " ".join(sentences(normal) + doubts(normal))


def test_accuracy_is_called_published_wherever_it_stands() -> None:
    header, rows = points_table(swept())
    assert header[-1] == "top1 (published, not measured)"
    assert [row[-1] for row in rows[:2]] == ["41.5", "41.5 *"]  # TensorFlow's next is not told to be slower
    assert "Accuracy is published, not measured: net_published.csv (a table)." in doubts(swept())
    shown = pictures(swept())["sweep_accuracy_top1"]
    assert "published, not measured" in shown.title
    assert "published, not measured" in shown.told
    assert "published, not measured" in json.dumps(shown.spec)
    assert "top1 (published, not measured)" in shown.header


def test_without_accuracy_none_is_spoken_of() -> None:
    plain = sweep_of(plan(points=(), accuracy_file=""), [replace(p, published={}) for p in points()])
    assert "published" not in " ".join([*doubts(plain), *points_table(plain)[0], *pictures(plain)])


def test_a_point_that_disagrees_is_in_the_table_with_its_reason_and_in_no_picture() -> None:
    of = with_a_bad_point()
    row = points_table(of)[1][1]
    assert "left out: disagrees: 0.3 off" in row
    assert row[6:9] == ("-", "-", "-")
    assert "Left out (disagrees: 0.3 off): onnxruntime-cpu at alpha=0.25, side=128." in doubts(of)
    for picture in pictures(of).values():
        assert ("alpha=0.25, side=128", "onnxruntime-cpu") not in [cells[:2] for cells in picture.cells]
    assert len(pictures(of)["sweep_latency"].cells) == 17
    assert len(pictures(swept())["sweep_latency"].cells) == 18


def test_a_line_is_drawn_only_where_it_holds() -> None:
    straight, crooked = (pictures(swept(second=second))["sweep_latency"] for second in (onnxruntime, bent))
    assert "No line" not in straight.told
    assert "No line is drawn for onnxruntime-cpu" in crooked.told
    lines = [layer for layer in crooked.spec["layer"] if layer["mark"]["type"] == "line"]
    drawn = [str(crooked.spec["datasets"][layer["data"]["name"]]) for layer in lines]
    assert len(drawn) == 1
    assert "tensorflow" in drawn[0]
    assert "onnxruntime" not in drawn[0]


def test_memory_and_lines_have_their_tables() -> None:
    assert memory_text(swept())[0].startswith("Peak memory, tensorflow: 640 MiB")
    table = lines_table(swept(second=bent))
    assert len(table) == 2 + 6
    assert table[0][1:3] == ("9", "5 (93.75 % intervals)")
    assert table[1][2:7] == ("-", "-", "-", "-", "-")
    assert table[1][7].startswith("not a straight line")


def test_markdown_shows_every_picture_and_escapes_names() -> None:
    of = sweep_of(plan(base="<b>|net"), points())
    text = render_markdown(of, [("a | title", "sweep_latency.png")])
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "(sweep_latency.png)" in text
    assert "## Points" in text


def test_the_page_says_the_verdict_first_and_what_was_left_out() -> None:
    of = with_a_bad_point()
    page = sweep_page(of, environment(), sweep_pictures(of))
    assert page.verdict == tuple(sentences(of))
    assert [part.name for part in page.parts] == ["accuracy", "cost", "memory", "points"]
    cautions = page.parts[-1].cautions
    assert [(one.about, one.command) for one in cautions] == [
        ("onnxruntime-cpu, alpha=0.25, side=128", "bench run net -e onnxruntime-cpu")
    ]
    assert "published, not measured" in render_page(page)


@pytest.mark.slow
def test_every_file_is_written_and_pictures_of_an_earlier_drawing_go(tmp_path: Path) -> None:
    (tmp_path / "sweep_accuracy_old.png").touch()
    write_sweep(tmp_path, swept(), environment())
    names = {path.name for path in tmp_path.iterdir()}
    assert "sweep_accuracy_old.png" not in names
    assert {"sweep.md", "sweep.html", "sweep.parquet", "sweep_latency.png", "sweep_latency.svg"} <= names
    assert {f"{name}.png" for name in pictures(swept())} <= names
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


def test_doubts_about_rows_are_told_once_for_all_of_them_and_only_where_there_are_some() -> None:
    cautions = "contended: other processes were busy; few samples: p99 needs 500 calls"
    found = [replace(one, row=msgspec.structs.replace(one.row, cautions=cautions)) for one in points()]
    (said,) = [line for line in doubts(sweep_of(plan(), found)) if line.startswith("Doubts, ")]
    assert said.startswith(f"Doubts, contended: {len(found)} of {len(found)} cases, such as ")
    assert "other processes were busy" in said
    assert not [line for line in doubts(swept()) if line.startswith("Doubts, ")]


def test_multiply_adds_are_those_of_a_whole_call() -> None:
    """Eight items cost eight times as much: a multiply-add costs what it costs one by one."""
    batched = [
        replace(
            point,
            row=msgspec.structs.replace(point.row, batch_size=8, latency_ns_best=8 * (point.row.latency_ns_best or 0)),
            latencies_ns={r: 8 * cost for r, cost in point.latencies_ns.items()},
        )
        for point in points()
    ]
    of = sweep_of(plan(), batched)
    assert sentences(of)[1].startswith("tensorflow: 32 ms (31.4 ms to 32.6 ms) and 20 us (")
    assert "from 81.6 M to 4 G" in sentences(of)[1]
    assert any(text.startswith("Multiply-adds are those of a whole call") for text in doubts(of))
    assert not any(text.startswith("Multiply-adds are those") for text in doubts(swept()))


def test_the_page_tells_what_the_words_tell_of_rows_lines_and_an_unfinished_run() -> None:
    found = points()
    busy = replace(found[0], row=msgspec.structs.replace(found[0].row, cautions="contended: busy in 40 of 50 rounds"))
    short = replace(found[2], latencies_ns={0: 1e6})
    page = sweep_page(sweep_of(plan(), [busy, found[1], short, *found[3:]]), environment(finished=False), [])
    assert page.verdict[0].startswith("This sweep is not finished")
    (doubt,) = [one for part in page.parts for one in part.cautions]
    assert (doubt.about, doubt.text.partition(",")[0]) == ("1 of 18 cases", "contended")
    assert doubt.advice
    assert any(text.startswith("Not in the line of tensorflow (fewer") for part in page.parts for text in part.texts)
    whole = sweep_page(swept(), environment(), [])
    assert not whole.verdict[0].startswith("This sweep")
    assert [one for part in whole.parts for one in part.cautions] == []


def test_without_intervals_no_front_is_drawn_and_it_is_said() -> None:
    few = pictures(swept(repetitions=3))["sweep_accuracy_top1"]
    assert "Which points of tensorflow and onnxruntime-cpu are preferable is not told: ranges" in few.told
    assert "Filled" not in few.told
    assert {cells[-1] for cells in few.cells} == {"-"}
    assert "ranges" not in pictures(swept())["sweep_accuracy_top1"].told


def test_a_front_of_one_runtime_alone_is_drawn_and_the_other_is_said_to_have_none() -> None:
    some = [p if p.series == "tensorflow" else q for p, q in zip(points(), points(repetitions=3), strict=True)]
    mixed = pictures(sweep_of(plan(), some))["sweep_accuracy_top1"]
    assert "Filled and joined" in mixed.told
    assert "Which points of onnxruntime-cpu are preferable is not told" in mixed.told
    assert {cells[-1] for cells in mixed.cells if cells[1] == "onnxruntime-cpu"} == {"-"}
    assert "yes" in {cells[-1] for cells in mixed.cells if cells[1] == "tensorflow"}


def test_accuracies_that_are_written_alike_in_plain_letters_have_a_file_each() -> None:
    both = [replace(point, published={"published_top-1": 40.0, "published_top_1": 50.0}) for point in points()]
    grid = plan(
        points=tuple(
            msgspec.structs.replace(one, published={"published_top-1": 40.0, "published_top_1": 50.0})
            for one in plan().points
        )
    )
    names = [name for name in pictures(sweep_of(grid, both)) if "accuracy" in name]
    assert names == ["sweep_accuracy_top_1_1", "sweep_accuracy_top_1_2"]


def test_files_of_others_that_begin_alike_stay(tmp_path: Path) -> None:
    for name in ("sweep_mine.png", "sweep_price_9.png"):
        (tmp_path / name).write_bytes(b"")
    write_sweep(tmp_path, swept(), environment())
    assert (tmp_path / "sweep_mine.png").exists()
    assert not (tmp_path / "sweep_price_9.png").exists()
