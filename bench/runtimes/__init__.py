"""Stage 2: the table of runtimes, their contract, one module each."""
