"""What ``--fail-on`` is worth, in one sentence for help and output. Imports nothing: help must stay light."""

from __future__ import annotations

FAIL_ON_FALSE_ALARMS = (
    "latency:5% of stored runs minutes apart accused unchanged code in 0 of 11 comparisons (exact 0% to 28.5%) on "
    "MobileNetV1 at one thread, quiet and beside bursts, and found a planted 5% in 2 of 9; least latencies of single "
    "processes accuse it in 10 of 240 (4.2%), with all cores in 22.5%; `bench gate` has a proven rate"
)
