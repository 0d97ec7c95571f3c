"""Rows to the words of a section."""

from __future__ import annotations

import pytest

from bench.report import cells
from bench.report.legend import legend
from bench.report.notes import split_cautions
from report_fakes import absent, reference, row


@pytest.mark.parametrize(
    ("cautions", "parts"),
    [
        ("", []),
        ("few samples: p99 needs 500", ["few samples: p99 needs 500"]),
        ("few samples: a; contended: b", ["few samples: a", "contended: b"]),
        ("contended: busy; use less; few samples: c", ["contended: busy; use less", "few samples: c"]),
        ("not a caution", ["not a caution"]),
    ],
)
def test_cautions_are_taken_apart_at_their_codes(cautions: str, parts: list[str]) -> None:
    assert split_cautions(cautions) == parts


def test_groups_are_models_batches_threads_streams_and_boundaries_in_the_order_in_which_they_come() -> None:
    rows = [row(case_id="1"), row(case_id="2", batch_size=8), row(case_id="3"), row(case_id="4", threads=1)]
    rows += [row(case_id="5", streams=4), row(case_id="6", boundary="device"), row(case_id="7", precision="int8")]
    assert [(section.title, len(section.cells)) for section in cells.sections(rows)] == [
        ("net, batch 1, 2 threads", 3),  # precisions compete
        ("net, batch 8, 2 threads", 1),
        ("net, batch 1, 1 thread", 1),
        ("net, batch 1, 2 threads, 4 streams", 1),
        ("net, batch 1, 2 threads, device boundary", 1),
    ]


def test_memory_is_the_peak_over_the_import_and_cold_start_the_sum_of_its_steps() -> None:
    (section,) = cells.sections([row()])
    assert (section.cells[0].memory, section.cells[0].cold_start) == ("61 MiB", "155 ms")


def test_one_unknown_step_makes_the_sum_unknown() -> None:
    (section,) = cells.sections([row(load_ns=None, rss_import_bytes=None)])
    assert (section.cells[0].memory, section.cells[0].cold_start) == ("-", "-")


def test_equal_cautions_share_a_number_and_sections_count_anew() -> None:
    rows = [row("a", cautions="x: 1; y: 2"), row("b", cautions="y: 2"), row("c", batch_size=8, cautions="z: 3")]
    first, second = cells.sections(rows)
    assert [one.notes for one in first.cells] == ["1,2", "2"]
    assert (first.notes, second.notes, second.cells[0].notes) == (["x: 1", "y: 2"], ["z: 3"], "1")


def test_cautions_that_differ_in_their_share_alone_are_one_with_the_greatest() -> None:
    busy = [f"contended: busy in 9 of 9 rounds, up to {share}% of calls" for share in (3, 18, 4)]
    (section,) = cells.sections([row(str(i), cautions=caution) for i, caution in enumerate(busy)])
    assert [one.notes for one in section.cells] == ["1", "1", "1"]
    assert section.notes == [busy[1]]
    other = cells.sections([row("a", cautions=busy[0]), row("b", cautions=busy[0].replace("9 of 9", "8 of 9"))])
    assert len(other[0].notes) == 2


def test_a_caution_that_only_repeats_the_verdict_is_left_to_the_remark() -> None:
    (section,) = cells.sections([row(agreement="vacuous", agreement_reason="hardly varies", cautions="vacuous: no")])
    assert section.notes == []
    assert [remark.text for remark in section.remarks] == ["cannot win, vacuous: hardly varies"]


def test_a_row_that_can_win_has_no_remark_and_one_that_failed_has_its_command() -> None:
    (section,) = cells.sections([reference(), row(), absent()])
    assert [(remark.runtime, remark.reproduce) for remark in section.remarks] == [
        ("onnxruntime-cuda", "bench run net -e onnxruntime-cuda -b 1 -x 2")
    ]
    assert section.states == ["good", "good", "bad"]


def test_the_level_is_said_once_and_rows_with_another_say_theirs() -> None:
    rows = [reference(), row("a"), row("b"), row("c", interval_level=0.75, processes=3)]
    assert any("in brackets the 93.75 % interval over 5 processes." in line for line in legend(rows))
    (section,) = cells.sections(rows)
    assert section.notes == ["in brackets the 75 % range over 3 processes"]
    assert [one.notes for one in section.cells] == ["", "", "", "1"]


def test_quick_runs_have_a_range_and_no_note_about_it() -> None:
    rows = [reference(), row(interval_level=0.75, processes=3)]
    assert any("in brackets the 75 % range over 3 processes." in line for line in legend(rows))
    assert cells.sections(rows)[0].notes == []


def test_a_ratio_that_rests_on_fewer_pairs_does_not_claim_all_processes() -> None:
    rows = [reference(), row("a"), row("b", interval_level=0.875, cautions="few pairs: 4 of 5 repetitions")]
    assert cells.sections(rows)[0].notes == ["few pairs: 4 of 5 repetitions", "in brackets the 87.5 % range"]


def test_the_page_cache_is_said_only_where_it_is_known() -> None:
    assert "(page cache: cold and warm)" in legend([row("a"), row("b", page_cache="cold")])[-1]
    assert not any("page cache" in line for line in legend([row(page_cache=None)]))


def test_nothing_is_said_of_brackets_that_are_not_there() -> None:
    assert not any("bracket" in line for line in legend([row(reference_runtime=None, ratio_low=None)]))


def test_rows_of_a_split_group_say_what_their_speed_is_against() -> None:
    first = [reference(), row("onnxruntime-cpu", 0.5)]
    second = [
        row("openvino", 1.0, reference_runtime="openvino", ratio_low=None, ratio_high=None),
        row("litert", 0.4, reference_runtime="openvino"),
    ]
    (section,) = cells.sections(first + second)
    assert section.verdict == "Measured in 2 separate parts (memory): not compared with each other."
    assert [one.speed.split(" (")[0] for one in section.cells] == [
        "reference",
        "2.0x faster",
        "reference",
        "2.5x faster",
    ]
    assert section.notes == [f"speed is against {name} of its own part" for name in ("tensorflow", "openvino")]
    (whole,) = cells.sections(first)
    assert whole.notes == []


def test_a_p90_of_the_tail_block_is_said_to_be_one() -> None:
    assert not any("--tail" in line for line in legend([row(percentile_block="turns; p99: tail")]))
    assert any(
        "p90 is of the uninterrupted block" in line for line in legend([row(percentile_block="turns; p90, p99: tail")])
    )


def test_a_precision_that_all_rows_share_is_in_the_title() -> None:
    assert cells.sections([row(precision="float16")])[0].title == "net, batch 1, 2 threads, float16"


def test_precisions_that_differ_are_a_column_unless_the_names_tell_them() -> None:
    told = row(runtime_spec="onnxruntime-cpu:precision=int8", precision="int8", case_id="8")
    (section,) = cells.sections([row(), told])
    assert "precision" not in section.columns
    (section,) = cells.sections([row(), row("litert", precision="int8")])
    assert [one.precision for one in section.cells] == ["float32", "int8"]
    assert "precision" in section.columns


def test_rows_that_are_not_told_apart_share_a_rank_and_the_next_counts_all_of_them() -> None:
    rows = [reference(), row("a", 0.5), row("b", 0.51), row("c", 0.7)]
    (section,) = cells.sections(rows)
    assert [one.rank for one in section.cells] == ["4", "1", "1", "3"]


def test_a_row_that_cannot_win_has_no_rank_and_takes_none() -> None:
    rows = [reference(), row("a", 0.5), row("wrong", 0.1, agreement="disagrees"), row("b", 0.4, status="partial")]
    (section,) = cells.sections(rows)
    assert [one.rank for one in section.cells] == ["2", "1", "", ""]


def test_ranks_by_ranges_are_marked_and_the_legend_says_why() -> None:
    rows = [reference(), row("a", interval_level=0.75, processes=3)]
    assert [one.rank for one in cells.sections(rows)[0].cells] == ["~2", "~1"]
    assert any(line.startswith("rank: ") and "~: by ranges, which decide nothing" in line for line in legend(rows))
    assert not any("~" in line for line in legend([reference(), row("a")]))


def test_there_is_no_rank_where_nothing_can_be_ranked() -> None:
    alone = [row()]
    one_repetition = [reference(), row(ratio_low=None, ratio_high=None)]
    parts = [reference(), row("openvino", 1.0, reference_runtime="openvino", ratio_low=None, ratio_high=None)]
    for rows in (alone, one_repetition, parts):
        assert "rank" not in cells.sections(rows)[0].columns
        assert not any(line.startswith("rank") for line in legend(rows))


def test_the_front_is_marked_where_it_is_known() -> None:
    rows = [reference(pareto=False), row(pareto=True)]
    assert [one.pareto for one in cells.sections(rows)[0].cells] == ["", "*"]
    assert any(line.startswith("Pareto: *") for line in legend(rows))
    assert "pareto" not in cells.sections([reference(), row()])[0].columns
    assert not any("Pareto" in line for line in legend([reference(), row()]))


def test_placement_is_a_column_only_where_something_ran_elsewhere() -> None:
    whole = row(time_share=1.0, node_share=1.0)
    assert "placement" not in cells.sections([reference(), whole])[0].columns
    part = row("onnxruntime-webgpu", time_share=0.73, node_share=0.9, provider_requested="WebGpuExecutionProvider")
    (section,) = cells.sections([reference(), whole, part])
    assert "placement" in section.columns
    assert [one.placement for one in section.cells] == ["-", "100 %", "73 % on WebGpu"]


def test_callers_at_the_same_time_are_explained() -> None:
    assert not any("caller" in line for line in legend([row()]))
    assert any("all callers together" in line for line in legend([row(streams=4)]))
