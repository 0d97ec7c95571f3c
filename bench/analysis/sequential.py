"""The gate's decision: looks, critical ranks by exact union bound, and what the pairs so far allow to say. Pure.

The unit of evidence is a pair: one fresh process of the baseline and one of the head, measured interleaved; its value
is ``log(head / baseline)``. If both run the same thing, the coin flips that label them make the signs of the values
independent and fair whatever the noise is, so the signed-rank bounds have exactly the sizes written here, and several
looks at growing evidence cost at most the sum of their sizes. A pass assumes besides that the pairs of a true slowdown
are spread symmetrically about it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count
from typing import Literal

from bench.analysis.statistics import hodges_lehmann, lower_bound, rank_of_size, tail_probability, upper_bound
from bench.errors import UsageError
from bench.records import Record

Answer = Literal["regressed", "pass", "next"]

DELTA = 0.05
ALPHA = 0.01
BETA = 0.05
MAX_PAIRS = 16
LEAST_CHANCE = 1e-12  # that an error may be given
MOST_PAIRS = 100  # of one case: a gate's Walsh averages grow with the square of its pairs
_FIRST_SHARE = {"alarm": 0.3907, "pass": 0.65}  # of the whole budget that the first look may take: 1/256 of 1 %, 1/32
_LATER_SHARES = {3: (0.42, 0.28, 0.30)}  # of what the first look left; even for another number of looks


class Look(Record, frozen=True):
    """A number of pairs at which the gate decides; rank 0 is a decision that it can't make there."""

    pairs: int
    alarm_rank: int  # L is this smallest Walsh average
    pass_rank: int  # U is this largest
    alarm_size: float  # exact chance that L > 0 where nothing differs
    pass_size: float  # exact chance that U < log(1 + delta) where the slowdown is delta


class Design(Record, frozen=True):
    """When the gate looks and how sure it must be; sizes hold for one case of ``cases``."""

    delta: float  # smallest slowdown that must be caught
    alpha: float  # of all cases together
    beta: float  # of one case
    cases: int
    looks: tuple[Look, ...]

    @property
    def false_alarm_bound(self) -> float:
        """Chance that any of the cases is called regressed though nothing differs, at most."""
        return self.cases * sum(look.alarm_size for look in self.looks)

    @property
    def miss_bound(self) -> float:
        """Chance that a slowdown of delta is passed, at most."""
        return sum(look.pass_size for look in self.looks)

    @property
    def max_pairs(self) -> int:
        """Pairs at the last look."""
        return self.looks[-1].pairs


class Decision(Record, frozen=True):
    """What the pairs allow to say at one look; all values are logarithms of head over baseline."""

    answer: Answer
    pairs: int
    estimate: float  # Hodges-Lehmann
    low: float | None  # one-sided lower bound at the look's alarm size, None where an alarm is impossible
    high: float | None  # one-sided upper bound at the look's pass size


def make_design(
    *,
    delta: float = DELTA,
    alpha: float = ALPHA,
    beta: float = BETA,
    max_pairs: int = MAX_PAIRS,
    cases: int = 1,
    looks: Sequence[int] | None = None,
) -> Design:
    """The ranks for every look; ``looks`` default to ``default_looks``.

    The first look that takes no more than its share of the chances takes the least rank, what it leaves is shared among
    the later ones. UsageError for settings under which an alarm or a pass can never be given, naming the least
    ``--max-pairs``.
    """
    _check_ranges(delta, alpha, beta, cases)
    pairs = tuple(sorted(set(looks))) if looks else default_looks(alpha, beta, max_pairs, cases)
    if pairs[0] < 1 or pairs[-1] > MOST_PAIRS:
        raise UsageError(f"{pairs[0] if pairs[0] < 1 else pairs[-1]} pairs: expected from 1 to {MOST_PAIRS}")
    least = max(_first_possible(alpha / cases, 1), _first_possible(beta, 1))
    if pairs[-1] < least:
        raise UsageError(_too_few(pairs[-1], least, alpha, beta, cases))
    alarm = _ranks(pairs, alpha / cases, _FIRST_SHARE["alarm"])
    passed = _ranks(pairs, beta, _FIRST_SHARE["pass"])
    return Design(
        delta=delta,
        alpha=alpha,
        beta=beta,
        cases=cases,
        looks=tuple(
            Look(
                pairs=n,
                alarm_rank=a,
                pass_rank=p,
                alarm_size=tail_probability(n, a),
                pass_size=tail_probability(n, p),
            )
            for n, a, p in zip(pairs, alarm, passed, strict=True)
        ),
    )


def default_looks(alpha: float, beta: float, max_pairs: int, cases: int) -> tuple[int, ...]:
    """5, 8, 12 and 16 pairs for the default settings: the first pass, the first alarm, half-way, and the last."""
    if max_pairs > MOST_PAIRS:
        raise UsageError(f"--max-pairs {max_pairs}: at most {MOST_PAIRS}")
    first_pass = _first_possible(beta, _FIRST_SHARE["pass"])
    first_alarm = _first_possible(alpha / cases, _FIRST_SHARE["alarm"])
    least = max(first_pass, first_alarm)
    if max_pairs < least:
        raise UsageError(_too_few(max_pairs, least, alpha, beta, cases))
    between = (first_alarm + max_pairs) // 2
    return tuple(sorted({first_pass, first_alarm, between, max_pairs}))


def look_at(design: Design, values: Sequence[float]) -> Decision:
    """What the values so far allow to say; "next" where their number is none of the looks'.

    REGRESSED iff the lower bound is above 0 and the estimate is at least half the budget; PASS iff the upper bound is
    below the budget and the estimate below half of it. Raises ValueError for a value that is no finite number.
    """
    if not all(map(math.isfinite, values)):
        raise ValueError("a pair's value is not a finite number")
    look = next((one for one in design.looks if one.pairs == len(values)), None)
    estimate = hodges_lehmann(values)
    low = lower_bound(values, look.alarm_rank) if look and look.alarm_rank else None
    high = upper_bound(values, look.pass_rank) if look and look.pass_rank else None
    answer: Answer = "next"
    line = math.log1p(design.delta / 2)
    if low is not None and low > 0 and estimate >= line:
        answer = "regressed"
    elif high is not None and high < math.log1p(design.delta) and estimate < line:
        answer = "pass"
    return Decision(answer=answer, pairs=len(values), estimate=estimate, low=low, high=high)


def decide(design: Design, values: Sequence[float]) -> Decision:
    """The first decision that the values lead to, look by look; the last look's where there is none.

    Values beyond the deciding look are not looked at: the gate would not have measured them.
    """
    decision = look_at(design, values)
    for look in design.looks:
        if look.pairs <= len(values):
            decision = look_at(design, values[: look.pairs])
            if decision.answer != "next":
                break
    return decision


def is_improved(design: Design, values: Sequence[float]) -> bool:
    """The mirror of REGRESSED, for information alone: certainly faster, and by at least half the budget."""
    return decide(design, [-value for value in values]).answer == "regressed"


def _ranks(pairs: Sequence[int], budget: float, first_share: float) -> list[int]:
    """The rank of each look, 0 where none fits."""
    within_share = [n for n in pairs if 2.0**-n <= budget * first_share]
    possible = within_share or [n for n in pairs if 2.0**-n <= budget]
    first, later = possible[0], possible[1:]
    left = budget - tail_probability(first, 1)
    shares = _LATER_SHARES.get(len(later), (1 / max(1, len(later)),) * len(later))
    ranks = {n: rank_of_size(n, left * share) for n, share in zip(later, shares, strict=True)}
    return [1 if n == first else ranks.get(n, 0) for n in pairs]


def _first_possible(budget: float, share: float) -> int:
    """The least number of pairs whose one possible unanimous outcome is rarer than ``share`` of the budget."""
    return next(n for n in count(1) if 2.0**-n <= budget * share)


def _check_ranges(delta: float, alpha: float, beta: float, cases: int) -> None:
    if not 0 < delta <= 10:
        raise UsageError(f"--delta {delta:g}: expected a share of the baseline's time above 0, such as 5%")
    for flag, value in (("--alpha", alpha), ("--beta", beta)):
        if not LEAST_CHANCE <= value < 0.5:
            raise UsageError(f"{flag} {value:g}: expected a chance of error below 50%, such as 1%")
    if cases < 1:
        raise ValueError(f"a gate over {cases} cases")


def _too_few(pairs: int, least: int, alpha: float, beta: float, cases: int) -> str:
    over = f" over {cases} gates" if cases > 1 else ""
    return f"--max-pairs {pairs}: too few to accuse and to pass with alpha {alpha:g} and beta {beta:g}{over}; " + (
        f"the least is --max-pairs {least}" if least <= MOST_PAIRS else f"it would take {least} pairs"
    )
