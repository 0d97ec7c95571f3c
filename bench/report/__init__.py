"""Stage 6: rows, samples and agreement to files and text."""
