"""Stage 3: model spec to artifacts, inputs and truth."""
