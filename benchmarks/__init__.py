"""Speed, always as a ratio inside one run: absolute times of a shared machine mean little."""
