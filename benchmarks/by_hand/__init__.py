"""The baseline written by hand for speed, without a single shared rule: see `benchmarks.limit`."""
