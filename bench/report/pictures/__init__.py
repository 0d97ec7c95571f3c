"""What a report's numbers look like: one small module a picture, each from a loaded report. Pure."""
