"""Stage: two sides against each other: bundles, the gate, comparison of reports, and the gate's own tests."""
