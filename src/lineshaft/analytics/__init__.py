"""Pure numeric functions: columns in, numbers out; no clock, no I/O."""
