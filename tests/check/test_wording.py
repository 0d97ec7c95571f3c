"""The few sentences that every part of the gate says alike."""

from __future__ import annotations

import pytest

from bench.check.wording import explain_noise, percent
from gate_fakes import pair, side


@pytest.mark.parametrize(
    ("share", "text", "plain"),
    [
        (0.048, "+4.8%", "4.8%"),
        (-0.3, "-30.0%", "-30%"),
        (0.05, "+5.0%", "5%"),
        (0.0012, "+0.12%", "0.12%"),
        (0.0, "+0.00%", "0%"),
        (0.01, "+1.0%", "1%"),
        (1.5, "+150.0%", "150%"),
    ],
)
def test_a_share_is_a_percentage_with_its_sign(share: float, text: str, plain: str) -> None:
    assert percent(share) == text
    assert percent(share, sign=False) == plain


def test_a_quiet_machine_explains_nothing() -> None:
    assert explain_noise([pair(0), pair(1)], 0.01, detectable=0.03) == ()
    assert explain_noise([], None, detectable=None) == ()


def test_each_disturbance_is_told_by_itself() -> None:
    assert explain_noise([pair(0)], 0.05, detectable=0.09) == (
        "pairs spread by 5%: the least slowdown that is caught in that is one of 9%, 5% was asked for",
    )
    assert explain_noise([pair(0)], 9.0, detectable=None) == (
        "pairs spread by 900%: the least slowdown that is caught in that is none, 5% was asked for",
    )
    assert explain_noise(
        [pair(0, 0.0, head=side(preempted=0.9), baseline=side(preempted=0.1))], 0.01, detectable=0.03
    ) == ("50% of calls were preempted: lower --threads or use a quieter runner",)
    assert explain_noise([pair(0, 0.0, foreign_cpus=0.8)], 0.01, detectable=0.03) == (
        "other processes kept 0.8 CPUs busy",
    )
    assert explain_noise([pair(0, 0.0, steal_share=0.2)], 0.01, detectable=0.03) == (
        "20% of CPU time was stolen by the hypervisor's other guests",
    )


def test_a_wider_budget_holds_in_more_noise() -> None:
    assert explain_noise([pair(0)], 0.05, detectable=0.09, delta=0.1) == ()
    assert len(explain_noise([pair(0)], 0.08, detectable=0.11, delta=0.1)) == 1


def test_what_is_not_known_is_not_told() -> None:
    unknown = pair(
        0, 0.0, head=side(preempted=None), baseline=side(preempted=None), foreign_cpus=None, steal_share=None
    )
    assert explain_noise([unknown], None, detectable=None) == ()
