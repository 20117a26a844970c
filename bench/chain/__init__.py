"""`make bench-chain`: from a machine's register to a committed row, measured and printed beside its target."""
