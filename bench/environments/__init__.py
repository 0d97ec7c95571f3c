"""Stage: one virtual environment per pinned or conflicting runtime, made on demand and kept by its contents."""
