"""One small module per verb: plain values in, exit code out."""
