"""Stage 4: workers, rounds, the timed loop, memory and machine."""
