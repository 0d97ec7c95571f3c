"""The calibration's table and its sentences. Pure."""

from __future__ import annotations

from bench.check.calibration import Calibration, Noise, spell_ability
from bench.check.wording import percent

HEADER = ("threads", "pairs", "pair sd", "95% interval", "false alarms", "smallest effect", "preempted", "recommended")
NUMERIC = (0, 1, 2, 3, 4, 5, 6, 7)
_UNKNOWN = "-"


def cells(noise: Noise) -> tuple[str, ...]:
    """One line of the table."""
    return (
        str(noise.threads),
        str(noise.pairs),
        _share(noise.sd),
        f"{_share(noise.sd_low)} to {_share(noise.sd_high)}",
        f"{noise.false_alarm_rate:.2%}",
        _share(noise.smallest_detectable),
        _UNKNOWN if noise.preempted is None else f"{noise.preempted:.0%}",
        "none" if noise.recommended is None else f"--delta {percent(noise.recommended, sign=False)}",
    )


def notes(calibration: Calibration) -> list[str]:
    """What the table's columns mean, and the sentence that it all is for."""
    bound = max(one.false_alarm_bound for one in calibration.threads)
    return [
        f"{calibration.model} on {calibration.runtime} {calibration.runtime_version}, against itself; "
        f"at most {calibration.settings.max_pairs} pairs, delta {percent(calibration.settings.delta, sign=False)}",
        f"false alarms: the share of ways to label these pairs that alarm (at most {bound:.2%} whatever the pairs); "
        "smallest effect: caught 95 times in 100 in this noise",
        spell_ability(calibration),
    ]


def _share(share: float | None) -> str:
    return _UNKNOWN if share is None else percent(share, sign=False)
