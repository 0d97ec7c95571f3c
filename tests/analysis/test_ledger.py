from __future__ import annotations

import msgspec

from analysis_fakes import died, measured, opened, together
from bench.analysis.ledger import option_text, summarise_ledger
from bench.records import CaseRepetition, Memory


def repetition(n: int, load_ns: int) -> CaseRepetition:
    return measured("c", n, [[10]], opened=msgspec.structs.replace(opened(), load_ns=load_ns))


def test_cold_start_is_the_lower_median_over_processes_a_value_that_was_observed() -> None:
    tries = [repetition(n, load_ns) for n, load_ns in enumerate((40, 10, 30, 20))]
    ledger = summarise_ledger(tries, [together(one.repetition, one) for one in tries])
    assert ledger is not None
    assert ledger.load_ns == 20
    assert ledger.rss_peak_bytes == 403  # but the peak is the greatest


def test_a_worker_that_died_after_opening_counts_for_cold_start_and_not_for_the_peak() -> None:
    half = msgspec.structs.replace(repetition(1, 30), complete=False, memory_peak=Memory(rss_bytes=9, peak_rss_bytes=9))
    ledger = summarise_ledger([repetition(0, 40), half], [])
    assert ledger is not None
    assert (ledger.load_ns, ledger.rss_peak_bytes, ledger.page_cache) == (30, 400, None)


def test_a_case_that_never_opened_has_no_ledger() -> None:
    assert summarise_ledger([died("c", 0)], []) is None


def test_the_least_share_of_nodes_and_every_state_of_the_page_cache_are_told() -> None:
    shares = [measured("c", n, [[10]], opened=opened(node_share=share)) for n, share in enumerate((0.9, None, 0.4))]
    groups = [together(n, one, page_cache="cold" if n == 0 else "warm") for n, one in enumerate(shares)]
    ledger = summarise_ledger(shares, groups)
    assert ledger is not None
    assert (ledger.node_share, ledger.page_cache) == (0.4, "cold, then warm")


def test_options_are_written_as_a_spec_writes_them() -> None:
    assert option_text({"b": "2", "a": "1"}) == "a=1,b=2"
    assert option_text({}) == ""
