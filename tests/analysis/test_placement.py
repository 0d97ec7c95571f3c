from __future__ import annotations

import pytest

from analysis_fakes import measured, opened
from bench.analysis.ledger import summarise_ledger
from bench.analysis.placement import (
    node_share,
    placement_cautions,
    placement_reason,
    placement_status,
    providers_that_ran,
    time_share,
)
from bench.records import Placement, ProviderPart, SessionInfo

CPU, WEBGPU = "CPUExecutionProvider", "WebGpuExecutionProvider"
ROUNDS = [[10], [10]]


def _info(share: float | None = 1.0, *elsewhere: str) -> SessionInfo:
    parts = [ProviderPart(provider=WEBGPU, nodes=9, operators={"Conv": 9})]
    if elsewhere:
        names = tuple(f"head/{one.lower()}" for one in elsewhere)
        parts.append(
            ProviderPart(provider=CPU, nodes=len(elsewhere), operators=dict.fromkeys(elsewhere, 1), names=names)
        )
    return opened(provider=WEBGPU, node_share=share, placement=tuple(parts)).info


def _ran(here_ns: int, elsewhere_ns: int = 0, reason: str | None = None) -> Placement:
    parts = [
        ProviderPart(provider=WEBGPU, kernels=9, time_ns=here_ns, operators={"Conv": 9}),
        ProviderPart(provider=CPU, kernels=1, time_ns=elsewhere_ns, operators={"Unique": 1}, reason=reason),
    ]
    return Placement(parts=tuple(part for part in parts if part.time_ns), calls=3)


@pytest.mark.parametrize(
    ("here", "elsewhere", "status"),
    [(100, 0, "ok"), (99, 1, "ok"), (95, 5, "ok"), (94, 6, "partial"), (1, 99, "partial"), (0, 100, "unavailable")],
)
def test_the_share_of_kernel_time_decides_at_the_least_that_is_wanted(here: int, elsewhere: int, status: str) -> None:
    assert placement_status(_info(0.9), _ran(here, elsewhere), 0.95) == status


def test_a_lower_least_turns_partial_into_ok_and_never_nothing() -> None:
    assert placement_status(_info(), _ran(50, 50), 0.5) == "ok"
    assert placement_status(_info(), _ran(0, 100), 0.0) == "unavailable"


def test_time_decides_against_nodes_where_it_is_known() -> None:
    assert placement_status(_info(0.1), _ran(99, 1), 0.95) == "ok"
    assert placement_status(_info(0.99), _ran(1, 99), 0.95) == "partial"
    assert placement_status(_info(0.1), None, 0.95) == "partial"
    assert placement_status(_info(0.1), Placement(reason="it died"), 0.95) == "partial"


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert placement_status(_info(None), None, 0.95) == "ok"
    assert (time_share(None, WEBGPU), time_share(Placement(), WEBGPU)) == (None, None)


def test_nodes_are_of_kernels_where_the_session_cannot_tell() -> None:
    assert node_share(_info(None), _ran(50, 50)) == 0.9
    assert node_share(_info(0.7), _ran(50, 50)) == 0.7
    assert node_share(_info(None), None) is None


@pytest.mark.parametrize(
    ("placement", "name"),
    [
        (_ran(100), WEBGPU),
        (_ran(73, 27), f"{WEBGPU} 73%, {CPU} 27%"),
        (_ran(27, 73), f"{CPU} 73%, {WEBGPU} 27%"),
        (_ran(9999, 1), f"{WEBGPU} >99%, {CPU} <1%"),
        (_ran(0, 5), CPU),
        (None, f"{WEBGPU} 90%, {CPU} 10%"),
        (Placement(reason="it died"), f"{WEBGPU} 90%, {CPU} 10%"),
    ],
)
def test_a_row_is_named_by_what_ran(placement: Placement | None, name: str) -> None:
    info = _info(0.9, "Unique")
    assert providers_that_ran(info, placement) == name
    ledger = summarise_ledger([measured("c", 0, ROUNDS, opened=opened(**_fields(info)), placement=placement)], [])
    assert ledger is not None
    assert ledger.provider == name


def _fields(info: SessionInfo) -> dict[str, object]:
    return {"provider": info.provider, "node_share": info.node_share, "placement": info.placement}


def test_a_provider_without_parts_keeps_its_name() -> None:
    assert providers_that_ran(opened().info, None) == CPU


def test_a_partial_row_says_its_share_what_went_elsewhere_and_why() -> None:
    reason = placement_reason(_info(0.9, "Unique"), _ran(73, 27, "no webgpu kernel for Unique"), 0.95)
    assert reason == (
        f"73% of kernel time on {WEBGPU}, at least 95% is wanted: {CPU} 27%: Unique (head/unique), "
        "no webgpu kernel for Unique"
    )
    assert placement_reason(_info(0.9, "Unique"), None, 0.95).startswith("90% of the graph's nodes on ")


def test_a_row_of_which_nothing_ran_where_it_was_asked_for_says_where_it_did() -> None:
    reason = placement_reason(_info(), _ran(0, 100), 0.95)
    assert reason == f"nothing ran on {WEBGPU}: {CPU} 100%: Unique"


def test_between_the_least_and_all_a_caution_names_the_nodes() -> None:
    [caution] = placement_cautions(_info(0.9, "Unique"), _ran(97, 3, "no webgpu kernel for Unique"), 0.95)
    assert caution.code == "placement"
    assert caution.text == (f"not all of it on {WEBGPU}: {CPU} 3%: Unique (head/unique), no webgpu kernel for Unique")
    assert placement_cautions(_info(0.9, "Unique"), _ran(73, 27), 0.95) == []  # the status says it
    assert placement_cautions(_info(), _ran(100), 0.95) == []


def test_many_nodes_elsewhere_are_the_first_few() -> None:
    [caution] = placement_cautions(_info(0.9, "A", "B", "C", "D"), _ran(97, 3), 0.95)
    assert caution.text.endswith(f"{CPU} 3%: A, B, C (head/a, head/b, head/c, ...)")


@pytest.mark.parametrize("share", [None, 0.97])
def test_a_profile_that_failed_leaves_placement_unknown_and_says_why(share: float | None) -> None:
    caution = placement_cautions(_info(share), Placement(reason="it died of SIGKILL"), 0.95)[0]
    assert (caution.code, "it died of SIGKILL" in caution.text) == ("placement unknown", True)
    assert placement_cautions(_info(share), None, 0.95) == []


def test_a_session_with_every_node_on_the_provider_needs_no_profile_for_proof() -> None:
    [caution] = placement_cautions(_info(), Placement(reason="it died of SIGKILL"), 0.95)
    assert (caution.code, "it died of SIGKILL" in caution.text) == ("not profiled", True)


def test_kernels_too_fast_for_the_profiles_clock_did_run() -> None:
    fast = ProviderPart(provider=WEBGPU, kernels=2, time_ns=0, operators={"Conv": 2})
    slow = ProviderPart(provider=CPU, kernels=1, time_ns=9000, operators={"Unique": 1})
    placement = Placement(parts=(fast, slow), calls=3)
    assert placement_status(_info(0.9), placement, 0.95) == "partial"
    assert placement_reason(_info(0.9), placement, 0.95).startswith(f"0% of kernel time on {WEBGPU}")
    assert placement_status(_info(0.9), Placement(parts=(slow,), calls=3), 0.95) == "unavailable"


def test_a_version_that_cannot_tell_has_its_share_from_the_profile_and_says_so() -> None:
    info = opened(provider=WEBGPU, node_share=None).info
    assert [one.code for one in placement_cautions(info, _ran(100), 0.95)] == ["placement from profile"]
