"""Stage 1: the virtual environment that a runtime lives in."""
