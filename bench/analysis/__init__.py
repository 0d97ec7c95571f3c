"""Stage 5: samples and outputs to agreement, statistics and rows."""
