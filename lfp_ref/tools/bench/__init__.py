"""Benchmarks: how long a training step takes, and what share of the machine's speed that is. See lfp-ref bench."""
