"""Which reports are one series, what ends one, and what is only marked on it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.check.history_read import Stored
from bench.check.history_records import Event
from compare_fakes import ort, tf
from history_fakes import daily, history, noise, only_series, stored


def two(metric: str = "latency", first: dict[str, Any] | None = None, **changes: Any) -> list[int]:
    """The lengths of the series of two reports, the second with ``changes`` to its row."""
    found = history(stored(0, [ort(**(first or {}))]), stored(1, [ort(**changes)]), metric=metric)
    (trend,) = found.trends
    return [len(series.points) for series in trend.series]


def test_equal_cases_are_one_series_by_time() -> None:
    found = history(*daily([8e6, 9e6, 7e6]))
    assert [(p.report, p.value) for p in only_series(found).points] == [(1, 8e6), (2, 9e6), (3, 7e6)]
    assert found.reports[1].started == "2026-10-02T08:00:00+00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"model_digest": "ff" * 32},
        {"input_digest": "ff" * 32},
        {"provider": "XnnpackExecutionProvider"},
        {"runtime_options": "arena=off"},
        {"model_digest": None},
    ],
)
def test_what_is_not_the_same_measurement_is_another_series(changes: dict[str, Any]) -> None:
    assert two(**changes) == [1, 1]


@pytest.mark.parametrize("changes", [{}, {"runtime_version": "1.33.0"}, {"artifact_digest": "ff" * 32}])
def test_a_version_does_not_end_a_series(changes: dict[str, Any]) -> None:
    assert two(**changes) == [2]


@pytest.mark.parametrize(
    ("changes", "lengths"),
    [({"cpu": "Another CPU"}, [1, 1]), ({"effective_cpus": 4}, [1, 1]), ({"memory_bytes": 64 << 30}, [1, 1]),
     ({"system": "Linux 6.9"}, [2]), ({"memory_bytes": (8 << 30) + 4096}, [2])],
)  # fmt: skip
def test_numbers_of_two_machines_are_never_one_series(changes: dict[str, Any], lengths: list[int]) -> None:
    found = history(stored(0, [ort()]), stored(1, [ort()], machine=changes))
    assert [len(series.points) for series in found.trends[0].series] == lengths
    assert len(found.machines) == len(lengths)


def test_a_series_goes_on_when_its_machine_is_back() -> None:
    other = {"machine": {"cpu": "Another CPU"}}
    found = history(stored(0, [ort()]), stored(1, [ort()], **other), stored(2, [ort()]), stored(3, [ort()], **other))
    series = found.trends[0].series
    assert [[point.report for point in one.points] for one in series] == [[1, 3], [2, 4]]
    assert [one.machine for one in series] == [1, 2]
    assert [difference.field for difference in series[1].differs] == ["cpu"]
    assert series[0].events == ()


def test_only_load_depends_on_the_page_cache_and_only_the_error_on_the_truth() -> None:
    assert two("load", page_cache="cold") == [1, 1]
    assert two("latency", page_cache="cold") == [2]
    assert two("error", truth="float32") == [1, 1]
    assert two("latency", truth="float32", percentile_block="turns; p99: tail") == [2]


def test_another_seed_is_another_series_where_digests_are_unknown() -> None:
    import msgspec

    from report_fakes import environment

    suite = environment().suite
    other = {"suite": {"prepare": msgspec.structs.replace(suite.prepare, seed=1)}}
    found = history(stored(0, [ort()]), stored(1, [ort()], **other))
    assert [len(series.points) for series in found.trends[0].series] == [1, 1]


def test_versions_are_events_and_the_runtimes_own_package_is_told_once() -> None:
    before = stored(0, [ort(runtime_version="1.30.0")], packages={"onnxruntime": "1.30.0", "numpy": "2.4.0"})
    after = stored(1, [ort(runtime_version="1.32.0")], packages={"onnxruntime": "1.32.0", "numpy": "2.4.6"})
    assert only_series(history(before, after)).events == (
        Event(2, "runtime_version", "1.30.0", "1.32.0"),
        Event(2, "package numpy", "2.4.0", "2.4.6"),
    )
    assert only_series(history(before, before)).events == ()


def test_packages_of_a_case_in_an_environment_of_its_own_are_those_of_that() -> None:
    own = {"runtime_spec": "onnxruntime-cpu@1.30.0", "environment": "ab12", "runtime_version": "1.30.0"}
    pins = {"onnxruntime-cpu@1.30.0": {"numpy": "1.26.0"}}
    newer = {"onnxruntime-cpu@1.30.0": {"numpy": "1.26.4"}}
    first = stored(0, [ort(**own)], environments=pins, packages={"numpy": "2.4.0"})
    second = stored(1, [ort(**own)], environments=pins, packages={"numpy": "2.4.6"})
    third = stored(2, [ort(**own)], environments=newer, packages={"numpy": "2.4.6"})
    assert only_series(history(first, second, third)).events == (Event(3, "package numpy", "1.26.0", "1.26.4"),)


@pytest.mark.parametrize(
    ("changes", "standing", "reason"),
    [
        ({"status": "crashed", "status_reason": "SIGSEGV"}, "failed", "crashed: SIGSEGV"),
        ({"agreement": "disagrees", "agreement_reason": "0.12"}, "unverified", "disagrees: 0.12"),
        ({"agreement": "unchecked", "agreement_reason": ""}, "unverified", "unchecked"),
        ({"rss_peak_bytes": None}, "unmeasured", "it has no peak memory"),
        ({"status": "partial", "status_reason": "40 %"}, "unverified", "partial: 40 %"),
        ({"cautions": "quantum: 3; call path: 2 ways"}, "unverified", "call path: 2 ways"),
        ({"cautions": "placement unknown: no proof"}, "unverified", "placement unknown: no proof"),
    ],
)
def test_what_was_not_measured_or_not_verified_is_a_gap_and_never_a_point(
    changes: dict[str, Any], standing: str, reason: str
) -> None:
    found = history(stored(0, [ort()]), stored(1, [ort(**changes)]), stored(2, [ort()]), metric="memory")
    (trend,) = found.trends
    assert [(gap.report, gap.standing, gap.reason) for gap in trend.gaps] == [(2, standing, reason)]
    assert [point.report for point in only_series(found).points] == [1, 3]


def test_a_caution_that_bars_nothing_leaves_a_point() -> None:
    assert two(first={"cautions": "quantum: 3"}, cautions="quantum: 3; call pathology: none") == [2]


def gone(*days: Stored) -> list[int]:
    """The reports in which ONNX Runtime is gone."""
    (trend,) = history(*days, case="onnxruntime").trends
    assert all(gap.standing == "gone" for gap in trend.gaps)
    return [gap.report for gap in trend.gaps]


def test_a_case_that_a_report_has_no_more_is_a_gap_and_one_that_is_new_is_none() -> None:
    both, without = [ort(), tf()], [tf()]
    assert gone(stored(0, both), stored(1, without), stored(2, both), stored(3, without)) == [2, 4]
    assert gone(stored(0, without), stored(1, both)) == []


def test_a_report_of_another_model_or_of_a_machine_that_never_had_the_case_lacks_nothing() -> None:
    other = [tf(model="another")]
    assert gone(stored(0, [ort()]), stored(1, other), stored(2, [ort()])) == []
    assert gone(stored(0, [ort()]), stored(1, [tf()], machine={"cpu": "Another CPU"}), stored(2, [ort()])) == []


def test_a_report_with_two_versions_of_a_case_does_not_break_the_trend_of_the_others() -> None:
    several = [
        ort(case_id=version, runtime_spec=f"onnxruntime-cpu@{version}", runtime_version=version)
        for version in ("1.30.0", "1.32.0")
    ]
    found = history(stored(0, [ort()]), stored(1, several), stored(2, [ort()]))
    assert [(trend.runtime, len(trend.series[0].points)) for trend in found.trends] == [
        ("onnxruntime-cpu", 2),
        ("onnxruntime-cpu@1.30.0", 1),
        ("onnxruntime-cpu@1.32.0", 1),
    ]


def test_only_cases_with_the_text_are_shown() -> None:
    assert [trend.runtime for trend in history(stored(0, [ort(), tf()]), case="ONNX").trends] == ["onnxruntime-cpu"]


def test_a_number_with_an_interval_keeps_it() -> None:
    point = only_series(
        history(stored(0, [ort(latency_ns_p50_low=8e6, latency_ns_p50_high=8.5e6)]), metric="p50")
    ).points[0]
    assert (point.value, point.low, point.high) == (8.2e6, 8e6, 8.5e6)
    assert noise(3, 0.02) == noise(3, 0.02)


def test_a_report_that_compares_two_versions_does_not_break_the_line_of_the_one_that_all_have() -> None:
    old = ort(case_id="old", runtime_spec="onnxruntime-cpu@1.30.0", runtime_version="1.30.0")
    found = history(stored(0, [ort()]), stored(1, [ort(), old]), stored(2, [ort()]))
    main, other = found.trends
    assert ([len(one.points) for one in main.series], main.gaps) == ([3], ())
    assert (other.runtime, [len(one.points) for one in other.series]) == ("onnxruntime-cpu@1.30.0", [1])


def test_the_error_of_a_run_that_only_verified_is_a_point_and_its_latency_is_none() -> None:
    verified = ort(latency_ns_best=None, relative_error=6e-6)
    assert two("error", {"latency_ns_best": None}, latency_ns_best=None) == [2]
    (trend,) = history(stored(0, [verified]), metric="latency").trends
    assert [gap.standing for gap in trend.gaps] == ["unmeasured"]
