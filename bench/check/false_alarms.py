"""What ``--fail-on`` is worth, in one sentence for help and output. Imports nothing: help must stay light."""

from __future__ import annotations

FAIL_ON_FALSE_ALARMS = (
    "--fail-on accuses unchanged code: least latencies stored minutes apart on one machine differed by more than 5% "
    "in 10 of 240 comparisons at one thread (4.2%, exact 2% to 7.5%), and in 22.5% with all cores even back to back; "
    "`bench gate` has a proven rate"
)
